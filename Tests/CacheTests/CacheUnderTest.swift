import Foundation
import Logging
import MartletPostgres
import MartletSQLite
import MartletStorage
import MartletTestServers
import MartletTestSupport
import Synchronization
import Testing

@testable import MartletCache

/// A clock that stands still until it is moved.
final class StandingClock: Sendable {
    private let moment = Mutex(ContinuousClock.now)

    var clock: CacheClock { CacheClock { self.moment.withLock { $0 } } }

    func move(by duration: Duration) { moment.withLock { $0 += duration } }
}

/// How often something happened.
final class Tally: Sendable {
    private let count = Atomic(0)

    var value: Int { count.load(ordering: .acquiring) }

    @discardableResult
    func next() -> Int { count.add(1, ordering: .acquiringAndReleasing).newValue }
}

struct Product: Codable, Sendable, Equatable {
    var id: Int
    var name: String
}

/// One process: a cache on a database of its own, and a tail that runs.
struct Instance: Sendable {
    let database: any Database
    let cache: Cache
    let running: Task<Void, Never>

    init(_ database: any Database, shared: (any SharedTier)? = nil, settings: Cache.Settings = Cache.Settings()) async {
        let tail = OutboxTail(database, pollEvery: .milliseconds(50), logger: .silent)
        self.database = database
        cache = Cache(memory: MemoryTier(bytes: 8 << 20), shared: shared, tail: tail, settings: settings, logger: .silent)
        running = Task { await tail.run() }
        await tail.hasBegun()
    }

    func stop() async {
        running.cancel()
        await running.value
        await database.close()
    }
}

/// What two processes have in common: a database, with an outbox and a table `item (id, version)`.
struct CommonDatabase: Sendable, CustomTestStringConvertible {
    let testDescription: String
    private let withOpener: @Sendable (@Sendable (@escaping @Sendable () throws -> any Database) async throws -> Void) async throws -> Void

    static let all = [sqlite, postgres]

    static let sqlite = CommonDatabase(testDescription: "SQLite") { body in
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("martlet-cache-\(UUID())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let path = folder.appendingPathComponent("test.sqlite").path
        let outcome = await Result { try await body { try SQLiteDatabase(path: path, logger: .silent) } }
        try FileManager.default.removeItem(at: folder)
        try outcome.get()
    }

    static let postgres = CommonDatabase(testDescription: "PostgreSQL") { body in
        try await withPostgresSchema { url in
            try await body { try PostgresDatabase(url: url, settings: PostgresSettings(poolSize: 4, maxOverflow: 2), logger: .silent) }
        }
    }

    private init(
        testDescription: String,
        _ withOpener:
            @escaping @Sendable (@Sendable (@escaping @Sendable () throws -> any Database) async throws -> Void) async throws -> Void
    ) {
        (self.testDescription, self.withOpener) = (testDescription, withOpener)
    }

    /// Runs `body` with two databases opened on it, with `items` rows of version 0.
    func open(items: Int = 10, _ body: @Sendable (any Database, any Database) async throws -> Void) async throws {
        try await withOpener { open in
            let (first, second) = (try open(), try open())
            try await Migrator(first, Outbox.migrations).apply()
            try await first.schemaTransaction {
                try await $0.run(script: "CREATE TABLE item (id INTEGER PRIMARY KEY, version INTEGER NOT NULL)")
            }
            for id in 0..<items { try await first.change("INSERT INTO item (id, version) VALUES (\(id), 0)") }
            let outcome = await Result { try await body(first, second) }
            await first.close()
            await second.close()
            try outcome.get()
        }
    }

    /// Runs `body` with two processes on it.
    func withInstances(
        items: Int = 10, settings: Cache.Settings = Cache.Settings(), shared: (any SharedTier)? = nil,
        _ body: @Sendable (Instance, Instance) async throws -> Void
    ) async throws {
        try await open(items: items) { first, second in
            let near = await Instance(first, shared: shared, settings: settings)
            let far = await Instance(second, shared: shared, settings: settings)
            let outcome = await Result { try await body(near, far) }
            await near.stop()
            await far.stop()
            try outcome.get()
        }
    }
}

extension Instance {
    func version(of id: Int) async throws -> Int {
        try await cache.value(for: "item:\(id)", tags: ["item:\(id)"], ttl: .seconds(3600)) { try await stored(id) }
    }

    func stored(_ id: Int) async throws -> Int {
        try await database.first(Int.self, "SELECT version FROM item WHERE id = \(id)") ?? -1
    }

    /// Adds one to the version; returns it once it is committed.
    func write(_ id: Int) async throws -> Int {
        try await database.transaction(isolation: .readCommitted) { tx in
            let version = try await tx.first(Int.self, "UPDATE item SET version = version + 1 WHERE id = \(id) RETURNING version")
            try await tx.evict("item:\(id)")
            return version ?? -1
        }
    }
}
