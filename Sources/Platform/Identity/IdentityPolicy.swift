import Crypto
import Foundation
import MartletContract
import MartletCore
import MartletIdentityAPI

/// What an operator decides about accounts.
public struct IdentityPolicy: Sendable {
    public var hashing: Hashing
    public var tokens: Tokens
    public var cookies: Cookies
    /// Others whose access tokens are accepted.
    public var issuers: [ExternalIssuer] = []
    /// How long a refresh token lives when it is not used.
    public var refreshLifetime: Duration
    /// How long after its use a refresh token still yields the same successor, for callers that race.
    public var refreshGrace: Duration
    /// How many sessions an account may have at a time: one more ends the oldest. 0 means no limit.
    public var sessionsPerAccount: Int
    /// Roles whose holders have no permissions without a second factor; `any` is everybody's.
    public var mfaRequiredRoles: Set<String>

    public init(
        hashing: Hashing = Hashing(), tokens: Tokens, cookies: Cookies = Cookies(), refreshLifetime: Duration = .seconds(30 * 86_400),
        refreshGrace: Duration = .seconds(10), sessionsPerAccount: Int = 100, mfaRequiredRoles: Set<String> = []
    ) {
        self.hashing = hashing
        self.tokens = tokens
        self.cookies = cookies
        self.refreshLifetime = refreshLifetime
        self.refreshGrace = refreshGrace
        self.sessionsPerAccount = sessionsPerAccount
        self.mfaRequiredRoles = mfaRequiredRoles
    }

    /// Whether an account with these roles must have a second factor.
    func requiresSecondFactor(_ roles: RoleNames) -> Bool {
        mfaRequiredRoles.contains("any") || !mfaRequiredRoles.isDisjoint(with: roles.all.map(\.raw))
    }

    /// The cost of a password hash (Argon2id, RFC 9106). The defaults are OWASP's: 19 MiB, 2 passes, 1 lane.
    public struct Hashing: Sendable {
        public var memoryKiB: UInt32
        public var iterations: UInt32
        public var lanes: UInt32
        /// How many hashes are computed at once; each takes its memory.
        public var concurrency: Int

        public init(memoryKiB: UInt32 = 19_456, iterations: UInt32 = 2, lanes: UInt32 = 1, concurrency: Int = 2) {
            self.memoryKiB = memoryKiB
            self.iterations = iterations
            self.lanes = lanes
            self.concurrency = concurrency
        }
    }

    /// How tokens are made.
    public struct Tokens: Sendable {
        let signingKey: SymmetricKey
        let derivationKey: SymmetricKey
        /// What signed tokens before and signs no more.
        private(set) var previousKeys: [SymmetricKey] = []
        /// Private keys (PEM) that sign in place of the secret: the first signs, all check.
        public var keyFiles: [String] = []
        public var issuer: String
        public var audience: String
        /// How long an access token lives.
        public var lifetime: Duration

        /// - Parameters:
        ///   - signingSecret: Signs access tokens; at least 32 bytes.
        ///   - derivationSecret: Derives the successors of refresh tokens; at least 32 bytes.
        public init(
            signingSecret: [UInt8], derivationSecret: [UInt8], issuer: String, audience: String, lifetime: Duration = .seconds(1800)
        ) {
            signingKey = SymmetricKey(data: signingSecret)
            derivationKey = HKDF<SHA256>.deriveKey(
                inputKeyMaterial: SymmetricKey(data: derivationSecret), info: Data("martlet refresh tokens".utf8), outputByteCount: 32)
            self.issuer = issuer
            self.audience = audience
            self.lifetime = lifetime
        }

        /// Accepts tokens that were signed with other secrets before, each of at least 32 bytes.
        public mutating func accept(previousSecrets: [[UInt8]]) {
            previousKeys += previousSecrets.map { SymmetricKey(data: $0) }
        }

        /// The token that follows another: the same on every instance and every time, so that callers who race agree, though only hashes
        /// are stored. Without the server's secret nobody can compute it.
        func successor(of token: RefreshToken) -> RefreshToken {
            .of(HMAC<SHA256>.authenticationCode(for: Data(token.raw.utf8), using: derivationKey))
        }
    }

    /// Where refresh tokens may travel as cookies.
    public struct Cookies: Sendable {
        /// Whether cookies travel over TLS only.
        public var areSecure: Bool
        /// Origins beside the server's own whose pages may use the cookie.
        public var origins: [String]

        public init(areSecure: Bool = true, origins: [String] = []) {
            self.areSecure = areSecure
            self.origins = origins
        }
    }
}

extension RefreshToken {
    static func random() -> RefreshToken {
        of(SymmetricKey(size: .bits256).withUnsafeBytes { Array($0) })
    }

    /// 32 bytes always make a token.
    static func of(_ bytes: some Sequence<UInt8>) -> RefreshToken {
        do throws(Fault) {
            return try RefreshToken(Base64URL.encode(bytes))
        } catch {
            preconditionFailure("A refresh token is made of 32 bytes: \(error.message)")
        }
    }

    /// What is stored: a token has 256 bits of chance, so a plain hash keeps it.
    var hash: [UInt8] { Array(SHA256.hash(data: Data(raw.utf8))) }
}
