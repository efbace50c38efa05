import Foundation
import MartletContract
import MartletCore
import MartletHTTP
import MartletStorage

/// Checks access tokens of others, each by its issuer's keys alone (RFC 8725 §3.8), and finds the accounts that they are about.
struct ExternalTokens: Sendable {
    /// The most bytes of a token: others list groups and roles in theirs.
    static let longest = 8192
    /// In seconds. Ended access is remembered for this long, and a token that lived longer would outlive its end.
    static let longestLifetime: TimeInterval = 86_400
    /// In seconds. Keys may be withdrawn, and accounts removed, so that after this time a token is looked at again.
    static let remembered: TimeInterval = 300

    private let issuers: [String: Known]
    private let accounts: ExternalAccounts
    private let permissions: @Sendable (Set<String>) -> Set<Permission>

    private struct Known: Sendable {
        let issuer: ExternalIssuer
        let keys: IssuerKeys
    }

    /// - Parameter permissions: What callers with these roles may do.
    init(
        _ issuers: [ExternalIssuer], accounts: ExternalAccounts, keySets: KeySetFetching,
        permissions: @escaping @Sendable (Set<String>) -> Set<Permission>
    ) {
        let known = issuers.map { ($0.issuer, Known(issuer: $0, keys: IssuerKeys($0, keySets))) }
        self.issuers = Dictionary(known) { first, _ in first }
        (self.accounts, self.permissions) = (accounts, permissions)
    }

    /// Whether a token says that it is one of theirs; then it can be nobody else's.
    func claim(_ token: CompactToken) -> Bool { issuer(of: token) != nil }

    private func issuer(of token: CompactToken) -> Known? { token.claims["iss"]?.text.flatMap { issuers[$0] } }

    /// What a token of theirs says, once its claims and its signature were checked; the account is made when there is none.
    ///
    /// Claims come first: nobody fetches keys for a token that is out of date or for somebody else.
    func verified(_ token: CompactToken, at now: Date) async throws -> VerifiedToken {
        guard let known = issuer(of: token), known.issuer.algorithms.contains(token.algorithm) else { throw Failure.invalidToken }
        let claims = try ExternalClaims(token.claims, of: known.issuer, at: now.timeIntervalSince1970)
        guard let key = try await known.keys.key(token.keyID), key.signed(token) else { throw Failure.invalidToken }
        let account = try await accounts.account(of: claims, by: known.issuer)
        return VerifiedToken(
            caller: Caller(id: account, permissions: permissions(claims.roles)),
            // Seen by now: one that an issuer dates ahead must not outlive an end of the access that comes next.
            identity: TokenIdentity(account: account, session: nil, issuedAt: min(now, Date(timeIntervalSince1970: claims.issuedAt))),
            until: min(claims.expiresAt + AccessTokens.leeway, now.timeIntervalSince1970 + Self.remembered))
    }
}
