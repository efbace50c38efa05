import Foundation
import MartletCore
import MartletStorage
import Synchronization
import Testing

@Suite("DatabaseConformance: transactions")
struct DatabaseConformanceTransactions {
    struct Stop: Error {}

    /// A database with a table `item (id, name)` whose names are unique.
    private func withItems(_ engine: DatabaseEngine, _ body: @Sendable (any Database) async throws -> Void) async throws {
        try await engine.withDatabase { db in
            try await db.run("CREATE TABLE item (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE CHECK (name <> ''))")
            try await body(db)
        }
    }

    @Test(arguments: DatabaseEngine.all)
    func whatABodyWroteIsThereAfterwards(engine: DatabaseEngine) async throws {
        try await withItems(engine) { db in
            let seen = try await db.transaction { tx in
                try await tx.change("INSERT INTO item (id, name) VALUES (1, 'a')")
                return try await tx.first(String.self, "SELECT name FROM item WHERE id = 1")
            }
            #expect(seen == "a")
            #expect(try await db.count("item") == 1)
        }
    }

    @Test(arguments: DatabaseEngine.all)
    func aBodyThatThrowsLeavesNothing(engine: DatabaseEngine) async throws {
        try await withItems(engine) { (db) async throws in
            await #expect(throws: Stop.self) {
                try await db.transaction { tx in
                    try await tx.change("INSERT INTO item (id, name) VALUES (1, 'a')")
                    throw Stop()
                }
            }
            #expect(try await db.count("item") == 0)
        }
    }

    @Test(arguments: DatabaseEngine.all)
    func aTransactionInsideATransactionIsAClearError(engine: DatabaseEngine) async throws {
        try await withItems(engine) { db in
            try await db.transaction { tx in
                let nested = await #expect(throws: Failure.self) { try await db.transaction { _ in } }
                #expect(nested?.code == "nested_transaction")
                let beside = await #expect(throws: Failure.self) { try await db.change("INSERT INTO item (id, name) VALUES (1, 'a')") }
                #expect(beside?.code == "nested_transaction")
                try await tx.change("INSERT INTO item (id, name) VALUES (2, 'b')")
            }
            #expect(try await db.all(Int.self, "SELECT id FROM item") == [2])
        }
    }

    @Test(arguments: DatabaseEngine.all)
    func aTransactionUsedAfterItsBodyIsAClearError(engine: DatabaseEngine) async throws {
        try await withItems(engine) { db in
            let escaped = try await db.transaction { $0 }
            let failure = await #expect(throws: Failure.self) { try await escaped.change("INSERT INTO item (id, name) VALUES (1, 'a')") }
            #expect(failure?.code == "transaction_ended")
            try await db.transaction { _ in
                _ = await #expect(throws: Failure.self) { try await escaped.count() }
            }
            #expect(try await db.count("item") == 0)
        }
    }

    @Test(arguments: DatabaseEngine.all)
    func othersSeeOnlyWhatIsCommitted(engine: DatabaseEngine) async throws {
        try await withItems(engine) { db in
            try await db.transaction { tx in
                try await tx.change("INSERT INTO item (id, name) VALUES (1, 'a')")
                #expect(try await db.count("item") == 0)
                #expect(try await tx.count() == 1)
            }
            #expect(try await db.count("item") == 1)
        }
    }

    @Test(arguments: DatabaseEngine.all)
    func twoHundredWritersAtOnceAllFindTheirRows(engine: DatabaseEngine) async throws {
        try await withItems(engine) { db in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for id in 0..<200 {
                    group.addTask {
                        if id % 2 == 0 {
                            try await db.change("INSERT INTO item (id, name) VALUES (\(id), \("item \(id)"))")
                        } else {
                            try await db.transaction { tx in
                                try await tx.change("INSERT INTO item (id, name) VALUES (\(id), 'first')")
                                let name = "item \(id)"
                                try await tx.change("UPDATE item SET name = \(name) WHERE id = \(id)", else: .notFound("gone", "Gone."))
                            }
                        }
                        #expect(try await db.first(String.self, "SELECT name FROM item WHERE id = \(id)") == "item \(id)")
                    }
                }
                try await group.waitForAll()
            }
            #expect(try await db.count("item") == 200)
        }
    }

    @Test(arguments: DatabaseEngine.all)
    func oneThatFailsAmongManyIsUndoneAlone(engine: DatabaseEngine) async throws {
        try await withItems(engine) { (db) async throws in
            let failed = await withTaskGroup(of: Bool.self) { group in
                for id in 0..<100 {
                    group.addTask {
                        do {
                            try await db.transaction { tx in
                                try await tx.change("INSERT INTO item (id, name) VALUES (\(id), \("item \(id)"))")
                                if id % 10 == 0 { throw Stop() }
                            }
                            return false
                        } catch { return error is Stop }
                    }
                }
                return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
            }
            #expect(failed == 10)
            #expect(try await db.first(Int.self, "SELECT count(*) FROM item WHERE id % 10 <> 0") == 90)
            #expect(try await db.count("item") == 90)
        }
    }

    @Test(arguments: DatabaseEngine.all)
    func incrementsAreNotLost(engine: DatabaseEngine) async throws {
        try await withItems(engine) { db in
            try await db.change("INSERT INTO item (id, name) VALUES (0, '0')")
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<100 {
                    group.addTask {
                        try await db.transaction { tx in
                            let name = try await tx.one(String.self, "SELECT name FROM item WHERE id = 0", else: .notFound("gone", "Gone."))
                            await Task.yield()
                            try await tx.change("UPDATE item SET name = \(String((Int(name) ?? 0) + 1)) WHERE id = 0")
                        }
                    }
                }
                try await group.waitForAll()
            }
            #expect(try await db.first(String.self, "SELECT name FROM item") == "100")
        }
    }

    @Test(arguments: DatabaseEngine.all)
    func aCancelledBodyIsRolledBack(engine: DatabaseEngine) async throws {
        try await withItems(engine) { (db) async throws in
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
        try await withItems(engine) { db in
            let (begun, done) = (Gate(), Gate())
            let holder = Task {
                try await db.transaction { _ in
                    await begun.open()
                    await done.wait()
                }
            }
            await begun.wait()
            let change = Task { try await db.change("INSERT INTO item (id, name) VALUES (1, 'a')") }
            let transaction = Task { try await db.transaction { try await $0.change("INSERT INTO item (id, name) VALUES (2, 'b')") } }
            change.cancel()
            transaction.cancel()
            // Both return while the holder still has its turn.
            await #expect(throws: CancellationError.self) { _ = try await change.value }
            await #expect(throws: CancellationError.self) { _ = try await transaction.value }
            await done.open()
            try await holder.value
            #expect(try await db.count("item") == 0)
        }
    }

    @Test(arguments: DatabaseEngine.all)
    func aResultLargerThanABatchIsReadFromOneSnapshot(engine: DatabaseEngine) async throws {
        try await withItems(engine) { db in
            try await db.transaction { tx in
                for id in 0..<25 { try await tx.change("INSERT INTO item (id, name) VALUES (\(id), \("\(id)"))") }
            }
            let read = Mutex<[[Int]]>([])
            try await db.batches(of: 10, Int.self, "SELECT id FROM item WHERE id < \(100) ORDER BY id") { batch in
                read.withLock { $0.append(batch) }
                try await db.change("DELETE FROM item WHERE id > 5")
            }
            #expect(read.withLock { $0 } == [Array(0..<10), Array(10..<20), Array(20..<25)])
            #expect(try await db.count("item") == 6)
        }
    }
}

extension Queries {
    fileprivate func count() async throws -> Int? { try await first(Int.self, "SELECT count(*) FROM item") }
}
