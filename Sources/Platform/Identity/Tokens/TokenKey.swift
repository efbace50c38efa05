import Crypto
import Foundation
import JWTKit
import MartletContract

/// What tokens are signed with: the algorithms we know (RFC 7518 §3.1, RFC 8037 §3.1).
public enum TokenAlgorithm: String, Sendable, CaseIterable {
    case hs256 = "HS256"
    case rs256 = "RS256"
    case es256 = "ES256"
    case edDSA = "EdDSA"
}

/// A key that checks signatures, in one way only: which, the key says and never the token (RFC 8725 §3.1).
struct TokenKey: Sendable {
    enum Material: Sendable {
        case secret(SymmetricKey)
        case p256(P256.Signing.PublicKey)
        case ed25519(Curve25519.Signing.PublicKey)
        /// jwt-kit's, which takes moduli of 2,048 bits and more.
        case rsa(any JWTAlgorithm)
    }

    let material: Material
    /// What tokens call it; `nil` where they call it nothing.
    let id: String?

    var algorithm: TokenAlgorithm {
        switch material {
        case .secret: .hs256
        case .p256: .es256
        case .ed25519: .edDSA
        case .rsa: .rs256
        }
    }

    /// Whether the token was signed with this key. One that says it was signed in another way was not.
    func signed(_ token: CompactToken) -> Bool {
        guard token.algorithm == algorithm else { return false }
        return isSignature(token.signature, of: token.signedText)
    }

    /// Signatures have the one form that RFC 7518 §3 and RFC 8037 §3.1 give them: those of ES256 are 64 bytes, never DER.
    func isSignature(_ signature: [UInt8], of text: [UInt8]) -> Bool {
        switch material {
        case .secret(let key): HMAC<SHA256>.isValidAuthenticationCode(signature, authenticating: text, using: key)
        case .ed25519(let key): key.isValidSignature(signature, for: text)
        case .p256(let key):
            // What is no signature at all was not made with the key.
            (try? P256.Signing.ECDSASignature(rawRepresentation: signature)).map { key.isValidSignature($0, for: Data(text)) } ?? false
        case .rsa(let key): (try? key.verify(signature, signs: text)) ?? false
        }
    }
}

/// What signs our tokens.
struct TokenSigner: Sendable {
    enum Material: Sendable {
        case secret(SymmetricKey)
        case p256(P256.Signing.PrivateKey)
        case ed25519(Curve25519.Signing.PrivateKey)
    }

    let material: Material
    /// The header of every token, as its first segment.
    private let header: String

    init(_ material: Material, id: String?) throws {
        self.material = material
        let key = TokenKey(material: material.publicPart, id: id)
        let members = [("alg", key.algorithm.rawValue), ("kid", id), ("typ", "JWT")]
        let document = JSON.object(members.compactMap { name, value in value.map { JSON.Member(name, .string($0)) } })
        header = Base64URL.encode(try WireJSON.encode(document))
    }

    /// A token with these claims.
    func token(_ claims: some Encodable) throws -> String {
        let text = "\(header).\(Base64URL.encode(try WireJSON.encode(claims)))"
        return "\(text).\(Base64URL.encode(try signature(of: Data(text.utf8))))"
    }

    private func signature(of text: Data) throws -> [UInt8] {
        switch material {
        case .secret(let key): Array(HMAC<SHA256>.authenticationCode(for: text, using: key))
        case .p256(let key): Array(try key.signature(for: text).rawRepresentation)
        case .ed25519(let key): Array(try key.signature(for: text))
        }
    }
}

extension TokenSigner.Material {
    var publicPart: TokenKey.Material {
        switch self {
        case .secret(let key): .secret(key)
        case .p256(let key): .p256(key.publicKey)
        case .ed25519(let key): .ed25519(key.publicKey)
        }
    }
}
