import Foundation
import MartletCore
import MartletIdentityAPI
import MartletStorage

extension SessionStore {
    /// The sessions that can still be continued, the latest login first; at most 1,000.
    ///
    /// - Parameter current: The one that asks.
    func active(
        of account: Identifier<Account>, current: Identifier<LoginSession>?, at now: Date
    ) async throws -> [ActiveSession] {
        let rows = try await database.all(
            Row.self,
            """
            SELECT id, device, address, created_at, COALESCE(seen_at, created_at) AS seen_at FROM session
            WHERE account_id = \(account) AND \(Self.isActive(at: now)) ORDER BY created_at DESC, id DESC LIMIT 1000
            """)
        return rows.map { row in
            ActiveSession(
                id: row.id, device: row.device, address: row.address, createdAt: row.createdAt, seenAt: row.seenAt,
                isCurrent: row.id == current)
        }
    }

    private struct Row: Decodable, Sendable {
        let id: Identifier<LoginSession>
        let device: String?
        let address: String?
        let createdAt: Date
        let seenAt: Date
    }

    /// Ends one session of an account; returns whether it had one that had not ended.
    func end(_ session: Identifier<LoginSession>, of account: Identifier<Account>, at now: Date) async throws -> Bool {
        try await database.change(
            "UPDATE session SET revoked_at = \(now) WHERE id = \(session) AND account_id = \(account) AND revoked_at IS NULL") > 0
    }

    /// Ends the sessions of an account, but for one, and returns those that ended now.
    func endAll(
        of account: Identifier<Account>, except kept: Identifier<LoginSession>?, at now: Date
    ) async throws -> [Identifier<LoginSession>] {
        let others: SQL = kept.map { " AND id <> \($0)" } ?? ""
        return try await database.all(
            Identifier<LoginSession>.self,
            "UPDATE session SET revoked_at = \(now) WHERE account_id = \(account) AND revoked_at IS NULL\(others) RETURNING id")
    }

    /// Ends those beyond the latest `limit` of an account, and returns them.
    func endOldest(of account: Identifier<Account>, beyond limit: Int, at now: Date) async throws -> [Identifier<LoginSession>] {
        try await database.all(
            Identifier<LoginSession>.self,
            """
            UPDATE session SET revoked_at = \(now) WHERE id IN (
                SELECT id FROM session WHERE account_id = \(account) AND \(Self.isActive(at: now))
                ORDER BY created_at DESC, id DESC LIMIT 1000 OFFSET \(limit))
            RETURNING id
            """)
    }

    /// Notes that sessions were used at a moment, unless a later one is known.
    func noteSeen(_ sessions: some Sequence<Identifier<LoginSession>>, at moment: Date) async throws {
        try await database.change(
            "UPDATE session SET seen_at = \(moment) WHERE id IN \(list: sessions) AND (seen_at IS NULL OR seen_at < \(moment))")
    }

    private static func isActive(at now: Date) -> SQL {
        """
        revoked_at IS NULL AND EXISTS (
            SELECT 1 FROM refresh_token WHERE session_id = session.id AND used_at IS NULL AND expires_at > \(now))
        """
    }
}
