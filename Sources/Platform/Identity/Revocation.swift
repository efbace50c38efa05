import Foundation
import MartletCore
import MartletStorage

/// Access that was ended before its tokens expire: a row, and an entry of the outbox by which every instance hears of it.
struct Revocation: Codable, Sendable, Equatable {
    /// What ended. Stored names are for ever.
    enum Kind: String, Codable, Sendable {
        case session, account
    }

    let kind: Kind
    /// A session; or an account, or a key, which is stored like one.
    let subjectID: UUID
    /// Of an account, the tokens that were issued before this; of a session, all.
    let issuedBefore: Date?
    /// When the last token concerned has expired.
    let expiresAt: Date
}

extension Revocation {
    static let topic: Topic = "identity.revoked"

    /// Notes it in the caller's transaction, row and entry. Safe to repeat: the later moment counts.
    func store(in transaction: any Transaction) async throws {
        try await transaction.change(
            """
            INSERT INTO revoked_access (kind, subject_id, issued_before, expires_at)
            VALUES (\(kind), \(subjectID), \(issuedBefore), \(expiresAt))
            ON CONFLICT (kind, subject_id) DO UPDATE
            SET issued_before = excluded.issued_before, expires_at = excluded.expires_at
            WHERE excluded.expires_at > revoked_access.expires_at
            """)
        try await Outbox.append(Self.topic, key: Identifier<LoginSession>(subjectID).description, self, in: transaction)
    }

    /// Reads those that are not over, some at a time.
    static func each(
        in database: any Database, after moment: Date, _ body: @escaping @Sendable ([Revocation]) async throws -> Void
    ) async throws {
        try await database.batches(
            of: 1_000, Revocation.self,
            "SELECT kind, subject_id, issued_before, expires_at FROM revoked_access WHERE expires_at > \(moment)", body)
    }
}
