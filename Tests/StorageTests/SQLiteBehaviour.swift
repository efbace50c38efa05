import Foundation
import Logging
import MartletCore
import MartletSQLite
import MartletStorage
import MartletTestSupport
import Synchronization
import Testing

@Suite("SQLite")
struct SQLiteBehaviour {
    private let endless: SQL = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"

    @Test func writersWhoWaitTogetherShareACommit() async throws {
        try await withSQLite { db, path in
            try await db.run("CREATE TABLE item (id INTEGER PRIMARY KEY)")
            _ = try await db.transaction { try await $0.first(Int.self, "PRAGMA wal_autocheckpoint = 0") }
            let before = try commits(in: path)
            let (begun, done) = (Gate(), Gate())
            let holder = Task {
                try await db.transaction { _ in
                    await begun.open(); await done.wait()
                }
            }
            await begun.wait()
            let writers = (0..<200).map { id in Task { try await db.change("INSERT INTO item (id) VALUES (\(id))") } }
            try await eventually { db.waitingWrites >= 200 }
            await done.open()
            try await holder.value
            for writer in writers { _ = try await writer.value }
            #expect(try await db.count("item") == 200)
            // Four groups of at most 64, more on a machine so slow that a group's time runs out.
            #expect(try commits(in: path) - before <= 40)
        }
    }

