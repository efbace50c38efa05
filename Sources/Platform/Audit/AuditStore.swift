import Foundation
import MartletStorage

/// The SQL of a chain that grows: it has one end, which whoever appends has for themselves until they commit.
struct AuditStore: Sendable {
    private let transaction: any Transaction

    init(_ transaction: any Transaction) {
        self.transaction = transaction
    }

    /// The head of a chain, this transaction's own from now on. Who else wants it waits for the commit.
    func head(of chain: UUID, _ key: AuditKey) async throws -> AuditHead {
        if let head = try await locked(chain) { return head }
        let head = AuditHead(beginning: chain, key)
        try await transaction.change(
            """
            INSERT INTO audit_chain (\(AuditHead.columns)) VALUES (\(head.chainID), \(head.headSequence), \(head.headHash),
                \(head.prunedSequence), \(head.prunedHash), \(head.keyID), \(head.signature))
            ON CONFLICT DO NOTHING
            """)
        // Perhaps another one's: two may begin a chain at once.
        return try await locked(chain) ?? head
    }

    private func locked(_ chain: UUID) async throws -> AuditHead? {
        try await transaction.first(
            AuditHead.self, "SELECT \(AuditHead.columns) FROM audit_chain WHERE chain_id = \(chain)\(SQL.locked)")
    }

    func append(_ rows: [AuditRow], to head: AuditHead) async throws {
        for start in stride(from: 0, to: rows.count, by: Self.rowsPerStatement) {
            let part = rows[start...].prefix(Self.rowsPerStatement)
            try await transaction.change(
                "INSERT INTO audit_event (\(AuditRow.columns)) VALUES \(.joined(part.map(\.values), by: ", "))")
        }
        try await save(head)
    }

    /// Engines bound the number of a statement's parameters.
    private static let rowsPerStatement = 500

    func save(_ head: AuditHead) async throws {
        try await transaction.change(
            """
            UPDATE audit_chain SET head_sequence = \(head.headSequence), head_hash = \(head.headHash),
                pruned_sequence = \(head.prunedSequence), pruned_hash = \(head.prunedHash), key_id = \(head.keyID),
                signature = \(head.signature)
            WHERE chain_id = \(head.chainID)
            """)
    }

    struct Age: Decodable, Sendable {
        let sequence: Int64
        let occurredAt: Date
        let hash: [UInt8]
    }

    /// The oldest rows that are there, oldest first.
    func oldest(of head: AuditHead, limit: Int) async throws -> [Age] {
        try await transaction.all(
            Age.self,
            """
            SELECT sequence, occurred_at, hash FROM audit_event
            WHERE chain_id = \(head.chainID) AND sequence > \(head.prunedSequence) ORDER BY sequence LIMIT \(limit)
            """)
    }

    /// Removes what the head says is pruned.
    func removePruned(of head: AuditHead) async throws {
        try await transaction.change("DELETE FROM audit_event WHERE chain_id = \(head.chainID) AND sequence <= \(head.prunedSequence)")
    }
}
