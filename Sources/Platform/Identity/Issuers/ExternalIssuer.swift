import Crypto

/// Somebody else whose access tokens are accepted, and what is taken from them.
public struct ExternalIssuer: Sendable {
    /// What its signatures are checked with.
    public struct Keys: Sendable {
        enum Place: Sendable {
            case secret(SymmetricKey, id: String?)
            case published(url: String)
        }
        let place: Place

        /// - Parameters:
        ///   - secret: Shared with the issuer; at least 32 bytes.
        ///   - id: What its tokens call it in `kid`; `nil` where they must not name one.
        public static func secret(_ secret: [UInt8], id: String?) -> Keys { Keys(place: .secret(SymmetricKey(data: secret), id: id)) }

        /// A key set (RFC 7517), fetched when it is first needed and when a token names a key that is not in it.
        public static func published(at url: String) -> Keys { Keys(place: .published(url: url)) }
    }

    /// Where in its tokens is what an account is made of: names of claims, each a way through objects.
    public struct Claims: Sendable {
        public var email: [String]
        public var username: [String]
        public var name: [String]
        /// `nil` where its roles mean nothing here.
        public var roles: [String]?

        public init(
            email: [String] = ["email"], username: [String] = ["preferred_username"], name: [String] = ["name"], roles: [String]? = nil
        ) {
            self.email = email
            self.username = username
            self.name = name
            self.roles = roles
        }
    }

    /// The `iss` claim, compared byte by byte.
    public var issuer: String
    /// What tokens must name as `aud`.
    public var audience: String
    /// What tokens may be signed with; whatever else the key could check is refused.
    public var algorithms: Set<TokenAlgorithm>
    public var keys: Keys
    public var claims: Claims
    /// What its roles are called here. Others mean nothing.
    public var roles: [String: String]
    /// Whether a first sign-in may find the account that has its e-mail address, provided the issuer says that it is verified.
    public var linksVerifiedEmail: Bool

    public init(
        issuer: String, audience: String, algorithms: Set<TokenAlgorithm>, keys: Keys, claims: Claims = Claims(),
        roles: [String: String] = [:], linksVerifiedEmail: Bool = false
    ) {
        self.issuer = issuer
        self.audience = audience
        self.algorithms = algorithms
        self.keys = keys
        self.claims = claims
        self.roles = roles
        self.linksVerifiedEmail = linksVerifiedEmail
    }
}
