import MartletStorage
import Testing

@testable import MartletPostgres

/// The server forgets what was prepared, or it no longer fits the schema. No caller sees it.
struct StalePlansTests {
    private struct Item: Codable, Sendable, Equatable {
        var id: Int
        var name: String
    }

    @Test(arguments: [PostgresSettings.unshared(1), .unshared(3), .small]) func aChangedTableIsReadOn(settings: PostgresSettings)
        async throws
    {
        try await UnderTest.run(settings) { test in
            let db = test.database
            try await db.insert(1)
            let changes: [SQL] = [
                "ALTER TABLE item ADD COLUMN note TEXT", "ALTER TABLE item ALTER COLUMN id TYPE INTEGER",
                "ALTER TABLE item DROP COLUMN note", "ALTER TABLE item ALTER COLUMN name TYPE VARCHAR(100)",
            ]
            for change in changes {
                try await readEverywhere(db)
                try await test.observer.change(change)
                try await readEverywhere(db)
                try await readEverywhere(db)
            }
            try await test.comesToRest()
        }
    }

    /// Alone, in company, in transactions of both kinds, and in a savepoint.
    private func readEverywhere(_ db: PostgresDatabase) async throws {
        let read: SQL = "SELECT * FROM item"
        let isRight: @Sendable ([Item]) -> Bool = { $0 == [Item(id: 1, name: "item 1")] }
        #expect(isRight(try await db.all(Item.self, read)))
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<20 {
                group.addTask {
                    let items = try await db.all(Item.self, read)
                    #expect(isRight(items))
                }
            }
            for isolation in Isolation.allCases {
                group.addTask {
                    let items = try await db.transaction(isolation: isolation) { try await $0.all(Item.self, read) }
                    #expect(isRight(items))
                    let inside = try await db.transaction(isolation: isolation) { tx in
                        try await tx.savepoint { try await $0.all(Item.self, read) }
                    }
                    #expect(isRight(inside))
                }
            }
            try await group.waitForAll()
        }
    }

    @Test(arguments: ["DEALLOCATE ALL", "DISCARD ALL"]) func whatTheServerForgotIsPreparedAgain(_ statement: String) async throws {
        try await UnderTest.run(.unshared(1)) { test in
            let db = test.database
            for id in 0..<5 {
                try await test.serves()
                try await db.insert(id)
                try await db.change("\(unsafeRaw: statement)")
                try await db.insert(10 + id)
                try await db.change("\(unsafeRaw: statement)")
                let count = try await db.transaction { try await $0.ids.count }
                #expect(count == 2 * (id + 1))
            }
            try await test.comesToRest()
        }
    }

    /// More statements than a connection keeps.
    @Test func theOldestPreparationsMakeRoom() async throws {
        try await UnderTest.run(.unshared(1)) { test in
            for _ in 0..<2 {
                for number in 0..<300 {
                    #expect(try await test.database.first(Int.self, "SELECT \(unsafeRaw: "\(number)")::BIGINT") == number)
                }
            }
            let kept = try await test.database.first(Int.self, "SELECT count(*) FROM pg_prepared_statements") ?? 0
            #expect((200...260).contains(kept))
        }
    }

    /// What the engine does not support is refused with its own words, however often it is tried.
    @Test func aStatementThatIsNotSupportedIsRefused() async throws {
        try await UnderTest.run { (test) async throws in
            let runs = Count()
            let statement: SQL = "SELECT DISTINCT id FROM item FOR UPDATE"
            await #expect(throws: SQLFailure.self) { try await test.database.change(statement) }
            await #expect(throws: SQLFailure.self) {
                try await test.database.transaction { tx in
                    runs.add()
                    try await tx.change(statement)
                }
            }
            #expect(runs.value == 1)
            try await test.serves()
        }
    }
}
