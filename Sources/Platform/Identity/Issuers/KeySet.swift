import Crypto
import Foundation
import JWTKit
import MartletContract
import MartletCore

/// The keys out of a JSON Web Key Set (RFC 7517 §5) that can check tokens of an issuer, by their identifiers.
enum KeySet {
    static let mostBytes = 256 << 10
    static let mostKeys = 100

    /// Reads a key set. Keys of other kinds, for other uses and of algorithms that are not allowed are passed over (RFC 7517 §5), as are those
    /// without a `kid`; of two with the same nobody knows which is meant, and the set is refused.
    static func keys(
        in document: some Sequence<UInt8> & Sendable, allowing algorithms: Set<TokenAlgorithm>
    ) async throws(KeySetUnusable) -> [String: TokenKey] {
        guard case .array(let elements)? = try parsed(document)["keys"], elements.count <= mostKeys else {
            throw KeySetUnusable(reason: "it holds no list of at most \(mostKeys) keys")
        }
        var keys: [String: TokenKey] = [:]
        for element in elements {
            guard let key = await TokenKey(element, allowing: algorithms), let id = key.id else { continue }
            guard keys.updateValue(key, forKey: id) == nil else { throw KeySetUnusable(reason: "it names two keys the same") }
        }
        return keys
    }

    private static func parsed(_ document: some Sequence<UInt8>) throws(KeySetUnusable) -> JSON {
        do throws(Failure) {
            return try WireJSON.parse(document)
        } catch {
            throw KeySetUnusable(reason: "it is not JSON: \(error.message)")
        }
    }
}

/// Why a document is no key set for us.
struct KeySetUnusable: Error, CustomStringConvertible {
    let reason: String
    var description: String { "the key set cannot be used: \(reason)" }
}

extension TokenKey {
    /// A public key (RFC 7517 §4, RFC 7518 §6, RFC 8037 §2); `nil` when it is none that may check tokens.
    init?(_ json: JSON, allowing algorithms: Set<TokenAlgorithm>) async {
        guard json["use"].map({ $0 == "sig" }) ?? true, let id = json["kid"]?.text, let material = await Material(json) else { return nil }
        self.init(material: material, id: id)
        guard algorithms.contains(algorithm), json["alg"].map({ $0.text == algorithm.rawValue }) ?? true else { return nil }
    }
}

extension TokenKey.Material {
    /// What is no point of its curve, or a modulus of less than 2,048 bits or more than 4,096, is no key.
    init?(_ json: JSON) async {
        switch (json["kty"]?.text, json["crv"]?.text) {
        case ("EC", "P-256"):
            guard let x = json.bytes("x"), let y = json.bytes("y"), x.count == 32, y.count == 32,
                let key = try? P256.Signing.PublicKey(x963Representation: [0x04] + x + y)
            else { return nil }
            self = .p256(key)
        case ("OKP", "Ed25519"):
            guard let x = json.bytes("x"), let key = try? Curve25519.Signing.PublicKey(rawRepresentation: x) else { return nil }
            self = .ed25519(key)
        case ("RSA", nil):
            guard let modulus = json.bytes("n"), (256...512).contains(modulus.count), let exponent = json.bytes("e"),
                (1...4).contains(exponent.count), let key = try? await Self.rsa(Base64URL.encode(modulus), Base64URL.encode(exponent))
            else { return nil }
            self = .rsa(key)
        default: return nil
        }
    }

    private static func rsa(_ modulus: String, _ exponent: String) async throws -> any JWTAlgorithm {
        let key = try JWTKit.Insecure.RSA.PublicKey(modulus: modulus, exponent: exponent)
        return try await JWTKeyCollection().add(rsa: key, digestAlgorithm: .sha256).getKey()
    }
}

extension JSON {
    fileprivate func bytes(_ name: String) -> [UInt8]? { self[name]?.text.flatMap { Base64URL.decode($0) } }
}
