import Crypto

/// Names one account in the keys of limits, however its login name is written.
package enum LoginDigest {
    /// 128 bits of SHA-256, in hexadecimal.
    package static func of(_ login: String) -> String {
        let digest = SHA256.hash(data: Array(login.lowercased().utf8))
        return digest.prefix(16).map { byte in String(byte >> 4, radix: 16) + String(byte & 15, radix: 16) }.joined()
    }
}
