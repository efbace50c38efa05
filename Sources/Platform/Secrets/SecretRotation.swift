import Foundation
public import MartletStorage

/// Seals every stored secret anew with the current key, so that previous keys can be taken out of the settings.
///
/// It works in batches, each a transaction of its own, while the server runs. Safe to repeat and to kill at any moment: what is sealed with
/// the current key is left alone, so that a second run goes on where the first was.
public struct SecretRotation: Sendable {
    private let database: any Database
    private let box: SecretBox
    private let batch: Int

    /// - Parameter batch: How many secrets are sealed in one transaction, at least 1.
    public init(_ database: any Database, _ box: SecretBox, batch: Int = 100) {
        (self.database, self.box, self.batch) = (database, box, max(1, batch))
    }

    /// Goes over all columns, and returns how many secrets were sealed anew.
    ///
    /// Throws ``SecretBox/Unreadable`` at the first that no key opens, and `CancellationError` between batches; what was done until then stays.
    ///
    /// - Parameter progress: Hears after each batch how many it were so far.
    public func run(_ columns: [SealedColumn], progress: (Int) -> Void = { _ in }) async throws -> Int {
        var count = 0
        for column in columns {
            var last: UUID?
            while let step = try await step(in: column, after: last) {
                count += step.resealed
                last = step.last
                progress(count)
                try Task.checkCancellation()
            }
        }
        return count
    }

    private struct Row: Decodable, Sendable {
        let id: UUID
        let sealed: [UInt8]
    }

    /// One batch in the order of the keys; `nil` when there is none left.
    private func step(in column: SealedColumn, after last: UUID?) async throws -> (last: UUID, resealed: Int)? {
        try await database.transaction { transaction in
            let beyond: SQL = last.map { "WHERE \(column.key) > \($0)" } ?? ""
            let rows = try await transaction.all(
                Row.self,
                "SELECT \(column.key) AS id, \(column.column) AS sealed FROM \(column.table) \(beyond) ORDER BY \(column.key) LIMIT \(batch)"
            )
            var resealed = 0
            for row in rows where !box.isCurrent(row.sealed) {
                resealed += try await reseal(row, of: column, in: transaction)
            }
            return rows.last.map { ($0.id, resealed) }
        }
    }

    /// Only over what was read: a secret that somebody replaces meanwhile is theirs.
    private func reseal(_ row: Row, of column: SealedColumn, in transaction: any Transaction) async throws -> Int {
        let fresh = try column.seal(try column.open(row.sealed, row: row.id, with: box), row: row.id, with: box)
        return try await transaction.change(
            """
            UPDATE \(column.table) SET \(column.column) = \(fresh)
            WHERE \(column.key) = \(row.id) AND \(column.column) = \(row.sealed)
            """)
    }
}
