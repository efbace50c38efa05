import Foundation
import MartletCore
import MartletIdentityAPI
import MartletStorage

/// The SQL of sessions: each login begins a family of refresh tokens, in which every token follows another.
struct SessionStore: Sendable {
    private let database: any Queries

    init(_ database: any Queries) {
        self.database = database
    }

    enum Family {}

    /// Begins a family with its first token.
    func open(_ token: RefreshToken, account: Identifier<Account>, at now: Date, lifetime: Duration) async throws {
        let family = Identifier<Family>()
        try await database.change("INSERT INTO session (id, account_id, created_at) VALUES (\(family), \(account), \(now))")
        try await add(token, to: family, at: now, lifetime: lifetime)
    }

    enum Rotation {
        case rotated(Identifier<Account>)
        case unknown, expired, revoked, reused

        var failure: Failure {
            switch self {
            case .reused: .unauthenticated("refresh_token_reused", "This refresh token was used before: its sessions were ended.")
            default: .unauthenticated("invalid_refresh_token", "The refresh token is not valid.")
            }
        }
    }

    /// Exchanges a token for its successor, once; must run in a transaction.
    ///
    /// The claim is one statement, so that of callers who race only one inserts the successor; the others, within the grace, get the same.
    func rotate(_ token: RefreshToken, to successor: RefreshToken, at now: Date, lifetime: Duration, grace: Duration) async throws
        -> Rotation
    {
        let claimed = try await database.change(
            """
            UPDATE refresh_token SET used_at = \(now) WHERE hash = \(token.hash) AND used_at IS NULL AND expires_at > \(now)
                AND EXISTS (SELECT 1 FROM session WHERE session.id = refresh_token.session_id AND revoked_at IS NULL)
            """)
        guard let state = try await state(of: token) else { return .unknown }
        if claimed > 0 {
            try await add(successor, to: state.sessionID, at: now, lifetime: lifetime)
            return .rotated(state.accountID)
        }
        if state.revokedAt != nil { return .revoked }
        guard let usedAt = state.usedAt else { return .expired }
        if now.timeIntervalSince(usedAt) <= Double(grace.components.seconds) { return .rotated(state.accountID) }
        try await revoke(state.sessionID, at: now)
        return .reused
    }

    /// Ends the family of a token. Unknown tokens have none: nothing to end, nothing to tell.
    func revokeFamily(of token: RefreshToken, at now: Date) async throws {
        guard let state = try await state(of: token) else { return }
        try await revoke(state.sessionID, at: now)
    }

    private struct State: Decodable, Sendable {
        let sessionID: Identifier<Family>
        let accountID: Identifier<Account>
        let usedAt: Date?
        let revokedAt: Date?
    }

    private func state(of token: RefreshToken) async throws -> State? {
        try await database.first(
            State.self,
            """
            SELECT session_id, account_id, used_at, revoked_at FROM refresh_token JOIN session ON session.id = session_id
            WHERE hash = \(token.hash)
            """)
    }

    private func add(_ token: RefreshToken, to family: Identifier<Family>, at now: Date, lifetime: Duration) async throws {
        let expiry = now.addingTimeInterval(Double(lifetime.components.seconds))
        try await database.change(
            """
            INSERT INTO refresh_token (hash, session_id, created_at, expires_at) VALUES (\(token.hash), \(family), \(now), \(expiry))
            """)
    }

    private func revoke(_ family: Identifier<Family>, at now: Date) async throws {
        try await database.change("UPDATE session SET revoked_at = \(now) WHERE id = \(family) AND revoked_at IS NULL")
    }
}
