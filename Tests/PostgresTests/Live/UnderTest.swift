import Foundation
import Logging
import MartletPostgres
import MartletStorage
import MartletTestServers
import MartletTestSupport
import Testing

/// A database under test, and one beside it that looks at the server and gets into its way.
struct UnderTest: Sendable {
    let database: PostgresDatabase
    let observer: PostgresDatabase
    let name: String

    /// Runs `body` on an empty schema of its own with a table `item (id, name)`, whose names are unique.
    static func run(
        _ settings: PostgresSettings = .small, prepared: Bool = true, logger: Logger = .silent,
        _ body: (UnderTest) async throws -> Void
    ) async throws {
        try await withPostgresSchema { url in try await run(settings, prepared: prepared, logger: logger, url: url, body) }
    }

    static func run(
        _ settings: PostgresSettings, prepared: Bool = true, logger: Logger = .silent, url: String, observerURL: String? = nil,
        _ body: (UnderTest) async throws -> Void
    ) async throws {
        var settings = settings
        settings.applicationName = "under test " + UUID().uuidString
        settings.preparedStatements = prepared
        let observing = PostgresSettings(poolSize: 4, maxOverflow: 0, pipelines: 0, applicationName: "observer")
        let test = UnderTest(
            database: try PostgresDatabase(url: url, settings: settings, logger: logger),
            observer: try PostgresDatabase(url: observerURL ?? url, settings: observing, logger: .silent), name: settings.applicationName)
        do {
            try await test.observer.change("CREATE TABLE item (id BIGINT PRIMARY KEY, name TEXT NOT NULL UNIQUE)")
            try await body(test)
        } catch {
            await test.close()
            throw error
        }
        await test.close()
    }

    private func close() async {
        await database.close()
        await observer.close()
    }
}

extension PostgresSettings {
    /// Six connections: one reader and one inserter for all, four for single use.
    static let small = PostgresSettings(poolSize: 5, maxOverflow: 1, pipelines: 1)

    /// So many connections, each for one caller at a time.
    static func unshared(_ count: Int) -> PostgresSettings { PostgresSettings(poolSize: count, maxOverflow: 0, pipelines: 0) }

    func with(_ change: (inout PostgresSettings) -> Void) -> PostgresSettings {
        var settings = self
        change(&settings)
        return settings
    }
}

// MARK: What the server shows

extension UnderTest {
    struct Session: Codable, Sendable {
        var pid: Int
        var state: String
        var query: String

        var isBusy: Bool { state != "idle" }
    }

    /// The sessions of the database under test.
    func sessions() async throws -> [Session] {
        try await observer.all(
            Session.self,
            """
            SELECT pid, coalesce(state, '') AS state, query FROM pg_stat_activity
            WHERE application_name = \(name) AND backend_type = 'client backend' ORDER BY pid
            """)
    }

    /// Returns when so many sessions run a statement with these words.
    func running(_ words: String, times count: Int = 1) async throws {
        try await eventually("\(count) × \(words)") {
            try await sessions().count { $0.state == "active" && $0.query.contains(words) } >= count
        }
    }

    func terminate(_ pids: [Int]) async throws {
        for pid in pids { _ = try await observer.first(Bool.self, "SELECT pg_terminate_backend(\(pid)::INT)") }
    }

    /// Every connection becomes free, and the server has nothing to do for it.
    func comesToRest() async throws {
        try await eventually("the pool comes to rest") { database.load.inUse == 0 && database.load.waiting == 0 }
        try await eventually("the server comes to rest") { try await sessions().allSatisfy { !$0.isBusy } }
    }

    /// It can do what it could in the beginning.
    func serves() async throws {
        let id = Int.random(in: 1_000_000...1_000_000_000)
        try await database.insert(id)
        _ = try await database.transaction { tx in try await tx.change("UPDATE item SET name = 'x' || name WHERE id = \(id)") }
        #expect(try await database.first(String.self, "SELECT name FROM item WHERE id = \(id)") == "xitem \(id)")
        #expect(try await database.change("DELETE FROM item WHERE id = \(id)") == 1)
    }

    /// Runs `body` while a transaction of somebody else, which ran the statement, is open.
    func whileSomebody(_ statement: SQL, _ body: () async throws -> Void) async throws {
        let (ran, end) = (Gate(), Gate())
        let observer = observer
        let other = Task {
            try await observer.transaction(isolation: .readCommitted) { tx in
                _ = try await tx.change(statement)
                await ran.open()
                await end.wait()
            }
        }
        await ran.wait()
        do { try await body() } catch {
            await end.open()
            throw error
        }
        await end.open()
        try await other.value
    }
}

extension Queries {
    func insert(_ id: Int) async throws { try await change("INSERT INTO item (id, name) VALUES (\(id), \("item \(id)"))") }

    var ids: [Int] {
        get async throws { try await all(Int.self, "SELECT id FROM item ORDER BY id") }
    }
}

extension Logger {
    static let silent = Logger(label: "silent") { _ in SwiftLogNoOpLogHandler() }
}
