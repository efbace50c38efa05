import Foundation
import MartletCore
import MartletHTTP
import MartletIdentityAPI
import MartletStorage

/// The SQL of sessions: each login begins a family of refresh tokens, in which every token follows another.
struct SessionStore: Sendable {
    let database: any Queries

    init(_ database: any Queries) {
        self.database = database
    }

    typealias Family = LoginSession

    /// Begins a family with its first token. Throws `unauthenticated` when there is no such account any more, `forbidden` when it is disabled.
    func open(
        _ token: RefreshToken, account: Identifier<Account>, from origin: SessionOrigin, provenBy proof: Authentication, at now: Date,
        lifetime: Duration
    ) async throws -> Identifier<Family> {
        let family = Identifier<Family>()
        // Whoever disables the account waits for this, or this for them.
        let begun = try await database.change(
            """
            INSERT INTO session (id, account_id, created_at, device, address, seen_at, authenticated_at, authentication_methods)
            SELECT \(family), id, \(now), \(origin.device), \(origin.address), \(now), \(proof.at), \(proof.list)
            FROM account WHERE id = \(account) AND disabled_at IS NULL\(SQL.locked)
            """)
        guard begun > 0 else {
            // It may have been deleted between the password and the session.
            throw try await AccountStore(database).first(account) == nil ? AccountStore.gone : AccountStore.disabled
        }
        try await add(token, to: family, at: now, lifetime: lifetime)
        return family
    }

    enum Rotation {
        case rotated(Identifier<Account>, Identifier<Family>)
        case unknown, expired, revoked, disabled
        /// The family was ended for it.
        case reused(Identifier<Family>)

        var failure: Failure {
            switch self {
            case .reused: .unauthenticated("refresh_token_reused", "This refresh token was used before: its sessions were ended.")
            case .disabled: AccountStore.disabled
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
                AND EXISTS (SELECT 1 FROM session JOIN account ON account.id = session.account_id
                    WHERE session.id = refresh_token.session_id AND revoked_at IS NULL AND disabled_at IS NULL)
            """)
        guard let state = try await state(of: token) else { return .unknown }
        if claimed > 0 {
            try await add(successor, to: state.sessionID, at: now, lifetime: lifetime)
            try await noteSeen([state.sessionID], at: now)
            return .rotated(state.accountID, state.sessionID)
        }
        if state.revokedAt != nil { return .revoked }
        if state.disabledAt != nil { return .disabled }
        guard let usedAt = state.usedAt else { return .expired }
        if now.timeIntervalSince(usedAt) <= Double(grace.components.seconds) {
            return .rotated(state.accountID, state.sessionID)
        }
        try await revoke(state.sessionID, at: now)
        return .reused(state.sessionID)
    }

    /// Ends the family of a token, and returns it; `nil` when it had ended. Unknown tokens have none: nothing to end, nothing to tell.
    func revokeFamily(of token: RefreshToken, at now: Date) async throws -> Identifier<Family>? {
        guard let state = try await state(of: token) else { return nil }
        return try await revoke(state.sessionID, at: now) ? state.sessionID : nil
    }

    private struct State: Decodable, Sendable {
        let sessionID: Identifier<Family>
        let accountID: Identifier<Account>
        let usedAt: Date?
        let revokedAt: Date?
        let disabledAt: Date?
    }

    private func state(of token: RefreshToken) async throws -> State? {
        try await database.first(
            State.self,
            """
            SELECT session_id, account_id, used_at, revoked_at, disabled_at FROM refresh_token JOIN session ON session.id = session_id
            JOIN account ON account.id = session.account_id WHERE hash = \(token.hash)
            """)
    }

    private func add(_ token: RefreshToken, to family: Identifier<Family>, at now: Date, lifetime: Duration) async throws {
        let expiry = now.addingTimeInterval(Double(lifetime.components.seconds))
        try await database.change(
            """
            INSERT INTO refresh_token (hash, session_id, created_at, expires_at) VALUES (\(token.hash), \(family), \(now), \(expiry))
            """)
    }

    @discardableResult
    private func revoke(_ family: Identifier<Family>, at now: Date) async throws -> Bool {
        try await database.change("UPDATE session SET revoked_at = \(now) WHERE id = \(family) AND revoked_at IS NULL") > 0
    }
}
