import Crypto
import Foundation
import JWTKit
import MartletContract
import MartletCore
import MartletIdentityAPI

/// A private key out of a file: PKCS#8 in PEM (RFC 5958, RFC 8410 §7), on P-256 or Ed25519.
struct TokenKeyFile: Sendable {
    let path: String
    let material: TokenSigner.Material
    let published: PublishedKey

    /// Reads a file; throws a sentence that names it and says what to do.
    init(path: String) throws(Failure) {
        let text: String
        do {
            text = try String(contentsOf: URL(filePath: path), encoding: .utf8)
        } catch {
            throw .unusableKeys("\(path) cannot be read: let this user read it.", cause: error)
        }
        try self.init(pem: text, path: path)
    }

    init(pem: String, path: String) throws(Failure) {
        self.path = path
        if let key = Self.ed25519(pem) {
            (material, published) = (.ed25519(key), PublishedKey(key.publicKey))
        } else if let key = try? P256.Signing.PrivateKey(pemRepresentation: pem) {
            (material, published) = (.p256(key), PublishedKey(key.publicKey))
        } else {
            throw .unusableKeys(
                "\(path) holds \(Self.kind(of: pem)): give a private key on P-256 or Ed25519, as `openssl genpkey -algorithm ed25519` makes one."
            )
        }
    }

    /// The parser takes any 32 bytes, those of an X25519 key too: the algorithm has to be named.
    private static func ed25519(_ pem: String) -> Curve25519.Signing.PrivateKey? {
        let lines = pem.split(whereSeparator: \.isNewline).filter { !$0.hasPrefix("-----") }
        guard let bytes = Data(base64Encoded: lines.joined()), bytes.prefix(24).range(of: Data(objectIdentifierOfEd25519)) != nil,
            let key = try? EdDSA.PrivateKey(pem: pem)
        else { return nil }
        return try? Curve25519.Signing.PrivateKey(rawRepresentation: key.rawRepresentation)
    }

    /// 1.3.101.112, in DER (RFC 8410 §3).
    private static let objectIdentifierOfEd25519: [UInt8] = [0x06, 0x03, 0x2B, 0x65, 0x70]

    private static func kind(of pem: String) -> String {
        if (try? P384.Signing.PrivateKey(pemRepresentation: pem)) != nil { return "a key on P-384" }
        if (try? P521.Signing.PrivateKey(pemRepresentation: pem)) != nil { return "a key on P-521" }
        if pem.contains("BEGIN PUBLIC KEY") { return "a public key" }
        if pem.contains("BEGIN ENCRYPTED PRIVATE KEY") { return "a key that needs a password" }
        return "no such key"
    }
}

extension PublishedKey {
    init(_ key: P256.Signing.PublicKey) {
        let point = key.rawRepresentation
        let (x, y) = (Base64URL.encode(point.prefix(32)), Base64URL.encode(point.dropFirst(32)))
        let id = Self.thumbprint(#"{"crv":"P-256","kty":"EC","x":"\#(x)","y":"\#(y)"}"#)
        self.init(kty: "EC", crv: "P-256", x: x, y: y, alg: TokenAlgorithm.es256.rawValue, kid: id)
    }

    init(_ key: Curve25519.Signing.PublicKey) {
        let x = Base64URL.encode(key.rawRepresentation)
        let id = Self.thumbprint(#"{"crv":"Ed25519","kty":"OKP","x":"\#(x)"}"#)
        self.init(kty: "OKP", crv: "Ed25519", x: x, y: nil, alg: TokenAlgorithm.edDSA.rawValue, kid: id)
    }

    /// RFC 7638 §3: of the required members alone, in the order of their names.
    private static func thumbprint(_ members: String) -> String {
        Base64URL.encode(SHA256.hash(data: Data(members.utf8)))
    }
}

extension Failure {
    static func unusableKeys(_ reason: String, cause: (any Error)? = nil) -> Failure {
        Failure(.internal, "token_keys_unusable", "JWT_KEY_FILES: \(reason)", cause: cause)
    }
}
