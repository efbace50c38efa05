import Foundation
import Logging
import MartletPostgres
import MartletSQLite
import MartletStorage
import MartletTestServers
import MartletTestSupport
import Synchronization
import Testing

/// An engine the conformance suites run over: adding one to ``all`` runs every `DatabaseConformance` test on it.
struct DatabaseEngine: Sendable, CustomTestStringConvertible {
    let name: String
    /// Gives `body` a database of its own, empty, and removes it afterwards.
    let withDatabase: @Sendable (_ body: @Sendable (any Database) async throws -> Void) async throws -> Void
    /// The same, opened twice, as by two processes.
    let withPair: @Sendable (_ body: @Sendable (any Database, any Database) async throws -> Void) async throws -> Void
    /// Whether two transactions may be under way at the same moment: their bodies can then wait for one another.
    var runsTransactionsTogether = true

    var testDescription: String { name }

    static let all: [DatabaseEngine] = [sqlite, postgres]

    static let sqlite = DatabaseEngine(
        name: "SQLite", withDatabase: { body in try await withSQLite { database, _ in try await body(database) } },
        withPair: { body in
            try await withSQLite { database, path in
                try await use(SQLiteDatabase(path: path, logger: .silent)) { try await body(database, $0) }
            }
        },
        runsTransactionsTogether: false)

    static let postgres = DatabaseEngine(
        name: "PostgreSQL", withDatabase: { body in try await withPostgresSchema { try await use(postgres($0), body) } },
        withPair: { body in
            try await withPostgresSchema { url in
                try await use(postgres(url)) { first in try await use(postgres(url)) { try await body(first, $0) } }
            }
        })

    private static func postgres(_ url: String) throws -> PostgresDatabase {
        try PostgresDatabase(url: url, settings: PostgresSettings(poolSize: 4, maxOverflow: 2), logger: .silent)
    }

    private static func use(_ database: any Database, _ body: (any Database) async throws -> Void) async throws {
        let outcome = await Result { try await body(database) }
        await database.close()
        try outcome.get()
    }

    /// A database with a table `item (id, name)` whose names are unique and not empty.
    func withItems(_ body: @Sendable (any Database) async throws -> Void) async throws {
        try await withDatabase { db in
            try await db.run("CREATE TABLE item (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE CHECK (name <> ''))")
            try await body(db)
        }
    }
}

/// Gives `body` a new SQLite database and its path, and removes the file afterwards.
func withSQLite(
    _ settings: SQLiteSettings = SQLiteSettings(), logger: Logger = .silent,
    _ body: @Sendable (SQLiteDatabase, String) async throws -> Void
) async throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("martlet-storage-\(UUID())")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let path = folder.appendingPathComponent("test.sqlite").path
    let database = try SQLiteDatabase(path: path, settings: settings, logger: logger)
    let outcome: Result<Void, any Error>
    do { outcome = .success(try await body(database, path)) } catch { outcome = .failure(error) }
    await database.close()
    try FileManager.default.removeItem(at: folder)
    try outcome.get()
}

/// The error that a call throws, for calls with expectations of their own inside, which the macro cannot hold.
func thrown<Failure: Error>(
    _ type: Failure.Type, at location: SourceLocation = #_sourceLocation, by call: () async throws -> Void
) async -> Failure? {
    await #expect(throws: type, sourceLocation: location) { try await call() }
}

extension Database {
    /// Runs one statement that the dialects write differently.
    func run(sql: SQL) async throws {
        try await run(try sql.text(for: dialect))
    }

    func run(_ script: String) async throws {
        try await schemaTransaction { try await $0.run(script: script) }
    }

    func count(_ table: String) async throws -> Int? {
        try await first(Int.self, "SELECT count(*) FROM \(unsafeRaw: table)")
    }
}

extension Queries {
    func insert(_ id: Int, _ name: String) async throws {
        try await change("INSERT INTO item (id, name) VALUES (\(id), \(name))")
    }

    var items: [Int] {
        get async throws { try await all(Int.self, "SELECT id FROM item ORDER BY id") }
    }
}

extension Database {
    /// Whether every connection becomes free: the last caller may have its answer a moment before.
    func comesToRest() async -> Bool {
        do {
            try await eventually { load.inUse == 0 && load.waiting == 0 }
            return true
        } catch {
            return false
        }
    }

    /// Starts a task and returns when its call has had to wait.
    func waiting<Result: Sendable>(_ call: @escaping @Sendable () async throws -> Result) async throws -> Task<Result, any Error> {
        let before = load.waited
        let task = Task { try await call() }
        try await eventually { load.waited > before }
        return task
    }

    /// Runs `body` while transactions that do nothing leave no connection for another one. Opening the gate ends one of them.
    func whileOccupied<Result: Sendable>(_ body: @Sendable (Gate) async throws -> Result) async throws -> Result {
        let before = load.waited
        var holders: [HeldTransaction] = []
        while load.waited == before {
            let holder = HeldTransaction(self)
            holders.append(holder)
            try await eventually { holder.hasBegun || load.waited > before }
        }
        // The one too many leaves the queue.
        let last = holders.removeLast()
        last.task.cancel()
        await #expect(throws: CancellationError.self) { try await last.task.value }
        let outcome: Swift.Result<Result, any Error>
        do { outcome = .success(try await body(holders[0].end)) } catch { outcome = .failure(error) }
        for holder in holders {
            await holder.end.open()
            try await holder.task.value
        }
        return try outcome.get()
    }
}

/// A transaction that does nothing until its gate opens.
private struct HeldTransaction {
    let end: Gate
    let task: Task<Void, any Error>
    private let flag: Flag

    private final class Flag: Sendable {
        let isSet = Atomic(false)
    }

    init(_ database: any Database) {
        let (end, flag) = (Gate(), Flag())
        (self.end, self.flag) = (end, flag)
        task = Task {
            try await database.transaction { _ in
                flag.isSet.store(true, ordering: .releasing)
                await end.wait()
            }
        }
    }

    var hasBegun: Bool { flag.isSet.load(ordering: .acquiring) }
}
