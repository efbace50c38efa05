import MartletCore
import MartletStorage
import Synchronization

/// A database that lets a test step in: before reads, and before transactions, each with its number.
final class InterferedDatabase: Database {
    private let inner: any Database
    private let onRead: @Sendable (Int) async throws -> Void
    private let onTransaction: @Sendable (Int) async throws -> Void
    private let counts = Mutex((reads: 0, transactions: 0))

    init(
        _ inner: any Database, onRead: @escaping @Sendable (Int) async throws -> Void = { _ in },
        onTransaction: @escaping @Sendable (Int) async throws -> Void = { _ in }
    ) {
        (self.inner, self.onRead, self.onTransaction) = (inner, onRead, onTransaction)
    }

    var transactions: Int { counts.withLock { $0.transactions } }
    var reads: Int { counts.withLock { $0.reads } }
    var dialect: SQLDialect { inner.dialect }
    var load: DatabaseLoad { inner.load }
    var announcements: Announcements { inner.announcements }

    func all<Row: Decodable & Sendable>(_ row: Row.Type, _ sql: SQL) async throws -> [Row] {
        let number = counts.withLock { counts in
            counts.reads += 1
            return counts.reads
        }
        try await onRead(number)
        return try await inner.all(row, sql)
    }

    func first<Row: Decodable & Sendable>(_ row: Row.Type, _ sql: SQL) async throws -> Row? { try await inner.first(row, sql) }

    func change(_ sql: SQL) async throws -> Int { try await inner.change(sql) }

    func transaction<Result: Sendable>(
        isolation: Isolation, _ body: @Sendable (any Transaction) async throws -> Result
    ) async throws -> Result {
        let number = counts.withLock { counts in
            counts.transactions += 1
            return counts.transactions
        }
        return try await inner.transaction(isolation: isolation) { transaction in
            let result = try await body(transaction)
            // After the work and before the commit: the worst moment to die.
            try await onTransaction(number)
            return result
        }
    }

    func schemaTransaction<Result: Sendable>(_ body: @Sendable (any SchemaTransaction) async throws -> Result) async throws -> Result {
        try await inner.schemaTransaction(body)
    }

    func batches<Row: Decodable & Sendable>(
        of size: Int, _ row: Row.Type, _ sql: SQL, _ body: @Sendable ([Row]) async throws -> Void
    ) async throws {
        try await inner.batches(of: size, row, sql, body)
    }

    func check() async throws { try await inner.check() }
    func close() async { await inner.close() }
}
