import Crypto
import CryptoExtras
import Foundation
import MartletCore

/// PBKDF2 (RFC 8018 §5.2) as Werkzeug writes it, `pbkdf2:sha256:600000$salt$hash` in hexadecimal, and as Django does,
/// `pbkdf2_sha256$600000$salt$hash` in base64. The salt is text, the hash as long as its function's.
struct PBKDF2Hash: Sendable, Equatable {
    static let mostRounds = 10_000_000

    private enum Function: String {
        case sha1, sha256, sha512

        var length: Int {
            switch self {
            case .sha1: 20
            case .sha256: 32
            case .sha512: 64
            }
        }

        var known: KDF.Insecure.PBKDF2.HashFunction {
            switch self {
            case .sha1: .insecureSHA1
            case .sha256: .sha256
            case .sha512: .sha512
            }
        }
    }

    private let function: Function
    private let rounds: Int
    private let salt: [UInt8]
    private let key: [UInt8]

    /// - Parameter parts: Those of the text between the `$`.
    init(werkzeug parts: [Substring]) throws(Fault) {
        let method = parts[0].split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 3, method.count == 3 else { throw ImportedHash.unknown }
        try self.init(method[1], rounds: method[2], salt: parts[1], key: HashText.bytes(hexadecimal: parts[2]))
    }

    /// - Parameter parts: Those of the text between the `$`.
    init(django parts: [Substring]) throws(Fault) {
        guard parts.count == 4 else { throw ImportedHash.unknown }
        let key = Data(base64Encoded: String(parts[3])).map(Array.init)
        try self.init(parts[0].dropFirst("pbkdf2_".count), rounds: parts[1], salt: parts[2], key: key)
    }

    private init(_ name: Substring, rounds: Substring, salt: Substring, key: [UInt8]?) throws(Fault) {
        guard let function = Function(rawValue: String(name)), let rounds = HashText.number(rounds), rounds > 0, let key,
            key.count == function.length, let salt = HashText.salt(salt)
        else { throw ImportedHash.unknown }
        guard rounds <= Self.mostRounds else { throw ImportedHash.tooCostly }
        (self.function, self.rounds, self.salt, self.key) = (function, rounds, salt, key)
    }

    func matches(_ password: String) throws -> Bool {
        let derived = try KDF.Insecure.PBKDF2.deriveKey(
            from: Data(password.utf8), salt: Data(salt), using: function.known, outputByteCount: key.count, unsafeUncheckedRounds: rounds)
        return derived == SymmetricKey(data: key)
    }
}

/// How the parts of hashes are written.
enum HashText {
    /// `nil` for anything but whole bytes in hexadecimal digits.
    static func bytes(hexadecimal text: Substring) -> [UInt8]? {
        let digits = text.utf8.compactMap { Character(UnicodeScalar($0)).hexDigitValue }
        guard digits.count == text.utf8.count, digits.count.isMultiple(of: 2) else { return nil }
        return stride(from: 0, to: digits.count, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
    }

    /// `nil` for anything but digits, and for numbers beyond those of an `Int`.
    static func number(_ text: Substring) -> Int? {
        text.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) } ? Int(text) : nil
    }

    /// A salt is its own text.
    static func salt(_ text: Substring) -> [UInt8]? {
        (1...128).contains(text.utf8.count) ? Array(text.utf8) : nil
    }
}
