import Foundation
import MartletCore
import MartletPostgres
import MartletSQLite
import MartletStorage
import MartletTestServers
import MartletTestSupport
import Testing

@testable import MartletIdempotency

/// A database engine that the tests of kept answers run on.
struct AnswerEngine: Sendable, CustomTestStringConvertible {
    let name: String
    private typealias Opening = @Sendable (_ open: @Sendable () throws -> any Database) async throws -> Void
    private let withOpening: @Sendable (_ body: Opening) async throws -> Void

    var testDescription: String { name }

    static let all = [sqlite, postgres]

    static let sqlite = AnswerEngine(name: "SQLite") { body in
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("martlet-idempotency-\(UUID())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let outcome = await Result {
            try await body { try SQLiteDatabase(path: folder.appendingPathComponent("test.sqlite").path, logger: .silent) }
        }
        try FileManager.default.removeItem(at: folder)
        try outcome.get()
    }

    static let postgres = AnswerEngine(name: "PostgreSQL") { body in
        try await withPostgresSchema { url in
            try await body { try PostgresDatabase(url: url, settings: PostgresSettings(poolSize: 4, maxOverflow: 4), logger: .silent) }
        }
    }

    /// Gives `body` two instances on one database, with the table of answers and one of effects.
    func run(_ body: @Sendable (any Database, any Database) async throws -> Void) async throws {
        try await withOpening { open in
            let (first, second) = (try open(), try open())
            let outcome = await Result {
                _ = try await Migrator(first, KeptAnswers.migrations + [Self.effects]).apply()
                try await body(first, second)
            }
            await first.close()
            await second.close()
            try outcome.get()
        }
    }

    func run(_ body: @Sendable (any Database) async throws -> Void) async throws {
        try await run { database, _ in try await body(database) }
    }

    private static let effects = Migration("test/0001-effect", .same("CREATE TABLE effect (name TEXT NOT NULL)"))
}

extension Claim {
    static let ada = Identifier<Account>()

    static func of(_ key: String, by caller: Identifier<Account> = ada, endpoint: String = "POST /things", body: UInt8 = 1) -> Claim {
        Claim(name: Name(caller: caller, key: key), endpoint: endpoint, fingerprint: [UInt8](repeating: body, count: 32))
    }
}

extension Queries {
    func note(_ effect: String) async throws { try await change("INSERT INTO effect (name) VALUES (\(effect))") }

    var effects: [String] {
        get async throws { try await all(String.self, "SELECT name FROM effect ORDER BY name") }
    }

    var keptCount: Int? {
        get async throws { try await first(Int.self, "SELECT count(*) FROM idempotent_answer") }
    }
}
