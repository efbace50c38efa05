import MartletDataCopy
import MartletStorage
import Testing

@Suite("What a copy refuses")
struct WhatACopyRefuses {
    @Test(arguments: EnginePair.all)
    func aTargetWithRows(engines: EnginePair) async throws {
        try await engines.with(20) { source, target in
            try await target.change("INSERT INTO entry (note) VALUES ('mine')")
            #expect(await copy(source, target).result() == "target_not_empty")
            #expect(try await target.count("entry") == 1)
            #expect(try await target.count("owner") == 0)
            // Refused again: the first attempt has left nothing that looks like a copy begun.
            #expect(await copy(source, target).result() == "target_not_empty")
        }
    }

    @Test(arguments: EnginePair.all)
    func anUnfinishedCopyOfAnotherSource(engines: EnginePair) async throws {
        try await engines.with(500) { source, target in
            let dying = InterferedDatabase(target, onTransaction: { if $0 == 4 { throw Killed() } })
            await #expect(throws: Killed.self) { _ = try await copy(source, dying).run() }
            #expect(await copy(source, target, named: "another").result() == "target_of_another_copy")
        }
    }

    @Test func aRowThatIsNotAsDeclared() async throws {
        try await EnginePair(source: .sqlite, target: .sqlite).with(20) { source, target in
            try await source.change("UPDATE thing SET details = '{' WHERE id = (SELECT max(id) FROM thing)")
            #expect(await copy(source, target).result() == "row_unreadable")
            try await source.change("UPDATE thing SET details = NULL")
            let report = try await copy(source, target).run()
            #expect(report.isComplete)
        }
    }

    @Test(arguments: EnginePair.all)
    func aRowThatBreaksTheTargetsRules(engines: EnginePair) async throws {
        try await engines.with(20) { source, target in
            try await target.run(
                "DROP TABLE label; CREATE TABLE label (thing_id \(engines.target == .sqlite ? "TEXT" : "uuid"), word TEXT CHECK (word <> 'Z'), UNIQUE (thing_id, word))"
            )
            #expect(await copy(source, target).result() == "row_refused")
        }
    }

    @Test(arguments: CopyEngine.allCases)
    func aSchemaThatIsNotThePrograms(engine: CopyEngine) async throws {
        try await engine.withDatabase { source in
            try await engine.withDatabase { target in
                #expect(await copy(source, target).result() == "schema_older")
                try await Migrator(source, CopyTables.migrations).apply()
                #expect(await copy(source, target).result() == "schema_older")
                #expect(try await copy(source, target).run(migrating: true).isComplete)
                try await source.run("CREATE TABLE forgotten (id INTEGER)")
                #expect(await copy(source, target).result() == "tables_undeclared")
            }
        }
    }

    @Test(arguments: CopyEngine.allCases)
    func aTableOrColumnThatIsNotDeclared(engine: CopyEngine) async throws {
        try await engine.withDatabase { db in
            try await Migrator(db, CopyTables.migrations).apply()
            #expect(try await StoredTable.disagreements(with: CopyTables.all, db) == [])
            try await db.run("CREATE TABLE forgotten (id INTEGER)")
            try await db.run("ALTER TABLE owner ADD COLUMN extra TEXT")
            try await db.run("ALTER TABLE label RENAME COLUMN word TO words")
            #expect(
                try await Set(StoredTable.disagreements(with: CopyTables.all, db)) == [
                    "The table forgotten is not declared.", "The column owner.extra is not declared.",
                    "The column label.words is not declared.", "The column label.word is declared and does not exist.",
                ])
        }
    }

    @Test(arguments: CopyEngine.allCases)
    func aColumnOfAnotherType(engine: CopyEngine) async throws {
        try await engine.withDatabase { db in
            try await db.run("CREATE TABLE item (id INTEGER PRIMARY KEY)")
            let wrong = [StoredTable("item", key: ["id"], [.uuid("id")])]
            #expect(
                try await StoredTable.disagreements(with: wrong, db) == ["The column item.id is declared as uuid and is integer."])
        }
    }
}
