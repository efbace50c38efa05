import MartletCore
import MartletStorage
import MartletTestServers
import Synchronization

/// A database that lets a test step in: before reads, and before transactions, each with its number.
final class InterferedDatabase: ForwardingDatabase {
    let inner: any Database
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

    func all<Row: Decodable & Sendable>(_ row: Row.Type, _ sql: SQL) async throws -> [Row] {
        let number = counts.withLock { counts in
            counts.reads += 1
            return counts.reads
        }
        try await onRead(number)
        return try await inner.all(row, sql)
    }

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
}
