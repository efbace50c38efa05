import Foundation
import Logging
import MartletPostgres
import MartletSQLite
import MartletStorage
import MartletTestServers
import MartletTestSupport
import Testing

/// An engine that data can be copied from and to.
enum CopyEngine: String, Sendable, CaseIterable, CustomTestStringConvertible {
    case sqlite = "SQLite"
    case postgres = "PostgreSQL"

    var testDescription: String { rawValue }

    /// Gives `body` an empty database of its own, and removes it afterwards.
    func withDatabase(_ body: (any Database) async throws -> Void) async throws {
        switch self {
        case .sqlite: try await Self.withFile { try await Self.with(try SQLiteDatabase(path: $0, logger: .silent), body) }
        case .postgres: try await withPostgresSchema { try await Self.with(try PostgresDatabase(url: $0, logger: .silent), body) }
        }
    }

    private static func with(_ database: any Database, _ body: (any Database) async throws -> Void) async throws {
        let outcome: Result<Void, any Error>
        do { outcome = .success(try await body(database)) } catch { outcome = .failure(error) }
        await database.close()
        try outcome.get()
    }

    private static func withFile(_ body: (String) async throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "martlet-copy-\(UUID())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let outcome: Result<Void, any Error>
        do { outcome = .success(try await body(folder.appending(path: "test.sqlite").path)) } catch { outcome = .failure(error) }
        try FileManager.default.removeItem(at: folder)
        try outcome.get()
    }
}

/// Two engines, from the one to the other.
struct EnginePair: Sendable, CustomTestStringConvertible {
    let source: CopyEngine
    let target: CopyEngine
    var testDescription: String { "\(source.rawValue) to \(target.rawValue)" }

    static let all = CopyEngine.allCases.flatMap { source in CopyEngine.allCases.map { EnginePair(source: source, target: $0) } }

    /// Gives `body` a migrated source with `count` things and an empty, migrated target.
    func with(_ count: Int, _ body: (any Database, any Database) async throws -> Void) async throws {
        try await source.withDatabase { source in
            try await target.withDatabase { target in
                try await Migrator(source, CopyTables.migrations).apply()
                try await Migrator(target, CopyTables.migrations).apply()
                try await CopyTables.fill(source, count: count)
                try await body(source, target)
            }
        }
    }
}

extension Database {
    func run(_ script: String) async throws {
        try await schemaTransaction { try await $0.run(script: script) }
    }

    func count(_ table: String) async throws -> Int? {
        try await first(Int.self, "SELECT count(*) FROM \(unsafeRaw: table)")
    }
}
