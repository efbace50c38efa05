import Foundation
import HTTPTypes
import JWTKit
import MartletContract
import MartletCore
import MartletHTTP
import Synchronization

/// Issues and checks access tokens: JWTs signed with HS256.
///
/// A token's header is read strictly before jwt-kit sees the token, and every claim is mandatory (RFC 8725).
struct AccessTokens: Authenticator {
    static let leeway: TimeInterval = 60
    private let keys: JWTKeyCollection
    private let policy: IdentityPolicy.Tokens
    private let denylist: Denylist
    private let clock: WallClock
    private let verified = VerifiedTokens()

    init(_ policy: IdentityPolicy.Tokens, denylist: Denylist, clock: WallClock) async {
        self.policy = policy
        self.denylist = denylist
        self.clock = clock
        keys = await JWTKeyCollection().add(hmac: HMACKey(key: policy.signingKey), digestAlgorithm: .sha256)
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
        return try await keys.sign(claims, header: ["typ": "JWT"])
    }

    func caller(of request: HTTPRequest) async throws -> Caller? {
        guard let field = request.headerFields[.authorization] else { return nil }
        let parts = field.split(separator: " ", maxSplits: 1)
        guard parts.count == 2, parts[0].lowercased() == "bearer" else { throw Self.invalid }
        return try await caller(with: String(parts[1]))
    }

    func caller(with token: String) async throws -> Caller {
        let now = clock.now
        if let known = verified.token(token, at: now) { return try admitted(known) }
        try TokenHeader.check(token)
        let claims: AccessClaims
        do {
            claims = try await keys.verify(token, as: AccessClaims.self)
        } catch {
            throw Self.invalid
        }
        let known = try verifiedToken(claims, at: now.timeIntervalSince1970)
        verified.remember(known, with: token)
        return try admitted(known)
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
        else { throw Self.invalid }
        guard now < claims.exp + Self.leeway else { throw .unauthenticated("token_expired", "The access token has expired.") }
        // Tokens of earlier releases have no session.
        let session = claims.sid.map { Identifier<LoginSession>($0[...]) }
        if case .some(.none) = session { throw Self.invalid }
        let organisation = claims.org.map { Identifier<Organisation>($0[...]) }
        if case .some(.none) = organisation { throw Self.invalid }
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

    private static let invalid = Failure.unauthenticated("invalid_token", "The access token is not valid.")
}

/// RFC 7519 §4.1, RFC 8693 §4.2; all mandatory but `nbf`, which we do not write and yet honour, and `sid` (OpenID Connect Front-Channel
/// Logout 1.0 §3), `auth_time` and `amr` (OpenID Connect Core 1.0 §2), which tokens of earlier releases lack; and `org`, the organisation that
/// the session acts for. Times are seconds since 1970.
private struct AccessClaims: JWTPayload {
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

    enum CodingKeys: String, CodingKey {
        case sub, sid, iat, exp, nbf, iss, aud, jti, scope, org, amr
        case authTime = "auth_time"
    }

    var authentication: Authentication? {
        guard let authTime, let amr else { return nil }
        return Authentication(methods: Set(amr), at: Date(timeIntervalSince1970: authTime))
    }

    /// The signature is all that jwt-kit checks here; `AccessTokens` checks the claims, against its own clock.
    func verify(using algorithm: some JWTAlgorithm) async throws {}
}

/// What must hold of a token before its signature is looked at (RFC 8725 §3.1, RFC 7515 §4.1.11 and §5.2).
enum TokenHeader {
    static let maximumLength = 4096

    static func check(_ token: String) throws(Failure) {
        let parts = token.split(separator: ".", omittingEmptySubsequences: false)
        guard token.utf8.count <= maximumLength, parts.count == 3, let header = Base64URL.decode(parts[0]),
            let payload = Base64URL.decode(parts[1]), Base64URL.decode(parts[2])?.count == 32
        else { throw invalid }
        guard case .object(let fields) = try parsed(header), case .object = try parsed(payload), areAllowed(fields) else { throw invalid }
    }

    /// The bounds of our parser hold before any other parser sees the bytes.
    private static func parsed(_ bytes: [UInt8]) throws(Failure) -> JSON {
        do throws(Failure) { return try WireJSON.parse(bytes) } catch { throw invalid }
    }

    /// `alg` must be the key's; `crit`, `kid` and whatever else would change the meaning is not ours.
    private static func areAllowed(_ fields: [JSON.Member]) -> Bool {
        fields.contains { $0.name == "alg" && $0.value == "HS256" }
            && fields.allSatisfy { $0.name == "alg" || ($0.name == "typ" && ($0.value.text?.uppercased() == "JWT")) }
    }

    private static let invalid = Failure.unauthenticated("invalid_token", "The access token is not valid.")
}

/// What was found out about a token.
private struct VerifiedToken {
    let caller: Caller
    let identity: TokenIdentity
    /// Until when it is accepted, in seconds since 1970.
    let until: TimeInterval
}

/// Tokens whose signature and claims were found right a moment ago, so that a caller's next requests need not prove it again.
///
/// Bounded: two generations of at most 4,096 each; a token is forgotten when it has not been used for that many others.
private final class VerifiedTokens: Sendable {
    fileprivate static let generation = 4096
    fileprivate struct Generations {
        var young: [String: VerifiedToken] = [:]
        var old: [String: VerifiedToken] = [:]
    }
    private let generations = Mutex(Generations())

    func token(_ token: String, at now: Date) -> VerifiedToken? {
        generations.withLock { generations in
            if let known = generations.young[token] { return known.until > now.timeIntervalSince1970 ? known : nil }
            guard let known = generations.old[token], known.until > now.timeIntervalSince1970 else { return nil }
            generations.add(known, token)
            return known
        }
    }

    func remember(_ known: VerifiedToken, with token: String) {
        generations.withLock { $0.add(known, token) }
    }
}

extension VerifiedTokens.Generations {
    fileprivate mutating func add(_ known: VerifiedToken, _ token: String) {
        if young.count >= VerifiedTokens.generation { (old, young) = (young, [:]) }
        young[token] = known
    }
}
