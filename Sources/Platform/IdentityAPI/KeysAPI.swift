public import MartletContract
import MartletCore

/// What others check our access tokens with.
public struct KeysAPI: API {
    public static let shared = KeysAPI()
    public static let name = "keys"

    public let published = Endpoint<NoContent, PublishedKeys>.get(
        "/.well-known/jwks.json", "Read the public keys of access tokens",
        details: """
            A JSON Web Key Set (RFC 7517); a token's `kid` names one of them. Empty where tokens are signed with a secret (HS256). It may be \
            kept for five minutes: a key is published before the first token is signed with it.
            """,
        allow: .anyone)
}

/// A JSON Web Key Set (RFC 7517 §5).
public struct PublishedKeys: Codable, Sendable, Equatable {
    public var keys: [PublishedKey]

    public init(keys: [PublishedKey]) {
        self.keys = keys
    }
}

/// A public key, as a JSON Web Key (RFC 7517 §4).
public struct PublishedKey: Codable, Sendable, Equatable {
    /// `EC` or `OKP`.
    public var kty: String
    /// `P-256` or `Ed25519`.
    public var crv: String
    /// In base64url.
    public var x: String
    /// In base64url; Ed25519 has none.
    public var y: String?
    /// Always `sig`.
    public var use: String
    /// `ES256` or `EdDSA`.
    public var alg: String
    /// The key's thumbprint (RFC 7638).
    public var kid: String

    public init(kty: String, crv: String, x: String, y: String?, alg: String, kid: String) {
        self.kty = kty
        self.crv = crv
        self.x = x
        self.y = y
        self.use = "sig"
        self.alg = alg
        self.kid = kid
    }
}
