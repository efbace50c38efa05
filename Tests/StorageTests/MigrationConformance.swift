import Foundation
import MartletCore
import MartletStorage
import Testing

@Suite("DatabaseConformance: migrations")
struct DatabaseConformanceMigrations {
    private let first = Migration("test/0001-item", .same("CREATE TABLE item (id INTEGER PRIMARY KEY);"))
    private let second = Migration(
        "test/0002-name", .same("ALTER TABLE item ADD COLUMN name TEXT; INSERT INTO item (id, name) VALUES (1, 'one');"))
    private let failing = Migration("test/0003-wrong", .same("INSERT INTO item (id) VALUES (2); INSERT INTO nowhere VALUES (1);"))

    private func code(_ body: () async throws -> Void) async -> String? {
        await #expect(throws: Failure.self) { try await body() }?.code
    }

    @Test(arguments: DatabaseEngine.all)
    func migrationsRunOnceInOrder(engine: DatabaseEngine) async throws {
        try await engine.withDatabase { db in
            let migrator = Migrator(db, [first, second])
            #expect(try await migrator.plan().map(\.id) == [first.id, second.id])
            #expect(try await migrator.status().map(\.state) == [.pending, .pending])
            #expect(try await migrator.apply() == [first.id, second.id])
            #expect(try await migrator.apply() == [])
            #expect(try await migrator.plan().isEmpty)
            try await migrator.verify()
            #expect(try await db.first(String.self, "SELECT name FROM item") == "one")
        }
    }

    @Test(arguments: DatabaseEngine.all)
    func aDryRunChangesNothing(engine: DatabaseEngine) async throws {
        try await engine.withDatabase { db in
            _ = try await Migrator(db, [first]).plan()
            await #expect(throws: SQLFailure.self) { try await db.count("schema_migration") }
        }
    }

    @Test(arguments: DatabaseEngine.all)
    func aSchemaOlderThanTheProgramIsRefused(engine: DatabaseEngine) async throws {
        try await engine.withDatabase { db in
            #expect(await code { try await Migrator(db, [first]).verify() } == "schema_older")
            try await Migrator(db, [first]).apply()
            #expect(await code { try await Migrator(db, [first, second]).verify() } == "schema_older")
        }
    }

    @Test(arguments: DatabaseEngine.all)
    func aSchemaNewerThanTheProgramIsRefused(engine: DatabaseEngine) async throws {
        try await engine.withDatabase { db in
            try await Migrator(db, [first, second]).apply()
            let older = Migrator(db, [first])
            #expect(await code { try await older.verify() } == "schema_newer")
            #expect(await code { try await older.apply() } == "schema_newer")
            #expect(try await older.status().last?.state == .unknown)
        }
    }

    @Test(arguments: DatabaseEngine.all)
    func anEditedMigrationIsRefused(engine: DatabaseEngine) async throws {
        try await engine.withDatabase { db in
            try await Migrator(db, [first]).apply()
            let edited = Migrator(db, [Migration(first.id, .same("CREATE TABLE item (id INTEGER);")), second])
            #expect(await code { try await edited.verify() } == "schema_edited")
            #expect(await code { try await edited.apply() } == "schema_edited")
        }
    }

    @Test(arguments: DatabaseEngine.all)
    func aFailedMigrationLeavesNothingAndCanBeRepeated(engine: DatabaseEngine) async throws {
        try await engine.withDatabase { (db) async throws in
            await #expect(throws: SQLFailure.self) { try await Migrator(db, [first, second, failing]).apply() }
            #expect(try await db.all(Int.self, "SELECT id FROM item") == [1])
            #expect(try await Migrator(db, [first, second, failing]).status().map { $0.state == .pending } == [false, false, true])
            #expect(try await Migrator(db, [first, second]).apply() == [])
        }
    }

    @Test(arguments: DatabaseEngine.all)
    func twoMigratorsAtOnceRunEachMigrationOnce(engine: DatabaseEngine) async throws {
        try await engine.withDatabase { (db) async throws in
            async let one = Migrator(db, [first, second]).apply()
            async let other = Migrator(db, [first, second]).apply()
            #expect(try await (one + other).sorted() == [first.id, second.id])
        }
    }

    @Test(arguments: DatabaseEngine.all)
    func twoMigrationsOfOneNameAreRefused(engine: DatabaseEngine) async throws {
        try await engine.withDatabase { db in
            #expect(await code { try await Migrator(db, [first, first]).apply() } == "migration_duplicate")
        }
    }

    @Test func theChecksumIsTheScriptsSHA256() {
        #expect(Migration("a", .same("abc")).checksum(for: .sqlite) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        let each = Migration("a", sqlite: "abc", postgres: "abd")
        #expect(each.checksum(for: .sqlite) != each.checksum(for: .postgres))
    }
}
