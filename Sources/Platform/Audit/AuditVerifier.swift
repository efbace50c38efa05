public import Foundation
public import MartletStorage
import Synchronization

/// Reads every chain from its beginning to its end, and tells where it is not what was written.
///
/// It finds rows that were changed, removed, inserted or put in another order, and heads that were not signed by a known key. It cannot find
/// that a whole database was set back to an earlier state, nor that a chain was removed together with its head: keep what it prints elsewhere.
public struct AuditVerifier: Sendable {
    private let database: any Database
    private let keys: AuditKeys

    public init(_ database: any Database, keys: AuditKeys) {
        (self.database, self.keys) = (database, keys)
    }

    /// What one chain is found to be.
    public struct Finding: Sendable {
        /// The organisation; `nil` for the instance's own chain.
        public let organisation: UUID?
        /// How many rows were read and found right.
        public let rows: Int
        /// The newest row's place, and its hash in hexadecimal.
        public let head: (sequence: Int64, hash: String)
        /// What is wrong first, in a sentence; `nil` when nothing is.
        public let fault: String?
    }

    /// Of each chain, in the order of their identifiers. From one snapshot, some rows at a time: rows may be appended meanwhile.
    public func verify() async throws -> [Finding] {
        let walk = Mutex(AuditWalk(keys: keys))
        try await database.batches(
            of: 500, HeadedRow.self,
            """
            SELECT audit_chain.chain_id AS chain_id, head_sequence, head_hash, pruned_sequence, pruned_hash, key_id, signature, sequence,
                previous_hash, hash, id, occurred_at, actor_kind, actor_id, action, target_kind, target_id, outcome, request_id, address,
                state_before, state_after
            FROM audit_chain LEFT JOIN audit_event ON audit_event.chain_id = audit_chain.chain_id
            ORDER BY audit_chain.chain_id, sequence
            """
        ) { rows in
            walk.withLock { walk in for row in rows { walk.take(row) } }
        }
        return walk.withLock { $0.end() } + (try await headless())
    }

    /// Chains whose head is gone.
    private func headless() async throws -> [Finding] {
        let chains = try await database.all(
            UUID.self,
            """
            SELECT DISTINCT chain_id FROM audit_event
            WHERE NOT EXISTS (SELECT 1 FROM audit_chain WHERE audit_chain.chain_id = audit_event.chain_id) LIMIT 100
            """)
        return chains.map { chain in
            Finding(organisation: chain == AuditHead.instance ? nil : chain, rows: 0, head: (0, ""), fault: "Its head is missing.")
        }
    }
}

/// A row, beside the head of its chain; a chain without rows has one of these too.
struct HeadedRow: Decodable, Sendable {
    let head: AuditHead
    let row: AuditRow?

    private enum CodingKeys: String, CodingKey { case sequence }

    init(head: AuditHead, row: AuditRow?) { (self.head, self.row) = (head, row) }

    init(from decoder: any Decoder) throws {
        head = try AuditHead(from: decoder)
        let sequence = try decoder.container(keyedBy: CodingKeys.self).decodeIfPresent(Int64.self, forKey: .sequence)
        row = sequence == nil ? nil : try AuditRow(from: decoder)
    }
}

/// The rows of chain after chain, checked as they come.
struct AuditWalk {
    private let keys: AuditKeys
    private var findings: [AuditVerifier.Finding] = []
    private var chain: Chain?

    private struct Chain {
        let head: AuditHead
        var (sequence, hash): (Int64, [UInt8])
        var rows = 0
        var fault: String?
    }

    init(keys: AuditKeys) { self.keys = keys }

    mutating func take(_ next: HeadedRow) {
        if chain?.head.chainID != next.head.chainID {
            finish()
            chain = Chain(
                head: next.head, sequence: next.head.prunedSequence, hash: next.head.prunedHash,
                fault: next.head.isSigned(by: keys) ? nil : "The signature of its head is not by a known key.")
        }
        if let row = next.row { check(row) }
    }

    private mutating func check(_ row: AuditRow) {
        guard var chain, chain.fault == nil else { return }
        chain.fault = Self.fault(of: row, after: chain.sequence, chain.hash, in: chain.head)
        if chain.fault == nil { (chain.sequence, chain.hash, chain.rows) = (row.sequence, row.hash, chain.rows + 1) }
        self.chain = chain
    }

    private static func fault(of row: AuditRow, after sequence: Int64, _ hash: [UInt8], in head: AuditHead) -> String? {
        guard row.sequence == sequence + 1 else { return "Row \(sequence + 1) is missing: row \(row.sequence) follows row \(sequence)." }
        guard row.sequence <= head.headSequence else { return "Row \(row.sequence) is beyond the signed head, row \(head.headSequence)." }
        guard row.previousHash == hash else { return "Row \(row.sequence) does not follow the row before it: it names another hash." }
        guard row.hash == row.computedHash else { return "Row \(row.sequence) is not what was written: its hash is another one." }
        return nil
    }

    /// Ends the last chain; returns what was found of all.
    mutating func end() -> [AuditVerifier.Finding] {
        finish()
        return findings
    }

    private mutating func finish() {
        guard let chain else { return }
        let (head, id) = (chain.head, chain.head.chainID)
        findings.append(
            AuditVerifier.Finding(
                organisation: id == AuditHead.instance ? nil : id, rows: chain.rows, head: (head.headSequence, head.headHash.hexadecimal),
                fault: chain.fault ?? Self.fault(ofEnd: chain)))
        self.chain = nil
    }

    private static func fault(ofEnd chain: Chain) -> String? {
        let end = chain.head.headSequence
        guard chain.sequence == end else { return "Row \(chain.sequence + 1) is missing: the head is row \(end)." }
        guard chain.hash == chain.head.headHash else { return "Row \(end) is not the one that the head was signed for." }
        return nil
    }
}
