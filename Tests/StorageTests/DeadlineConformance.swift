import MartletCore
import MartletStorage
import MartletTestSupport
import Testing

@Suite("DatabaseConformance: deadlines")
struct DatabaseConformanceDeadlines {
    private static let past = ContinuousClock.now - .seconds(1)

    @Test(arguments: DatabaseEngine.all)
    func nothingBeginsAfterItsDeadline(engine: DatabaseEngine) async throws {
        try await engine.withItems { (db) async throws in
            let calls: [@Sendable () async throws -> Void] = [
                { _ = try await db.first(Int.self, "SELECT 1") },
                { try await db.insert(1, "a") },
                { try await db.transaction { try await $0.insert(2, "b") } },
                { try await db.change("UPDATE item SET name = 'c'") },
            ]
            for call in calls {
                let failure = await thrown(Failure.self) { try await Deadline.$current.withValue(Self.past) { try await call() } }
                #expect(failure?.code == "deadline_exceeded" && failure?.kind == .timeout)
            }
            #expect(try await db.items == [])
            #expect(await db.comesToRest())
        }
    }

    @Test(arguments: DatabaseEngine.all)
    func aTransactionWhoseDeadlinePassesIsRolledBack(engine: DatabaseEngine) async throws {
        try await engine.withItems { (db) async throws in
            let failure = await thrown(Failure.self) {
                try await db.transaction { transaction in
                    try await transaction.insert(1, "a")
                    try await Deadline.$current.withValue(Self.past) { try await transaction.insert(2, "b") }
                }
            }
            #expect(failure?.code == "deadline_exceeded")
            #expect(try await db.items == [])
        }
    }

    /// Whoever's turn comes too late is not served, though nobody has cancelled it.
    @Test(arguments: DatabaseEngine.all)
    func whoWaitedBeyondItsDeadlineIsNotServed(engine: DatabaseEngine) async throws {
        try await engine.withItems { (db) async throws in
            try await db.whileOccupied { (end) async throws in
                let deadline = ContinuousClock.now + .seconds(2)
                let waiter = try await Deadline.$current.withValue(deadline) {
                    try await db.waiting { try await db.transaction { try await $0.insert(1, "a") } }
                }
                try await eventually { ContinuousClock.now > deadline }
                await end.open()
                let failure = await thrown(Failure.self) { try await waiter.value }
                #expect(failure?.code == "deadline_exceeded")
            }
            #expect(try await db.items == [])
            #expect(await db.comesToRest())
        }
    }

    @Test(arguments: DatabaseEngine.all)
    func workThatOutlivesItsRequestHasNoDeadline(engine: DatabaseEngine) async throws {
        try await engine.withItems { (db) async throws in
            let later = Deadline.$current.withValue(Self.past) { Deadline.without { Task { try await db.insert(1, "a") } } }
            try await later.value
            #expect(try await db.items == [1])
        }
    }
}
