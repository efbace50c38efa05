import Foundation
import MartletCore
import MartletStorage
import Synchronization
import Testing

@Suite("DatabaseConformance: transactions")
struct DatabaseConformanceTransactions {
    struct Stop: Error {}

    @Test(arguments: DatabaseEngine.all)
    func whatABodyWroteIsThereAfterwards(engine: DatabaseEngine) async throws {
        try await engine.withItems { db in
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
        try await engine.withItems { (db) async throws in
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
        try await engine.withItems { db in
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
        try await engine.withItems { db in
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
        try await engine.withItems { db in
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
        try await engine.withItems { db in
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
        try await engine.withItems { (db) async throws in
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
    func aLargeTransactionIsKeptWhole(engine: DatabaseEngine) async throws {
        try await engine.withItems { db in
            try await db.transaction { tx in
                for id in 0..<500 { try await tx.insert(id, "item \(id)") }
            }
            #expect(try await db.items == Array(0..<500))
        }
    }

    @Test(arguments: DatabaseEngine.all)
    func aResultLargerThanABatchIsReadFromOneSnapshot(engine: DatabaseEngine) async throws {
        try await engine.withItems { db in
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
