import Foundation
import HTTPTypes
import MartletContract
import MartletCore
import MartletHTTP
import MartletIdentityAPI

/// Issues access tokens and checks them, also those of other issuers: JWTs, whose way in is strict (RFC 8725).
///
/// A token is read by ``CompactToken`` alone, its signature is checked in the one way of its key, and every claim is mandatory.
struct AccessTokens: Authenticator {
    static let leeway: TimeInterval = 60
    private let keys: TokenKeys
    private let external: ExternalTokens?
    private let policy: IdentityPolicy.Tokens
    private let denylist: Denylist
    private let clock: WallClock
    private let verified = Remembered<VerifiedToken>()

    /// - Parameter external: Checks tokens of other issuers; `nil` where there are none.
    init(_ policy: IdentityPolicy.Tokens, external: ExternalTokens?, denylist: Denylist, clock: WallClock) throws {
        self.policy = policy
        self.external = external
        self.denylist = denylist
        self.clock = clock
        keys = try TokenKeys(policy)
    }

    var publishedKeys: PublishedKeys { keys.published }

    /// Reads the files of keys anew; throws a `Failure`, and then keeps what it had.
    func reloadKeys() throws {
        try keys.reload()
        verified.forgetAll()
    }

    /// - Parameters:
    ///   - proof: How and when the account proved who it is.
    ///   - now: When the entitlements began to be read. Whoever takes some of them ends the tokens that were issued until then.
    func issue(
        to account: Identifier<Account>, session: Identifier<LoginSession>, _ entitlements: Entitlements, proof: Authentication,
        at now: Date
    ) async throws -> String {
        let claims = AccessClaims(
            sub: account.description, sid: session.description,
            // To the millisecond: which of two tokens of one second came after the access was ended is told apart.
            iat: (now.timeIntervalSince1970 * 1000).rounded(.down) / 1000,
            exp: (now.timeIntervalSince1970 + Double(policy.lifetime.components.seconds)).rounded(.down), nbf: nil, iss: policy.issuer,
            aud: policy.audience, jti: Identifier<AccessClaims>().description,
            scope: entitlements.permissions.sorted().map(\.raw).joined(separator: " "), org: entitlements.organisation?.description,
            authTime: proof.at.timeIntervalSince1970.rounded(.down), amr: proof.methods.sorted())
        return try keys.sign(claims)
    }

    func caller(of request: HTTPRequest) async throws -> Caller? {
        guard let field = request.headerFields[.authorization] else { return nil }
        let parts = field.split(separator: " ", maxSplits: 1)
        guard parts.count == 2, parts[0].lowercased() == "bearer" else { throw Failure.invalidToken }
        return try await caller(with: String(parts[1]))
    }

    func caller(with token: String) async throws -> Caller {
        let now = clock.now
        if let known = verified.value(of: token, at: now) { return try admitted(known) }
        let era = verified.era
        let read = try CompactToken(token, upTo: external == nil ? CompactToken.longest : ExternalTokens.longest)
        let known =
            if let external, external.claim(read) { try await external.verified(read, at: now) } else { try own(read, token, at: now) }
        verified.remember(known, with: token, of: era)
        return try admitted(known)
    }

    private func own(_ read: CompactToken, _ token: String, at now: Date) throws(Failure) -> VerifiedToken {
        guard token.utf8.count <= CompactToken.longest, (read.type ?? "JWT") == "JWT" else { throw .invalidToken }
        try keys.verify(read)
        do {
            return try verifiedToken(WireJSON.decode(AccessClaims.self, from: read.claims), at: now.timeIntervalSince1970)
        } catch {
            throw error as? Failure ?? .invalidToken
        }
    }

    /// The caller, unless the access has been ended; asked for each request, also of tokens that were verified before.
    private func admitted(_ token: VerifiedToken) throws(Failure) -> Caller {
        guard !denylist.holds(token.identity) else {
            throw .unauthenticated("token_revoked", "The session of this access token has ended.")
        }
        return token.caller
    }

    private func verifiedToken(_ claims: AccessClaims, at now: TimeInterval) throws(Failure) -> VerifiedToken {
        guard claims.iss == policy.issuer, claims.aud == policy.audience, !claims.jti.isEmpty,
            let id = Identifier<Account>(claims.sub[...]),
            max(claims.iat, claims.nbf ?? claims.iat) <= now + Self.leeway
        else { throw .invalidToken }
        guard now < claims.exp + Self.leeway else { throw .tokenExpired }
        // Tokens of earlier releases have no session.
        let session = claims.sid.map { Identifier<LoginSession>($0[...]) }
        if case .some(.none) = session { throw .invalidToken }
        let organisation = claims.org.map { Identifier<Organisation>($0[...]) }
        if case .some(.none) = organisation { throw .invalidToken }
        return VerifiedToken(
            caller: Caller(
                id: id, permissions: Self.permissions(in: claims.scope), organisation: organisation ?? nil, session: session ?? nil,
                authentication: claims.authentication),
            identity: TokenIdentity(account: id, session: session ?? nil, issuedAt: Date(timeIntervalSince1970: claims.iat)),
            until: claims.exp + Self.leeway)
    }

    /// A name that is no permission of ours means nothing here (RFC 6749 §3.3).
    private static func permissions(in scope: String) -> Set<Permission> {
        Set(scope.split(separator: " ").compactMap { try? Permission(String($0)) })
    }
}

/// RFC 7519 §4.1, RFC 8693 §4.2; all mandatory but `nbf`, which we do not write and yet honour, and `sid` (OpenID Connect Front-Channel
/// Logout 1.0 §3), `auth_time` and `amr` (OpenID Connect Core 1.0 §2), which tokens of earlier releases lack; and `org`, the organisation that
/// the session acts for. Times are seconds since 1970.
private struct AccessClaims: Codable {
    let sub: String
    let sid: String?
    let iat: TimeInterval
    let exp: TimeInterval
    let nbf: TimeInterval?
    let iss: String
    let aud: String
    let jti: String
    let scope: String
    let org: String?
    let authTime: TimeInterval?
    let amr: [String]?

    var authentication: Authentication? {
        guard let authTime, let amr else { return nil }
        return Authentication(methods: Set(amr), at: Date(timeIntervalSince1970: authTime))
    }
}
