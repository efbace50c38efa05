import Foundation
import HTTPTypes
import MartletCore
import MartletHTTP
import MartletIdentityAPI
import MartletStorage

/// Adds to an authenticator the judgement whether a caller has proven who they are lately, and well enough.
struct RecentAuthentication: Authenticator {
    let authenticator: any Authenticator
    let database: any Database
    let clock: WallClock

    func caller(of request: HTTPRequest) async throws -> Caller? {
        try await authenticator.caller(of: request)
    }

    /// Whether the account has a second factor is asked now, not when the token was issued: once it has one, the password alone is not enough.
    func requireRecent(_ caller: Caller, within age: Duration) async throws {
        guard let proof = caller.authentication, clock.now.timeIntervalSince(proof.at) <= age / .seconds(1) else {
            throw Failure.stepUpRequired(within: age)
        }
        if proof.isMultiFactor { return }
        if try await SecondFactorStore.isOn(for: caller.id, in: database) { throw Failure.stepUpRequired(within: age) }
    }
}

/// The SQL of how and when the owner of a session proved who they are. A refreshed token says what its session says.
struct SessionProofStore: Sendable {
    private let database: any Queries

    init(_ database: any Queries) {
        self.database = database
    }

    private struct Row: Decodable, Sendable {
        let methods: String
        let at: Date
        let disabledAt: Date?
    }

    /// Throws `forbidden` when the account of the session is disabled.
    func proof(of session: Identifier<LoginSession>) async throws -> Authentication {
        let row = try await database.one(
            Row.self,
            """
            SELECT authentication_methods AS methods, coalesce(authenticated_at, session.created_at) AS at, disabled_at
            FROM session JOIN account ON account.id = session.account_id WHERE session.id = \(session)
            """, else: Self.ended)
        guard row.disabledAt == nil else { throw AccountStore.disabled }
        return Authentication(methods: Set(row.methods.split(separator: " ").map(String.init)), at: row.at)
    }

    /// Notes a proof; throws `unauthenticated` when the session is another's, or has ended.
    func note(_ proof: Authentication, of session: Identifier<LoginSession>, account: Identifier<Account>) async throws {
        try await database.change(
            """
            UPDATE session SET authentication_methods = \(proof.list), authenticated_at = \(proof.at)
            WHERE id = \(session) AND account_id = \(account) AND revoked_at IS NULL
            """, else: Self.ended)
    }

    private static let ended = Failure.unauthenticated("token_revoked", "The session of this access token has ended.")
}

extension Authentication {
    /// The methods, as they are stored.
    var list: String { methods.sorted().joined(separator: " ") }

    static func password(at moment: Date) -> Authentication { Authentication(methods: ["pwd"], at: moment) }
    /// The password, and a code of the authenticator.
    static func passwordAndCode(at moment: Date) -> Authentication { Authentication(methods: ["pwd", "otp", "mfa"], at: moment) }
    /// RFC 8176 has no name for recovery codes: that it was more than one factor is what counts.
    static func passwordAndRecoveryCode(at moment: Date) -> Authentication { Authentication(methods: ["pwd", "mfa"], at: moment) }
}