    /// How many commits the write-ahead log holds: each ends with a frame that says the size of the database (SQLite file format §4.1).
    private func commits(in path: String) throws -> Int {
        let log = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path + "-wal")))
        guard log.count > 32 else { return 0 }
        let pageSize = log[8..<12].reduce(0) { $0 << 8 | Int($1) }
        return stride(from: 32, to: log.count - 24, by: pageSize + 24).count { frame in
            log[frame + 4..<frame + 8].contains { $0 != 0 } && log[frame + 8..<frame + 16].elementsEqual(log[16..<24])
        }
    }

    @Test func aCancelledLongReadStopsAndTheReaderServesOn() async throws {
        try await withSQLite(SQLiteSettings(readers: 2)) { (db, _) async throws in
            for _ in 0..<4 {
                let read = Task { try await db.first(Int.self, endless) }
                await Task.yield()
                read.cancel()
                await #expect(throws: CancellationError.self) { _ = try await read.value }
            }
            #expect(try await db.first(Int.self, "SELECT 1") == 1)
        }
    }

    @Test func longReadsDoNotStopShortOnes() async throws {
        try await withSQLite(SQLiteSettings(readers: 2)) { (db, _) async throws in
            let reads = (0..<4).map { _ in Task { try await db.first(Int.self, endless) } }
            for number in 0..<1000 { #expect(try await db.first(Int.self, "SELECT \(number)") == number) }
            for read in reads { read.cancel() }
            for read in reads { await #expect(throws: CancellationError.self) { _ = try await read.value } }
        }
    }

    @Test func aBodyThatHangsLosesTheWriter() async throws {
        try await withSQLite(SQLiteSettings(transactionTimeout: .milliseconds(50))) { db, _ in
            try await db.run("CREATE TABLE item (id INTEGER PRIMARY KEY)")
            let (begun, done) = (Gate(), Gate())
            let hanging = Task {
                try await db.transaction { tx in
                    try await tx.change("INSERT INTO item (id) VALUES (1)")
                    await begun.open()
                    await done.wait()
                    try await tx.change("INSERT INTO item (id) VALUES (2)")
                }
            }
            await begun.wait()
            try await db.change("INSERT INTO item (id) VALUES (3)")
            await done.open()
            let failure = await #expect(throws: Failure.self) { try await hanging.value }
            #expect(failure?.code == "transaction_timeout")
            #expect(try await db.all(Int.self, "SELECT id FROM item") == [3])
        }
    }

    @Test func aStatementThatHoldsTheWriterTooLongIsStopped() async throws {
        try await withSQLite(SQLiteSettings(transactionTimeout: .milliseconds(50))) { db, _ in
            let failure = await #expect(throws: Failure.self) { try await db.transaction { _ = try await $0.first(Int.self, endless) } }
            #expect(failure?.code == "transaction_timeout")
            try await db.run("CREATE TABLE item (id INTEGER PRIMARY KEY)")
        }
    }

    @Test func aFullDiskIsUnavailableAndRecovers() async throws {
        try await withSQLite { db, _ in
            try await db.run("CREATE TABLE item (id INTEGER PRIMARY KEY, data BLOB)")
            _ = try await db.transaction { try await $0.first(Int.self, "PRAGMA max_page_count = 20") }
            let data = [UInt8](repeating: 7, count: 200_000)
            let failure = await #expect(throws: Failure.self) { try await db.change("INSERT INTO item (id, data) VALUES (1, \(data))") }
            #expect(failure?.kind == .unavailable && (failure?.cause as? SQLFailure)?.kind == .full)
            let inside = await #expect(throws: Failure.self) {
                try await db.transaction { try await $0.change("INSERT INTO item (id, data) VALUES (1, \(data))") }
            }
            #expect(inside?.kind == .unavailable)
            let swallowed = await thrown(Failure.self) {
                try await db.transaction { (tx) async throws in
                    try await tx.change("INSERT INTO item (id, data) VALUES (4, NULL)")
                    await #expect(throws: Failure.self) {
                        try await tx.savepoint { try await $0.change("INSERT INTO item (id, data) VALUES (1, \(data))") }
                    }
                    // SQLite has ended the transaction: what follows must not be committed by itself.
                    let later = await #expect(throws: Failure.self) { try await tx.change("INSERT INTO item (id, data) VALUES (5, NULL)") }
                    #expect(later?.code == "transaction_failed")
                }
            }
            #expect((swallowed?.cause as? SQLFailure)?.kind == .full)
            try await db.change("INSERT INTO item (id, data) VALUES (2, NULL)")
            _ = try await db.transaction { try await $0.first(Int.self, "PRAGMA max_page_count = 100000") }
            try await db.change("INSERT INTO item (id, data) VALUES (3, \(data))")
            #expect(try await db.all(Int.self, "SELECT id FROM item") == [2, 3])
        }
    }

    @Test func anotherProcessHoldingTheLockIsUnavailableAndRecovers() async throws {
        try await withSQLite(SQLiteSettings(busyTimeout: .milliseconds(20))) { db, path in
            try await db.run("CREATE TABLE item (id INTEGER PRIMARY KEY)")
            let other = try SQLiteDatabase(path: path, logger: .silent)
            try await other.transaction { _ in
                let failure = await #expect(throws: Failure.self) { try await db.change("INSERT INTO item (id) VALUES (1)") }
                #expect(failure?.kind == .unavailable && (failure?.cause as? SQLFailure)?.kind == .busy)
            }
            try await db.change("INSERT INTO item (id) VALUES (1)")
            #expect(try await other.count("item") == 1)
            await other.close()
        }
    }

    @Test func twoProcessesMigrateEachMigrationOnce() async throws {
        try await withSQLite { db, path in
            let other = try SQLiteDatabase(path: path, logger: .silent)
            let migrations = (1...8).map { Migration("test/000\($0)", .same("CREATE TABLE t\($0) (id INTEGER)")) }
            async let ours = Migrator(db, migrations).apply()
            async let theirs = Migrator(other, migrations).apply()
            #expect(try await (ours + theirs).sorted() == migrations.map(\.id))
            await other.close()
        }
    }

    @Test func aScriptCannotEndItsTransaction() async throws {
        try await withSQLite { db, _ in
            await #expect(throws: (any Error).self) { try await db.run("CREATE TABLE a (id INTEGER); COMMIT; CREATE TABLE b (id INTEGER)") }
            try await db.run("CREATE TABLE c (id INTEGER)")
            #expect(try await db.count("c") == 0)
        }
    }

    @Test func aMigrationThatBreaksReferencesIsUndoneAndForeignKeysStayOn() async throws {
        try await withSQLite { db, _ in
            try await db.run("CREATE TABLE a (id INTEGER PRIMARY KEY); CREATE TABLE b (a INTEGER REFERENCES a (id))")
            try await db.run("INSERT INTO a VALUES (1); INSERT INTO b VALUES (1)")
            let failure = await #expect(throws: SQLFailure.self) { try await db.run("DELETE FROM a") }
            #expect(failure?.kind == .foreignKey)
            await #expect(throws: SQLFailure.self) { try await db.change("DELETE FROM a") }
            #expect(try await db.count("a") == 1)
        }
    }

    @Test func aBrokenReferenceFailsAloneInItsGroup() async throws {
        try await withSQLite { db, _ in
            try await db.run("CREATE TABLE a (id INTEGER PRIMARY KEY, next INTEGER REFERENCES a (id) DEFERRABLE INITIALLY DEFERRED)")
            let (begun, done) = (Gate(), Gate())
            let holder = Task {
                try await db.transaction { _ in
                    await begun.open(); await done.wait()
                }
            }
            await begun.wait()
            let writers = (1...6).map { id in Task { try await db.change("INSERT INTO a (id, next) VALUES (\(id), \(id == 3 ? 99 : id))") }
            }
            try await eventually { db.waitingWrites >= 6 }
            await done.open()
            try await holder.value
            for (id, writer) in zip(1..., writers) {
                if id == 3 { await #expect(throws: SQLFailure.self) { try await writer.value } } else { _ = try await writer.value }
            }
            #expect(try await db.all(Int.self, "SELECT id FROM a ORDER BY id") == [1, 2, 4, 5, 6])
        }
    }

    @Test func commitsWaitForTheDiskUnlessToldOtherwise() async throws {
        for (setting, level) in [(SQLiteSettings.Synchronous.full, 2), (.normal, 1)] {
            try await withSQLite(SQLiteSettings(synchronous: setting)) { (db, _) async throws in
                #expect(try await db.transaction { try await $0.first(Int.self, "PRAGMA synchronous") } == level)
                #expect(try await db.first(String.self, "PRAGMA journal_mode") == "wal")
                #expect(try await db.transaction { try await $0.first(Int.self, "PRAGMA foreign_keys") } == 1)
            }
        }
    }

    @Test func tooManyWaitingWritesAreRefusedAtOnce() async throws {
        try await withSQLite(SQLiteSettings(waitingWrites: 1)) { db, _ in
            try await db.run("CREATE TABLE item (id INTEGER PRIMARY KEY)")
            let (begun, done) = (Gate(), Gate())
            let holder = Task {
                try await db.transaction { _ in
                    await begun.open(); await done.wait()
                }
            }
            await begun.wait()
            let waiting = Task { try await db.change("INSERT INTO item (id) VALUES (1)") }
            try await eventually { db.waitingWrites >= 1 }
            let failure = await #expect(throws: Failure.self) { try await db.change("INSERT INTO item (id) VALUES (2)") }
            #expect(failure?.code == "database_busy" && db.load.refused == 1)
            await done.open()
            try await holder.value
            #expect(try await waiting.value == 1)
        }
    }

    @Test func aCancelledChangeLeavesTheQueue() async throws {
        try await withSQLite { db, _ in
            try await db.run("CREATE TABLE item (id INTEGER PRIMARY KEY)")
            try await db.whileOccupied { (_) async throws in
                let change = try await db.waiting { try await db.change("INSERT INTO item (id) VALUES (1)") }
                change.cancel()
                await #expect(throws: CancellationError.self) { _ = try await change.value }
            }
            #expect(try await db.count("item") == 0)
        }
    }

    @Test func theLoadCountsReadersWaitersAndExports() async throws {
        try await withSQLite(SQLiteSettings(readers: 2, waitingWrites: 1)) { (db, _) async throws in
            #expect(await db.comesToRest())
            #expect(db.load.connections == 1)
            let reads = (0..<2).map { _ in Task { try await db.first(Int.self, endless) } }
            // Of two connections one at most serves long reads.
            try await eventually { db.load.waiting >= 1 }
            #expect(db.load.waited == 1 && db.load.inUse >= 1)
            for read in reads { read.cancel() }
            for read in reads { await #expect(throws: CancellationError.self) { _ = try await read.value } }
            #expect(await db.comesToRest())
            #expect(db.load.waitedTime > .zero && db.load.refused == 0)
            let idle = db.load.connections
            try await db.batches(of: 1, Int.self, "SELECT 1") { _ in #expect(db.load.connections == idle + 1 && db.load.inUse == 1) }
            #expect(db.load.connections == idle && db.load.inUse == 0)
        }
    }

    @Test func aFileThatIsNoDatabaseIsUnavailable() async throws {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("martlet-\(UUID()).sqlite").path
        try Data(repeating: 65, count: 4096).write(to: URL(fileURLWithPath: path))
        for path in [path, "/nonexistent/folder/file.sqlite"] {
            let failure = #expect(throws: Failure.self) { _ = try SQLiteDatabase(path: path, logger: .silent) }
            #expect(failure?.kind == .unavailable)
        }
        try FileManager.default.removeItem(atPath: path)
    }

    @Test func slowStatementsAreLoggedWithoutValues() async throws {
        let recorder = LogRecorder()
        try await withSQLite(SQLiteSettings(slowStatement: .zero), logger: recorder.logger) { db, _ in
            try await db.run("CREATE TABLE item (name TEXT)")
            try await CurrentRequest.$id.withValue("request-7") {
                try await db.change("INSERT INTO item (name) VALUES (\("s3cret"))")
                _ = try await db.first(String.self, "SELECT name FROM item WHERE name = \("s3cret")")
            }
        }
        let lines = recorder.lines.filter { $0.metadata["request_id"] == "request-7" }
        #expect(lines.map { $0.metadata["sql"] } == ["INSERT INTO item (name) VALUES (?)", "SELECT name FROM item WHERE name = ?"])
        #expect(lines.allSatisfy { $0.level == .warning && Int($0.metadata["milliseconds"] ?? "") != nil })
        #expect(!recorder.lines.contains { "\($0)".contains("s3cret") })
    }

    @Test func quickStatementsAreNotLogged() async throws {
        let recorder = LogRecorder()
        try await withSQLite(SQLiteSettings(slowStatement: .seconds(60)), logger: recorder.logger) { db, _ in
            _ = try await db.first(Int.self, "SELECT 1")
        }
        #expect(recorder.lines.isEmpty)
    }
}
