import MartletCore
import MartletTestSupport
import Synchronization
import Testing

@testable import MartletCache

/// A kind of cache the conformance suite runs over: adding one to ``all`` runs every test on it.
struct CacheKind: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let shared: @Sendable (CacheClock) throws -> (any SharedTier)?

    static let all = [
        CacheKind(testDescription: "memory") { _ in nil },
        CacheKind(testDescription: "memory and a shared tier") { ModelTier(clock: $0) },
    ]

    /// For tests that move no clock: Redis has one of its own.
    static let timeless = all + (SharedTierKind.redis.map { [memory(and: $0)] } ?? [])

    private static func memory(and tier: SharedTierKind) -> CacheKind {
        CacheKind(testDescription: "memory and \(tier.testDescription)") { _ in try tier.make() }
    }

    func cache(_ clock: StandingClock = StandingClock(), chance: Double = 0.5) throws -> Cache {
        let front = try shared(clock.clock).map { SharedFront($0, wait: .seconds(60), logger: .silent) }
        return Cache(memory: MemoryTier(bytes: 8 << 20), shared: front, clock: clock.clock, chance: { chance })
    }
}

@Suite("CacheConformance: values")
struct CacheConformanceValues {
    @Test(arguments: CacheKind.timeless)
    func aValueIsComputedOnceAndThenKept(kind: CacheKind) async throws {
        let (cache, computed) = (try kind.cache(), Tally())
        for _ in 0..<3 {
            let product = try await cache.value(for: "p", tags: ["p"], ttl: .seconds(60)) {
                computed.next()
                return Product(id: 1, name: "Ink")
            }
            #expect(product == Product(id: 1, name: "Ink"))
        }
        #expect(computed.value == 1)
        #expect(try await cache.get("p", as: Product.self) == Product(id: 1, name: "Ink"))
        #expect(try await cache.get("q", as: Product.self) == nil)
    }

    @Test(arguments: CacheKind.all)
    func itIsComputedAgainWhenItsTimeHasRunOut(kind: CacheKind) async throws {
        let (clock, computed) = (StandingClock(), Tally())
        let cache = try kind.cache(clock)
        func read() async throws -> Int { try await cache.value(for: "p", ttl: .seconds(60)) { computed.next() } }
        #expect(try await read() == 1)
        clock.move(by: .seconds(59))
        #expect(try await read() == 1)
        clock.move(by: .seconds(1))
        #expect(try await read() == 2)
    }

    @Test(arguments: CacheKind.all)
    func thatThereIsNothingIsRememberedForItsOwnTime(kind: CacheKind) async throws {
        let (clock, computed) = (StandingClock(), Tally())
        let cache = try kind.cache(clock)
        func read() async throws -> Product? {
            try await cache.value(for: "p", ttl: .seconds(60), missing: .seconds(5)) {
                computed.next()
                return Product?.none
            }
        }
        #expect(try await read() == nil)
        #expect(try await read() == nil)
        #expect(computed.value == 1)
        clock.move(by: .seconds(5))
        #expect(try await read() == nil)
        #expect(computed.value == 2)
    }

    @Test(arguments: CacheKind.all, [(0.0, 54), (0.5, 60), (1.0, 66)])
    func timesDifferByATenth(kind: CacheKind, chance: (Double, Int)) async throws {
        let (clock, computed) = (StandingClock(), Tally())
        let cache = try kind.cache(clock, chance: chance.0)
        func read() async throws -> Int { try await cache.value(for: "p", ttl: .seconds(60)) { computed.next() } }
        _ = try await read()
        clock.move(by: .seconds(chance.1) - .milliseconds(1))
        #expect(try await read() == 1)
        clock.move(by: .milliseconds(2))
        #expect(try await read() == 2)
    }

