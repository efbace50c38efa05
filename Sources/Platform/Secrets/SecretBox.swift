// MartletSecrets: what has to be read again is stored sealed, so that a copy of the database gives it to nobody.

import Crypto
import Foundation

/// Seals values for storage with AES-256-GCM (NIST SP 800-38D), and opens them again.
///
/// A sealed value is bound to what it is for: the purpose, with the row that it belongs to, is authenticated, so that a value that was moved
/// to another row or column does not open. Its form: the version 1 (1 byte), the id of the key (8), the nonce (12), what is sealed, the tag
/// (16). Nonces are random: one key is good for 2³² values. Safe to use from any task; never printed.
public struct SecretBox: Sendable {
    private let current: Key
    private let keys: [Key]

    /// - Parameters:
    ///   - current: Derives the key that seals; at least 32 bytes that nobody can guess.
    ///   - previous: Derive the keys of values that were sealed before; `current` may be among them.
    public init(current: [UInt8], previous: [[UInt8]] = []) {
        self.current = Key(secret: current)
        keys = [self.current] + previous.map(Key.init)
    }

    /// Seals bytes for a purpose, such as `identity.totp:` and the account's id. Each time the result is another.
    public func seal(_ bytes: [UInt8], for purpose: String) throws -> [UInt8] {
        let header = [Self.version] + current.id
        let box = try AES.GCM.seal(Data(bytes), using: current.key, authenticating: Data(header + Array(purpose.utf8)))
        return header + Array(box.nonce) + Array(box.ciphertext) + Array(box.tag)
    }

    /// The bytes that were sealed for this very purpose; throws ``Unreadable`` for anything else.
    public func open(_ sealed: [UInt8], for purpose: String) throws(Unreadable) -> [UInt8] {
        guard sealed.count >= Self.overhead, sealed[0] == Self.version else { throw .damaged }
        let header = sealed.prefix(Self.headerLength)
        guard let key = keys.first(where: { $0.id.elementsEqual(header.dropFirst()) }) else { throw .unknownKey }
        do {
            let box = try AES.GCM.SealedBox(combined: Data(sealed.dropFirst(Self.headerLength)))
            return Array(try AES.GCM.open(box, using: key.key, authenticating: Data(header) + Data(purpose.utf8)))
        } catch {
            throw .damaged
        }
    }

    /// Whether a value was sealed with the current key; what was not waits for ``SecretRotation``.
    public func isCurrent(_ sealed: [UInt8]) -> Bool {
        sealed.starts(with: [Self.version] + current.id)
    }

    /// Why a sealed value does not open. It tells nothing of what is inside.
    public enum Unreadable: String, Error, CustomStringConvertible {
        /// None of the keys that are set sealed it: a previous one is missing.
        case unknownKey
        /// It was changed, cut, moved to another place, or never sealed here.
        case damaged

        public var description: String {
            switch self {
            case .unknownKey: "A stored secret was sealed with a key that is not set: add it to PREVIOUS_SECRET_KEYS."
            case .damaged: "A stored secret is damaged, or belongs to another row."
            }
        }
    }

    private static let version: UInt8 = 1
    private static let headerLength = 9
    /// What a value has beside its content: header, nonce and tag.
    private static let overhead = headerLength + 12 + 16

    /// Derived from a secret (HKDF, RFC 5869), apart from all else that is derived from it.
    private struct Key {
        let key: SymmetricKey
        let id: [UInt8]

        init(secret: [UInt8]) {
            func derive(_ use: String, _ count: Int) -> SymmetricKey {
                HKDF<SHA256>.deriveKey(inputKeyMaterial: SymmetricKey(data: secret), info: Data(use.utf8), outputByteCount: count)
            }
            key = derive("martlet secrets at rest", 32)
            id = derive("martlet secrets at rest: id", 8).withUnsafeBytes { Array($0) }
        }
    }
}

extension SecretBox: CustomStringConvertible, CustomReflectable {
    public var description: String { "SecretBox" }
    public var customMirror: Mirror { Mirror(self, children: []) }
}
