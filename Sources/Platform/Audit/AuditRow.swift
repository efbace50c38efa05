import Crypto
import Foundation
import MartletAuditAPI
import MartletContract
import MartletCore
import MartletStorage

/// A row as it is stored.
struct AuditRow: Decodable, Sendable {
    static let columns: SQL = """
        chain_id, sequence, previous_hash, hash, id, occurred_at, actor_kind, actor_id, action, target_kind, target_id, outcome, request_id, \
        address, state_before, state_after
        """

    let chainID: UUID
    let sequence: Int64
    let previousHash: [UInt8]
    let hash: [UInt8]
    let id: Identifier<AuditEntry>
    let occurredAt: Date
    let actorKind: String
    let actorID: UUID?
    let action: String
    let targetKind: String?
    let targetID: String?
    let outcome: String
    let requestID: String?
    let address: String?
    let stateBefore: String?
    let stateAfter: String?
}

extension AuditRow {
    /// The row that follows a head.
    init(_ occurrence: Occurrence, after head: AuditHead) throws {
        let event = occurrence.event
        let after = occurrence.times > 1 ? (event.after ?? [:]).with("times", .number(occurrence.times)) : event.after
        let unsealed = AuditRow(
            chainID: head.chainID, sequence: head.headSequence + 1, previousHash: head.headHash, hash: [], id: Identifier(),
            occurredAt: occurrence.moment, actorKind: event.actor.kind.rawValue, actorID: event.actor.id?.uuid, action: event.action.name,
            targetKind: event.target?.kind, targetID: event.target?.id, outcome: event.outcome.rawValue, requestID: event.requestID,
            address: event.address, stateBefore: try event.before?.text, stateAfter: try after?.text)
        self = unsealed.sealed()
    }

    private func sealed() -> AuditRow {
        AuditRow(
            chainID: chainID, sequence: sequence, previousHash: previousHash, hash: computedHash, id: id, occurredAt: occurredAt,
            actorKind: actorKind, actorID: actorID, action: action, targetKind: targetKind, targetID: targetID, outcome: outcome,
            requestID: requestID, address: address, stateBefore: stateBefore, stateAfter: stateAfter)
    }

    /// SHA-256 over every column but the hash itself; see ``CanonicalBytes``.
    ///
    /// The order of the fields and the purpose are for ever: rows that were written must be found right.
    var computedHash: [UInt8] {
        var bytes = CanonicalBytes(purpose: "martlet audit row 1")
        bytes.add(chainID)
        bytes.add(sequence)
        bytes.add(previousHash)
        bytes.add(id.uuid)
        bytes.add(SQLValue.milliseconds(occurredAt))
        for text in [actorKind, actorID?.text, action, targetKind, targetID, outcome, requestID, address, stateBefore, stateAfter] {
            bytes.add(text)
        }
        return Array(SHA256.hash(data: bytes.bytes))
    }

    var values: SQL {
        """
        (\(chainID), \(sequence), \(previousHash), \(hash), \(id), \(occurredAt), \(actorKind), \(actorID), \(action), \(targetKind), \
        \(targetID), \(outcome), \(requestID), \(address), \(stateBefore), \(stateAfter))
        """
    }

    /// As it is shown.
    func entry() throws -> AuditEntry {
        guard let kind = AuditActor.Kind(rawValue: actorKind), let outcome = AuditOutcome(rawValue: outcome) else {
            throw RowMismatch(column: "actor_kind", type: "AuditActor.Kind", "it or the outcome is a word that this release does not know")
        }
        return AuditEntry(
            id: id, organisation: chainID == AuditHead.instance ? nil : Identifier(chainID), sequence: Int(sequence),
            occurredAt: occurredAt, actor: AuditActor(kind: kind, id: actorID.map { Identifier($0) }), action: action,
            target: targetKind.map { AuditTarget(kind: $0, id: targetID ?? "") }, outcome: outcome, requestId: requestID, address: address,
            before: try stateBefore.map { try WireJSON.parse($0.utf8) }, after: try stateAfter.map { try WireJSON.parse($0.utf8) },
            hash: hash.hexadecimal)
    }
}

/// Where a chain ends and where it begins, signed.
struct AuditHead: Decodable, Sendable, Equatable {
    static let columns: SQL = "chain_id, head_sequence, head_hash, pruned_sequence, pruned_hash, key_id, signature"
    /// The chain that belongs to no organisation.
    static let instance = UUID(uuid: (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0))

    let chainID: UUID
    /// Of the newest row; 0 when there was none.
    var headSequence: Int64
    var headHash: [UInt8]
    /// Of the newest of those that were removed for their age; the rows after it are there.
    var prunedSequence: Int64
    var prunedHash: [UInt8]
    var keyID: String
    var signature: [UInt8]

    /// Of a chain without rows.
    init(beginning chainID: UUID, _ key: AuditKey) {
        self.chainID = chainID
        (headSequence, prunedSequence) = (0, 0)
        (headHash, prunedHash) = (Self.nothing, Self.nothing)
        (keyID, signature) = ("", [])
        sign(key)
    }

    /// What stands for the hash before the first row.
    private static let nothing = [UInt8](repeating: 0, count: 32)

    mutating func advance(to row: AuditRow, _ key: AuditKey) {
        (headSequence, headHash) = (row.sequence, row.hash)
        sign(key)
    }

    mutating func prune(through sequence: Int64, _ hash: [UInt8], _ key: AuditKey) {
        (prunedSequence, prunedHash) = (sequence, hash)
        sign(key)
    }

    private mutating func sign(_ key: AuditKey) {
        keyID = key.id
        signature = key.signature(of: signed)
    }

    func isSigned(by keys: AuditKeys) -> Bool {
        keys[keyID]?.isSignature(signature, of: signed) == true
    }

    private var signed: [UInt8] {
        var bytes = CanonicalBytes(purpose: "martlet audit head 1")
        bytes.add(chainID)
        bytes.add(headSequence)
        bytes.add(headHash)
        bytes.add(prunedSequence)
        bytes.add(prunedHash)
        bytes.add(keyID)
        return bytes.bytes
    }
}

/// Fields one after another so that different fields never give the same bytes: each is 0 when it is absent, or else 1, its length as eight
/// bytes, most significant first, and itself. Numbers are eight bytes likewise, identifiers 16, texts UTF-8. The first field names the purpose.
struct CanonicalBytes {
    private(set) var bytes: [UInt8] = []

    init(purpose: String) { add(purpose) }

    mutating func add(_ field: [UInt8]?) {
        guard let field else { return bytes.append(0) }
        bytes.append(1)
        append(UInt64(field.count))
        bytes += field
    }

    mutating func add(_ text: String?) { add(text.map { Array($0.utf8) }) }
    mutating func add(_ number: Int64?) { add(number.map { number in (0..<8).map { UInt8(truncatingIfNeeded: number >> (56 - 8 * $0)) } }) }
    mutating func add(_ uuid: UUID) { add(withUnsafeBytes(of: uuid.uuid) { Array($0) }) }

    private mutating func append(_ number: UInt64) {
        for shift in stride(from: UInt64(56), through: 0, by: -8) { bytes.append(UInt8(truncatingIfNeeded: number >> shift)) }
    }
}

extension [UInt8] {
    /// Two lower-case digits a byte.
    var hexadecimal: String {
        String(decoding: flatMap { [UInt8(hexadecimalDigit: $0 >> 4), UInt8(hexadecimalDigit: $0 & 15)] }, as: UTF8.self)
    }
}
