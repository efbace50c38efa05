import MartletStorage
import Synchronization

/// Holds every write to some tables, of this process and of others, for as long as something reads them. Readers go on.
///
/// SQLite: the lock of the file's one writer; PostgreSQL: `SHARE` locks. Writers wait, each as long as its own time-out allows.
struct Freeze: Sendable {
    private let tables: [StoredTable]

    init(_ tables: [StoredTable]) {
        self.tables = tables
    }

    /// Returns what `body` returns, and how long writers had to wait. Nothing is written to the database.
    func hold<Result: Sendable>(
        _ database: any Database, onHold: @escaping @Sendable () -> Void, _ body: @escaping @Sendable (any Queries) async throws -> Result
    ) async throws -> (Result, Duration) {
        let outcome = Mutex<(Result, Duration)?>(nil)
        do {
            // Unlike other transactions it may take its time.
            try await database.schemaTransaction { transaction in
                let start = ContinuousClock.now
                if let lock = lock(transaction.dialect) { try await transaction.run(script: lock) }
                onHold()
                let result = try await body(transaction)
                outcome.withLock { $0 = (result, start.duration(to: .now)) }
                throw Thaw()
            }
        } catch is Thaw {}
        guard let outcome = outcome.withLock({ $0 }) else { throw Thaw() }
        return outcome
    }

    private func lock(_ dialect: SQLDialect) -> String? {
        switch dialect {
        case .sqlite: nil
        case .postgres: tables.isEmpty ? nil : "LOCK TABLE \(tables.map(\.quoted).joined(separator: ", ")) IN SHARE MODE"
        }
    }

    /// Ends the transaction, which has nothing to commit.
    private struct Thaw: Error {}
}
