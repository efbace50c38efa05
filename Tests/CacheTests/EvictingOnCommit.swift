import MartletStorage
import MartletTestSupport
import Testing

@testable import MartletCache

@Suite("Evicting with a commit")
struct EvictingOnCommit {
    struct Stop: Error {}

    @Test(arguments: CommonDatabase.all)
    func whoWaitedForTheCommitReadsItOnItsInstance(database: CommonDatabase) async throws {
        try await database.withInstances { (near: Instance, _: Instance) async throws in
            for round in 0..<50 {
                let (read, written) = (try await near.version(of: 1), try await near.write(1))
                #expect(read == round && written == round + 1)
            }
        }
    }

    @Test(arguments: CommonDatabase.all)
    func otherInstancesReadItSoon(database: CommonDatabase) async throws {
        try await database.withInstances { (near: Instance, far: Instance) async throws in
            #expect(try await far.version(of: 1) == 0)
            #expect(try await far.version(of: 2) == 0)
            _ = try await near.write(1)
            try await eventually { try await far.version(of: 1) == 1 }
            #expect(far.cache.statistics.evicted == 1)
        }
    }

    @Test(arguments: CommonDatabase.all)
    func nothingIsEvictedByATransactionThatIsRolledBack(database: CommonDatabase) async throws {
        try await database.withInstances { (near: Instance, far: Instance) async throws in
            for instance in [near, far] { #expect(try await instance.version(of: 1) == 0) }
            await #expect(throws: Stop.self) {
                try await near.database.transaction { tx in
                    try await tx.evict("item:1")
                    throw Stop()
                }
            }
            _ = try await near.write(2)
            #expect(try await far.version(of: 2) >= 0)
            try await near.database.transaction { try await $0.evict("unknown") }
            #expect(near.cache.statistics.evicted == 0 && near.cache.statistics.entries >= 1)
        }
    }

    @Test(arguments: CommonDatabase.all)
    func itsOwnEvictionsAreNotAppliedASecondTime(database: CommonDatabase) async throws {
        try await database.withInstances { (near: Instance, far: Instance) async throws in
            for id in 1...3 {
                _ = try await near.write(id)
                // What is read now is new; the tail, which tells of the eviction later, must not remove it.
                _ = try await near.version(of: id)
            }
            _ = try await near.version(of: 4)
            _ = try await far.write(4)
            try await eventually { near.cache.statistics.evicted > 0 }
            #expect(near.cache.statistics.evicted == 1)
            #expect(near.cache.statistics.entries == 3)
        }
    }

    @Test func nothingKeptIsServedUntilTheTailHasBegun() async throws {
        try await CommonDatabase.sqlite.open { (first: any Database, _: any Database) async throws in
            let tail = OutboxTail(first, logger: .silent)
            let (cache, computed) = (Cache(tail: tail, logger: .silent), Tally())
            func read() async throws -> Int { try await cache.value(for: "p", ttl: .seconds(60)) { computed.next() } }
            #expect(try await read() == 1)
            #expect(try await read() == 2)
            let running = Task { await tail.run() }
            await tail.hasBegun()
            // What was computed before is not kept: nobody would have told of evictions.
            #expect(try await read() == 3)
            #expect(try await read() == 3)
            running.cancel()
            await running.value
        }
    }

    @Test func nothingKeptIsServedWhenEvictionsAreNotHeardOf() async throws {
        let settings = Cache.Settings(bound: .nanoseconds(-1))
        try await CommonDatabase.sqlite.withInstances(settings: settings) { (near: Instance, _: Instance) async throws in
            for _ in 0..<3 { #expect(try await near.version(of: 1) == 0) }
            #expect(near.cache.statistics.memoryHits == 0)
            #expect(near.cache.statistics.computed == 3)
        }
    }
}
