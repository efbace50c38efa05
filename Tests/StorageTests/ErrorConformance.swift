import Foundation
import MartletCore
import MartletStorage
import Testing

@Suite("DatabaseConformance: errors")
struct DatabaseConformanceErrors {
    private func withTables(_ engine: DatabaseEngine, _ body: @Sendable (any Database) async throws -> Void) async throws {
        try await engine.withDatabase { db in
            try await db.run(
                """
                CREATE TABLE owner (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, age INTEGER CONSTRAINT of_age CHECK (age >= 18));
                CREATE TABLE pet (id INTEGER PRIMARY KEY, owner_id INTEGER REFERENCES owner (id) DEFERRABLE INITIALLY DEFERRED);
                CREATE TABLE toy (id INTEGER PRIMARY KEY, pet_id INTEGER NOT NULL REFERENCES pet (id));
                INSERT INTO owner (id, name, age) VALUES (1, 'Ada', 36);
                """)
            try await body(db)
        }
    }

    @Test(arguments: DatabaseEngine.all)
    func everyBrokenConstraintHasItsKind(engine: DatabaseEngine) async throws {
        try await withTables(engine) { (db) async throws in
            let cases: [(SQL, SQLFailure.Kind)] = [
                ("INSERT INTO owner (id, name) VALUES (2, \("Ada"))", .unique),
                ("INSERT INTO owner (id, name) VALUES (1, \("Bob"))", .unique),
                ("INSERT INTO owner (id, name) VALUES (2, \(nil))", .notNull),
                ("INSERT INTO owner (id, name, age) VALUES (2, 'B', \(17))", .check),
                ("INSERT INTO toy (id, pet_id) VALUES (1, \(99))", .foreignKey),
                ("INSERT INTO pet (id, owner_id) VALUES (1, \(99))", .foreignKey),
                ("INSERT INTO nowhere VALUES (\(1))", .statement), ("SELEKT \(1)", .statement),
            ]
            for (sql, kind) in cases {
                let failure = await #expect(throws: SQLFailure.self) { try await db.change(sql) }
                #expect(failure?.kind == kind)
                let inside = await #expect(throws: SQLFailure.self) { try await db.transaction { try await $0.change(sql) } }
                #expect(inside?.kind == kind)
            }
            #expect(try await db.count("owner") == 1)
        }
    }

    @Test(arguments: DatabaseEngine.all)
    func aFailureNamesTheConstraintButNoValue(engine: DatabaseEngine) async throws {
        try await withTables(engine) { db in
            let failure = try await #require(throws: SQLFailure.self) {
                try await db.change("INSERT INTO owner (id, name) VALUES (\(1), \("s3cret"))")
            }
            #expect(failure.subject?.contains("owner") == true)
            #expect(!"\(failure)".contains("s3cret"))
            #expect(failure.failure.kind == .conflict)
        }
    }

    @Test(arguments: DatabaseEngine.all)
    func aServiceAnswersAConflictItself(engine: DatabaseEngine) async throws {
        try await withTables(engine) { db in
            let answer: String = try await db.transaction { tx in
                try await tx.change("UPDATE owner SET age = 40")
                do {
                    _ = try await tx.savepoint { try await $0.change("INSERT INTO owner (id, name) VALUES (2, 'Ada')") }
                    return "saved"
                } catch let failure as SQLFailure where failure.kind == .unique {
                    return "known"
                }
            }
            #expect(answer == "known")
            #expect(try await db.all(Int.self, "SELECT age FROM owner") == [40])
        }
    }

    @Test(arguments: DatabaseEngine.all)
    func changeCountsTheRowsOfThisStatementAlone(engine: DatabaseEngine) async throws {
        try await withTables(engine) { (db) async throws in
            #expect(try await db.change("UPDATE owner SET age = age + 1") == 1)
            #expect(try await db.change("UPDATE owner SET age = 20 WHERE id = 99") == 0)
            #expect(try await db.first(Int.self, "INSERT INTO owner (id, name) VALUES (2, 'Bob') RETURNING id") == 2)
            #expect(try await db.all(Int.self, "UPDATE owner SET age = 50 RETURNING id").sorted() == [1, 2])
            #expect(try await db.change("DELETE FROM owner") == 2)
            let gone = Failure.notFound("owner_missing", "There is no such owner.")
            let missing = await #expect(throws: Failure.self) { try await db.change("DELETE FROM owner", else: gone) }
            #expect(missing?.code == "owner_missing")
            let none = await #expect(throws: Failure.self) { try await db.one(Int.self, "SELECT id FROM owner", else: gone) }
            #expect(none?.code == "owner_missing")
        }
    }

    @Test(arguments: DatabaseEngine.all)
    func aValueIsNeverReadAsSQL(engine: DatabaseEngine) async throws {
        try await withTables(engine) { (db) async throws in
            for hostile in [
                "' OR '1'='1", "Ada'; DROP TABLE owner; --", "\" OR 1=1", "?", "$1", "\\'; SELECT 1", "); DELETE FROM owner; --",
            ] {
                #expect(try await db.all(Int.self, "SELECT id FROM owner WHERE name = \(hostile)") == [])
                #expect(try await db.change("UPDATE owner SET name = \(hostile) WHERE id = 1") == 1)
                #expect(try await db.first(String.self, "SELECT name FROM owner") == hostile)
            }
            #expect(try await db.count("owner") == 1)
        }
    }

    @Test(arguments: DatabaseEngine.all)
    func oneCallRunsOneStatement(engine: DatabaseEngine) async throws {
        try await withTables(engine) { (db) async throws in
            await #expect(throws: (any Error).self) { try await db.change("UPDATE owner SET age = 40; DELETE FROM owner") }
            #expect(try await db.all(Int.self, "SELECT age FROM owner") == [36])
        }
    }

    @Test(arguments: DatabaseEngine.all)
    func aClosedDatabaseIsUnavailable(engine: DatabaseEngine) async throws {
        try await withTables(engine) { db in
            try await db.check()
            await db.close()
            await db.close()
            let calls: [@Sendable () async throws -> Void] = [
                { try await db.check() }, { try await db.change("DELETE FROM owner") }, { try await db.transaction { _ in } },
            ]
            for call in calls {
                let failure = await #expect(throws: Failure.self) { try await call() }
                #expect(failure?.kind == .unavailable)
            }
        }
    }
}
