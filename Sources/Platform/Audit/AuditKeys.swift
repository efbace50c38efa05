import Crypto
import Foundation

/// What the heads of the chains are signed with: the key of the server's secret, and those of secrets before it, which are still recognised.
///
/// A key is derived by HKDF-SHA256 (RFC 5869), so that the secret serves other purposes too; its name is derived likewise and tells nothing
/// of it.
public struct AuditKeys: Sendable {
    let current: AuditKey
    private let all: [String: AuditKey]

    /// - Parameters:
    ///   - secret: At least 32 bytes.
    ///   - previous: Secrets by which heads may have been signed that nothing was appended to since.
    public init(secret: [UInt8], previous: [[UInt8]] = []) {
        current = AuditKey(secret: secret)
        let keys = previous.map(AuditKey.init) + [current]
        all = Dictionary(keys.map { ($0.id, $0) }, uniquingKeysWith: { _, last in last })
    }

    subscript(id: String) -> AuditKey? { all[id] }
}

/// One of them.
struct AuditKey: Sendable {
    /// 16 hexadecimal digits.
    let id: String
    private let key: SymmetricKey

    init(secret: [UInt8]) {
        let material = SymmetricKey(data: secret)
        func derived(_ purpose: String, _ count: Int) -> SymmetricKey {
            HKDF<SHA256>.deriveKey(inputKeyMaterial: material, info: Data(purpose.utf8), outputByteCount: count)
        }
        key = derived("martlet audit heads", 32)
        id = derived("martlet audit key name", 8).withUnsafeBytes { Array($0).hexadecimal }
    }

    func signature(of bytes: [UInt8]) -> [UInt8] { Array(HMAC<SHA256>.authenticationCode(for: Data(bytes), using: key)) }

    /// Takes the same time wherever they differ.
    func isSignature(_ signature: [UInt8], of bytes: [UInt8]) -> Bool {
        HMAC<SHA256>.isValidAuthenticationCode(signature, authenticating: Data(bytes), using: key)
    }
}
