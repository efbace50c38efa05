import MartletCore
import MartletStorage
import MartletTestSupport
import Testing

@Suite("DatabaseConformance: cancellation")
struct DatabaseConformanceCancellation {
    /// A statement that would run for minutes.
    private static let slow: SQL = """
        WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000000000) SELECT count(*) FROM n
        """

    @Test(arguments: DatabaseEngine.all)
    func aCancelledBodyIsRolledBack(engine: DatabaseEngine) async throws {
        try await engine.withItems { (db) async throws in
            let (wrote, cancelled) = (Gate(), Gate())
            let task = Task {
                try await db.transaction { tx in
                    try await tx.change("INSERT INTO item (id, name) VALUES (1, 'a')")
                    await wrote.open()
                    await cancelled.wait()
                }
            }
            await wrote.wait()
            task.cancel()
            await cancelled.open()
            await #expect(throws: CancellationError.self) { try await task.value }
            #expect(try await db.count("item") == 0)
        }
    }

    @Test(arguments: DatabaseEngine.all)
    func cancelledWaitersLeaveTheQueue(engine: DatabaseEngine) async throws {
        try await engine.withItems { db in
            // All return while the others still have their connections.
            try await db.whileOccupied { (_) async throws in
                for id in 0..<10 {
                    let waiter = try await db.waiting { try await db.transaction { try await $0.insert(id, "item \(id)") } }
                    #expect(db.load.waiting == 1)
                    waiter.cancel()
                    await #expect(throws: CancellationError.self) { try await waiter.value }
                    #expect(db.load.waiting == 0)
                }
            }
            #expect(try await db.items == [])
            #expect(await db.comesToRest())
        }
    }

    @Test(arguments: DatabaseEngine.all)
    func oneThatLeavesDoesNotHoldUpWhoCameLater(engine: DatabaseEngine) async throws {
        try await engine.withItems { db in
            try await db.whileOccupied { (end) async throws in
                let early = try await db.waiting { try await db.transaction { try await $0.insert(1, "a") } }
                let late = try await db.waiting { try await db.transaction { try await $0.insert(2, "b") } }
                early.cancel()
                await #expect(throws: CancellationError.self) { try await early.value }
                await end.open()
                try await late.value
            }
            #expect(try await db.items == [2])
        }
    }

    @Test(arguments: DatabaseEngine.all)
    func aCancelledStatementStopsAndItsConnectionServesOn(engine: DatabaseEngine) async throws {
        try await engine.withItems { (db) async throws in
            for yields in 0..<8 {
                let read = Task { try await db.first(Int.self, Self.slow) }
                try await eventually { db.load.inUse > 0 }
                for _ in 0..<yields { await Task.yield() }
                read.cancel()
                await #expect(throws: CancellationError.self) { _ = try await read.value }
                try await db.insert(yields, "item \(yields)")
            }
            #expect(try await db.items == Array(0..<8))
            #expect(await db.comesToRest())
        }
    }

    @Test(arguments: DatabaseEngine.all)
    func aCancelledStatementInATransactionEndsIt(engine: DatabaseEngine) async throws {
        try await engine.withItems { (db) async throws in
            let runs = Gate()
            let task = Task {
                try await db.transaction { tx in
                    try await tx.insert(1, "a")
                    await runs.open()
                    // Swallowed: the transaction must not be kept all the same.
                    do { _ = try await tx.first(Int.self, Self.slow) } catch {}
                }
            }
            await runs.wait()
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
            #expect(try await db.items == [])
            #expect(await db.comesToRest())
        }
    }

    @Test(arguments: DatabaseEngine.all)
    func aCallOfACancelledTaskDoesNothing(engine: DatabaseEngine) async throws {
        try await engine.withItems { (db) async throws in
            let cancelled = Gate()
            let task = Task {
                await cancelled.wait()
                await #expect(throws: CancellationError.self) { _ = try await db.items }
                await #expect(throws: CancellationError.self) { try await db.insert(1, "a") }
                await #expect(throws: CancellationError.self) { try await db.transaction { try await $0.insert(2, "b") } }
            }
            task.cancel()
            await cancelled.open()
            await task.value
            #expect(try await db.items == [])
        }
    }

    @Test(arguments: DatabaseEngine.all)
    func aThousandCancelledCallsLeaveNothingBehind(engine: DatabaseEngine) async throws {
        try await engine.withItems { db in
            let kept = await withTaskGroup(of: Int?.self) { group in
                for id in 0..<1_000 {
                    group.addTask {
                        let call = Task { try await Self.call(db, id) }
                        for _ in 0..<id % 7 { await Task.yield() }
                        call.cancel()
                        do {
                            try await call.value
                            return id
                        } catch {
                            #expect(error is CancellationError)
                            return nil
                        }
                    }
                }
                return await group.reduce(into: Set<Int>()) { kept, id in if let id { kept.insert(id) } }
            }
            #expect(await db.comesToRest())
            // Whoever was answered finds what it wrote.
            let items = Set(try await db.items)
            #expect(kept.filter { $0 % 4 < 2 }.isSubset(of: items))
            try await db.transaction { try await $0.insert(1_000, "afterwards") }
            #expect(try await db.first(String.self, "SELECT name FROM item WHERE id = 1000") == "afterwards")
            #expect(await db.comesToRest())
        }
    }

    private static func call(_ db: any Database, _ id: Int) async throws {
        switch id % 4 {
        case 0: try await db.insert(id, "item \(id)")
        case 1:
            try await db.transaction { tx in
                try await tx.insert(id, "item \(id)")
                try await tx.savepoint { _ = try await $0.items }
            }
        case 2: _ = try await db.items
        default: _ = try await db.first(Int.self, Self.slow)
        }
    }
}