    @Test(arguments: CacheKind.all)
    func whatHasRunOutIsServedWhileANewOneIsComputed(kind: CacheKind) async throws {
        let (clock, computed, gate) = (StandingClock(), Tally(), Gate())
        let cache = try kind.cache(clock)
        func read() async throws -> Int {
            try await cache.value(for: "p", ttl: .seconds(60), stale: .seconds(30)) {
                if computed.next() > 1 { await gate.wait() }
                return computed.value
            }
        }
        #expect(try await read() == 1)
        clock.move(by: .seconds(70))
        for _ in 0..<5 { #expect(try await read() == 1) }
        try await eventually { computed.value == 2 }
        await gate.open()
        try await eventually { try await read() == 2 }
        #expect(computed.value == 2)
        // The shared tier may get it a moment after it was served.
        try await eventually {
            clock.move(by: .seconds(91))
            return try await read() == 3
        }
    }

    @Test(arguments: CacheKind.timeless)
    func keysAreSetReadAndRemoved(kind: CacheKind) async throws {
        let cache = try kind.cache()
        try await cache.set("a", 1, tags: ["a"], ttl: .seconds(60))
        try await cache.setMany(["b": 2, "c": 3], tags: ["bc"], ttl: .seconds(60))
        #expect(try await cache.getMany(["a", "b", "c", "d"], as: Int.self) == ["a": 1, "b": 2, "c": 3])
        try await cache.set("a", 4, ttl: .seconds(60))
        await cache.remove("b")
        #expect(try await cache.getMany(["a", "b", "c"], as: Int.self) == ["a": 4, "c": 3])
        await cache.apply(Eviction(tags: ["bc"]))
        #expect(try await cache.getMany(["a", "b", "c"], as: Int.self) == ["a": 4])
    }

    @Test(arguments: CacheKind.timeless)
    func aValueOfAnotherShapeIsComputedAnew(kind: CacheKind) async throws {
        let cache = try kind.cache()
        try await cache.set("p", "a name", ttl: .seconds(60))
        let product = try await cache.value(for: "p", ttl: .seconds(60)) { Product(id: 1, name: "Ink") }
        #expect(product == Product(id: 1, name: "Ink"))
        #expect(try await cache.get("p", as: Product.self) == product)
    }
}

@Suite("CacheConformance: evictions")
struct CacheConformanceEvictions {
    @Test(arguments: CacheKind.timeless)
    func onlyWhatUsedATagIsEvicted(kind: CacheKind) async throws {
        let (cache, computed) = (try kind.cache(), Tally())
        func read(_ id: Int) async throws {
            _ = try await cache.value(for: "\(id)", tags: ["item:\(id)"], ttl: .seconds(60)) { computed.next() }
        }
        for id in 0..<20 { try await read(id) }
        await cache.apply(Eviction(tags: ["item:7", "item:12"]))
        for id in 0..<20 { try await read(id) }
        #expect(computed.value == 22)
    }

    @Test(arguments: CacheKind.timeless)
    func whatAComputationSaysItUsedIsATagToo(kind: CacheKind) async throws {
        let (cache, computed) = (try kind.cache(), Tally())
        func outer() async throws -> Int {
            try await cache.value(for: "list", ttl: .seconds(60)) {
                let inner = try await cache.value(for: "inner", tags: ["inner"], ttl: .seconds(60)) {
                    CacheTags.use("deep")
                    return 1
                }
                return computed.next() + inner
            }
        }
        for tag in ["inner", "deep"] as [CacheTag] {
            let before = try await outer()
            #expect(try await outer() == before)
            await cache.apply(Eviction(tags: ["other"]))
            #expect(try await outer() == before)
            await cache.apply(Eviction(tags: [tag]))
            #expect(try await outer() > before)
        }
    }

    @Test(arguments: CacheKind.timeless)
    func aComputationThatBeganBeforeAnEvictionIsNotKept(kind: CacheKind) async throws {
        let (cache, computed, hasBegun, end) = (try kind.cache(), Tally(), Gate(), Gate())
        func read() async throws -> Int {
            try await cache.value(for: "p", tags: ["p"], ttl: .seconds(60)) {
                let number = computed.next()
                await hasBegun.open()
                if number == 1 { await end.wait() }
                return number
            }
        }
        let early = Task { try await read() }
        await hasBegun.wait()
        await cache.apply(Eviction(tags: ["p"]))
        await end.open()
        // It began before: it may have what it read.
        #expect(try await early.value == 1)
        #expect(try await read() == 2)
        #expect(try await read() == 2)
    }

    @Test(arguments: CacheKind.timeless)
    func whoComesAfterAnEvictionDoesNotGetWhatBeganBeforeIt(kind: CacheKind) async throws {
        let (cache, computed, hasBegun, end) = (try kind.cache(), Tally(), Gate(), Gate())
        func read() async throws -> Int {
            try await cache.value(for: "p", tags: ["p"], ttl: .seconds(60)) {
                let number = computed.next()
                await hasBegun.open()
                if number == 1 { await end.wait() }
                return number
            }
        }
        let early = Task { try await read() }
        await hasBegun.wait()
        await cache.apply(Eviction(tags: ["p"]))
        let late = Task { try await read() }
        try await eventually { cache.statistics.misses == 2 }
        await end.open()
        #expect(try await (early.value, late.value) == (1, 2))
    }

    @Test(arguments: CacheKind.timeless)
    func anEvictionOfSomethingElseDoesNotKeepCallersFromSharing(kind: CacheKind) async throws {
        let (cache, computed, end) = (try kind.cache(), Tally(), Gate())
        func read() async throws -> Int {
            try await cache.value(for: "p", tags: ["p"], ttl: .seconds(60)) {
                await end.wait()
                return computed.next()
            }
        }
        let early = Task { try await read() }
        try await eventually { cache.statistics.misses == 1 }
        await cache.apply(Eviction(tags: ["q"]))
        let late = Task { try await read() }
        try await eventually { cache.statistics.misses == 2 }
        await end.open()
        #expect(try await (early.value, late.value) == (1, 1))
    }
}
