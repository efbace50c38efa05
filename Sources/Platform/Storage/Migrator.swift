public import Foundation
public import MartletCore

/// Brings a database's schema to what the program expects, and tells when it is not there.
///
/// Migrations run in the order given, each in a transaction of its own that excludes other migrators: two programs may start at once,
/// a failed script leaves nothing behind, and every method may be repeated. What has run is kept in the table `schema_migration`.
public struct Migrator: Sendable {
    private let database: any Database
    private let migrations: [Migration]
    private let clock: WallClock

    public init(_ database: any Database, _ migrations: [Migration], clock: WallClock = .system) {
        (self.database, self.migrations, self.clock) = (database, migrations, clock)
    }

    /// What has run and what has not, in the program's order, then what only the database knows.
    public func status() async throws -> [MigrationStatus] {
        try statuses(try await recorded(in: database))
    }

    /// What ``apply()`` would run, in order. Changes nothing.
    public func plan() async throws -> [Migration] {
        let statuses = try await status()
        try refuseUnexpected(statuses)
        let pending = Set(statuses.filter { $0.state == .pending }.map(\.id))
        return migrations.filter { pending.contains($0.id) }
    }

    /// Runs what is pending and returns the identifiers of what this call ran.
    ///
    /// Refuses a database that ``verify()`` would call newer or edited.
    @discardableResult
    public func apply() async throws -> [String] {
        try await createTable()
        var applied: [String] = []
        while let id = try await applyNext() { applied.append(id) }
        return applied
    }

    /// Throws `unavailable` unless the schema is exactly the program's: `schema_newer`, `schema_older` or `schema_edited`.
    public func verify() async throws {
        let statuses = try await status()
        try refuseUnexpected(statuses)
        let pending = statuses.filter { $0.state == .pending }.map(\.id)
        guard pending.isEmpty else {
            throw Self.refusal("schema_older", "The database is older than this program. Run the migrations first: \(Self.list(pending)).")
        }
    }
}

/// What a program finds its database's schema to be.
public enum SchemaState: String, Sendable, CaseIterable {
    case current
    /// Migrations have not run yet.
    case older
    /// A later release's migrations have run. A program that runs already can live with it, since migrations are safe while the previous
    /// release still serves; one that starts cannot know that.
    case newer
    /// Migrations were changed after they had run.
    case edited
}

extension Migrator {
    /// What the schema is now; changes nothing. Throws `unavailable` when the database is away.
    public func state() async throws -> SchemaState {
        let states = try await status().map(\.state)
        if states.contains(.pending) { return .older }
        if states.contains(.edited) { return .edited }
        return states.contains(.unknown) ? .newer : .current
    }
}

/// A migration, as the program and the database see it.
public struct MigrationStatus: Sendable, Hashable {
    public enum State: Sendable, Hashable {
        case applied(Date)
        case pending
        /// It ran with another text than the program has now.
        case edited
        /// The database has it, the program does not: the database is newer.
        case unknown
    }

    public let id: String
    public let state: State
}

extension Migrator {
    private struct Record: Decodable, Sendable {
        let id: String
        let checksum: String
        let appliedAt: Date
    }

    private func applyNext() async throws -> String? {
        try await database.schemaTransaction { transaction in
            let statuses = try statuses(try await records(in: transaction))
            try refuseUnexpected(statuses)
            guard let next = statuses.first(where: { $0.state == .pending }),
                let migration = migrations.first(where: { $0.id == next.id })
            else { return nil }
            try await transaction.run(script: migration.script.text(for: transaction.dialect))
            try await transaction.change(
                """
                INSERT INTO schema_migration (id, checksum, applied_at)
                VALUES (\(migration.id), \(migration.checksum(for: transaction.dialect)), \(clock.now))
                """)
            return migration.id
        }
    }

    private func createTable() async throws {
        try await database.schemaTransaction { transaction in
            try await transaction.run(
                script: """
                    CREATE TABLE IF NOT EXISTS schema_migration (
                        id TEXT NOT NULL PRIMARY KEY,
                        checksum TEXT NOT NULL,
                        applied_at \(transaction.dialect == .sqlite ? "INTEGER" : "timestamptz") NOT NULL
                    )
                    """)
        }
    }

    private func recorded(in queries: any Queries) async throws -> [Record] {
        try await queries.hasTable("schema_migration") ? records(in: queries) : []
    }

    private func records(in queries: any Queries) async throws -> [Record] {
        try await queries.all(Record.self, "SELECT id, checksum, applied_at FROM schema_migration ORDER BY applied_at, id")
    }

    private func statuses(_ records: [Record]) throws -> [MigrationStatus] {
        var unseen = Dictionary(records.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        var known: Set<String> = []
        let ours = try migrations.map { migration in
            guard known.insert(migration.id).inserted else {
                throw Failure(.internal, "migration_duplicate", "Two migrations are named \(migration.id).")
            }
            return MigrationStatus(id: migration.id, state: state(of: migration, recorded: unseen.removeValue(forKey: migration.id)))
        }
        return ours + records.filter { unseen[$0.id] != nil }.map { MigrationStatus(id: $0.id, state: .unknown) }
    }

    private func state(of migration: Migration, recorded: Record?) -> MigrationStatus.State {
        guard let recorded else { return .pending }
        return recorded.checksum == migration.checksum(for: database.dialect) ? .applied(recorded.appliedAt) : .edited
    }

    private func refuseUnexpected(_ statuses: [MigrationStatus]) throws {
        let unknown = statuses.filter { $0.state == .unknown }.map(\.id)
        guard unknown.isEmpty else {
            throw Self.refusal("schema_newer", "The database is newer than this program, which does not know \(Self.list(unknown)).")
        }
        let edited = statuses.filter { $0.state == .edited }.map(\.id)
        guard edited.isEmpty else {
            throw Self.refusal("schema_edited", "These migrations were changed after they ran: \(Self.list(edited)). Restore their text.")
        }
    }

    private static func refusal(_ code: String, _ message: String) -> Failure { .init(.unavailable, code, message) }

    private static func list(_ ids: [String]) -> String { ids.joined(separator: ", ") }
}
