import Crypto
import MartletCore
import MartletIdentityAPI
import Synchronization

/// The keys of our own tokens: one signs, all of them check.
///
/// Keys out of files have an identifier, and a token of theirs must name it. Secrets have none: a token that names none is checked with each
/// secret, which are few. So a new key or secret comes into use while tokens of the one before are still about.
final class TokenKeys: Sendable {
    private struct Ring: Sendable {
        var signer: TokenSigner
        var named: [String: TokenKey]
        var published: PublishedKeys
    }

    private let secret: SymmetricKey
    private let paths: [String]
    /// Of tokens that name no key.
    private let secrets: [TokenKey]
    private let ring: Mutex<Ring>

    /// Throws a `Failure` that says what to do when a file holds no usable key, or two hold the same.
    init(_ policy: IdentityPolicy.Tokens) throws {
        (secret, paths) = (policy.signingKey, policy.keyFiles)
        // Where files sign, the present secret never did.
        secrets = ((paths.isEmpty ? [secret] : []) + policy.previousKeys).map { TokenKey(material: .secret($0), id: nil) }
        ring = Mutex(try Self.ring(of: paths, orElse: secret))
    }

    var published: PublishedKeys { ring.withLock { $0.published } }

    /// A token with these claims, signed with the first key.
    func sign(_ claims: some Encodable) throws -> String {
        try ring.withLock { $0.signer }.token(claims)
    }

    /// Throws `invalid_token` unless one of the keys signed the token.
    func verify(_ token: CompactToken) throws(Failure) {
        let isSigned: Bool
        if let id = token.keyID {
            isSigned = ring.withLock { $0.named[id] }?.signed(token) ?? false
        } else {
            isSigned = secrets.contains { $0.signed(token) }
        }
        guard isSigned else { throw .invalidToken }
    }

    /// Reads the files anew; throws as the initialiser does, and then keeps what it had.
    func reload() throws {
        let fresh = try Self.ring(of: paths, orElse: secret)
        ring.withLock { $0 = fresh }
    }

    private static func ring(of paths: [String], orElse secret: SymmetricKey) throws -> Ring {
        let files = try paths.map { try TokenKeyFile(path: $0) }
        var named: [String: TokenKey] = [:]
        for file in files {
            let id = file.published.kid
            guard named.updateValue(TokenKey(material: file.material.publicPart, id: id), forKey: id) == nil else {
                throw Failure.unusableKeys("\(file.path) holds the same key as a file before it (kid \(id)): name each key once.")
            }
        }
        let signer = try TokenSigner(files.first?.material ?? .secret(secret), id: files.first?.published.kid)
        return Ring(signer: signer, named: named, published: PublishedKeys(keys: files.map(\.published)))
    }
}
