import MartletRedis
import MartletTestServers
import MartletTestSupport
import Testing

@testable import MartletCache

/// A shared tier the conformance suite runs over.
struct SharedTierKind: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let make: @Sendable () throws -> any SharedTier

    static let model = SharedTierKind(testDescription: "model") { ModelTier() }
    /// A part of a Redis server that nobody else uses; `nil` where none is configured.
    static let redis = RedisServer.url.map { url in
        let client = Result { try RedisClient(url: url, logger: .silent) }
        return SharedTierKind(testDescription: "Redis") { RedisCacheTier(try client.get(), prefix: RedisServer.newPrefix()) }
    }
    static let all = [model] + (redis.map { [$0] } ?? [])
}

@Suite("SharedTierConformance")
struct SharedTierConformance {
    private func ticket(_ look: SharedLook) throws -> SharedTicket {
        guard case .miss(let ticket) = look else { throw NoTicket(look: look) }
        return ticket
    }

    struct NoTicket: Error { let look: SharedLook }

    private let entry = SharedEntry(bytes: [0, 10, 255], tags: ["a", "b"], fresh: .seconds(60), stale: .zero)

    /// Fills a key; twice, since a tag that was never heard of may make the first time void.
    private func fill(_ tier: any SharedTier, _ key: String, _ entry: SharedEntry) async throws {
        for _ in 0..<2 {
            guard case .miss(let ticket) = try await tier.look(key, tags: entry.tags, holder: "filler", renews: false) else { return }
            try await tier.store(entry, for: key, with: ticket)
        }
    }

    @Test(arguments: SharedTierKind.all)
    func whatWasStoredIsFound(kind: SharedTierKind) async throws {
        let tier = try kind.make()
        try await fill(tier, "k", entry)
        let found = try #require(try await tier.read("k"))
        #expect(found.bytes == entry.bytes && found.tags == entry.tags && found.fresh > .seconds(50))
        try await fill(tier, "none", SharedEntry(bytes: nil, tags: [], fresh: .seconds(60), stale: .zero))
        #expect(try await tier.read("none") != nil)
        #expect(try await tier.read("none")?.bytes == nil)
        try await tier.remove("k")
        #expect(try await tier.read("k") == nil)
    }

    @Test(arguments: SharedTierKind.all)
    func anEvictionOfAnyTagMakesItAMiss(kind: SharedTierKind) async throws {
        let tier = try kind.make()
        try await fill(tier, "k", entry)
        try await tier.evict(Eviction(tags: ["c"]))
        #expect(try await tier.read("k") != nil)
        try await tier.evict(Eviction(tags: ["b"]))
        #expect(try await tier.read("k") == nil)
    }

    @Test(arguments: SharedTierKind.all)
    func whatBeganBeforeAnEvictionIsNotStored(kind: SharedTierKind) async throws {
        let tier = try kind.make()
        let ticket = try ticket(try await tier.look("k", tags: ["a", "b"], holder: "one", renews: false))
        try await tier.evict(Eviction(tags: ["a"]))
        try await tier.store(entry, for: "k", with: ticket)
        #expect(try await tier.read("k") == nil)
        try await fill(tier, "k", entry)
        #expect(try await tier.read("k") != nil)
    }

    @Test(arguments: SharedTierKind.all)
    func whenEverythingIsForgottenSoIsWhatBeganBefore(kind: SharedTierKind) async throws {
        let tier = try kind.make()
        try await fill(tier, "k", entry)
        let ticket = try ticket(try await tier.look("other", tags: ["a", "b"], holder: "one", renews: false))
        try await tier.forgetEverything()
        try await tier.store(entry, for: "other", with: ticket)
        #expect(try await tier.read("k") == nil)
        #expect(try await tier.read("other") == nil)
    }

    @Test(arguments: SharedTierKind.all)
    func oneAtATimeFillsAKey(kind: SharedTierKind) async throws {
        let tier = try kind.make()
        let ticket = try ticket(try await tier.look("k", tags: [], holder: "one", renews: false))
        guard case .busy = try await tier.look("k", tags: [], holder: "two", renews: false) else {
            Issue.record("two fill it")
            return
        }
        try await tier.release("k", ticket)
        _ = try self.ticket(try await tier.look("k", tags: [], holder: "two", renews: false))
    }
}

@Suite("A cache whose shared tier is away")
struct SharedTierAway {
    private func cache(_ tier: ModelTier, _ clock: StandingClock) -> Cache {
        let front = SharedFront(tier, wait: .seconds(60), logger: .silent)
        return Cache(memory: MemoryTier(bytes: 8 << 20), shared: front, clock: clock.clock, chance: { 0.5 })
    }

    @Test func answersAndKeepsForTenSeconds() async throws {
        let (tier, clock, computed) = (ModelTier(), StandingClock(), Tally())
        let cache = cache(tier, clock)
        tier.leave()
        func read() async throws -> Int { try await cache.value(for: "p", ttl: .seconds(60)) { computed.next() } }
        #expect(try await read() == 1)
        clock.move(by: .milliseconds(9999))
        #expect(try await read() == 1)
        clock.move(by: .milliseconds(1))
        #expect(try await read() == 2)
    }

    @Test func servesNothingAfterwardsWhoseEvictionWasMissed() async throws {
        let (tier, clock, computed) = (ModelTier(), StandingClock(), Tally())
        let (near, far) = (cache(tier, clock), cache(tier, clock))
        @Sendable func read(_ cache: Cache) async throws -> Int {
            try await cache.value(for: "p", tags: ["p"], ttl: .seconds(60)) { computed.next() }
        }
        #expect(try await read(near) == 1)
        tier.leave()
        await near.apply(Eviction(tags: ["p"]))
        tier.comeBack()
        // Its own first use has everything forgotten there, for the others as well.
        #expect(try await read(near) == 2)
        #expect(try await read(far) == 2)
    }

    @Test func aHitInMemoryCostsNoRoundTrip() async throws {
        let (tier, clock) = (ModelTier(), StandingClock())
        let cache = cache(tier, clock)
        _ = try await cache.value(for: "p", ttl: .seconds(60)) { 1 }
        let calls = tier.calls
        for _ in 0..<100 { _ = try await cache.value(for: "p", ttl: .seconds(60)) { 2 } }
        #expect(tier.calls == calls)
    }

    @Test func twoInstancesComputeOnce() async throws {
        let (tier, clock, computed, end) = (ModelTier(), StandingClock(), Tally(), Gate())
        let caches = [cache(tier, clock), cache(tier, clock)]
        let callers = (0..<20).map { number in
            Task {
                try await caches[number % 2].value(for: "p", ttl: .seconds(60)) {
                    await end.wait()
                    return computed.next()
                }
            }
        }
        try await eventually { caches[0].statistics.misses + caches[1].statistics.misses == 20 }
        await end.open()
        for caller in callers { #expect(try await caller.value == 1) }
    }
}
