public import MartletContract
public import MartletCore

/// A code of an authenticator (RFC 6238): 6 digits. Never printed.
public struct TOTPCode: Parsed, Concealed {
    public static let schema = Schema.string(length: 6...6, pattern: "^[0-9]{6}$", "What the authenticator shows.")
    public static let example = "492039"
    public let raw: String

    public init(_ raw: String) throws(Fault) {
        guard raw.utf8.count == 6, raw.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) else {
            throw Fault(code: "invalid_format", message: "This must be 6 digits.")
        }
        self.raw = raw
    }
}

/// A code that takes an authenticator's place, once: 80 random bits in base32, such as `abcd-efgh-ijkl-mnop`.
///
/// People type it: case does not matter, nor do hyphens and spaces. Never printed.
public struct RecoveryCode: Parsed, Concealed {
    public static let schema = Schema.string(length: 16...19, "A recovery code: 16 letters and digits, with or without hyphens.")
    public static let example = "abcd-efgh-ijkl-mnop"
    /// In lower case, with hyphens.
    public let raw: String

    public init(_ raw: String) throws(Fault) {
        let letters = raw.lowercased().utf8.filter { $0 != UInt8(ascii: "-") && $0 != UInt8(ascii: " ") }
        guard raw.utf8.count <= 19, letters.count == 16, letters.allSatisfy({ "abcdefghijklmnopqrstuvwxyz234567".utf8.contains($0) }) else {
            throw Fault(code: "invalid_format", message: "This is not a recovery code.")
        }
        let groups = stride(from: 0, to: 16, by: 4).map { String(decoding: letters[$0..<$0 + 4], as: UTF8.self) }
        self.raw = groups.joined(separator: "-")
    }
}

/// What one kind of token is for: no other kind takes its place.
public enum MFALoginPurpose {}
public enum RememberedDevicePurpose {}

/// A token that stands for nothing but what the server noted beside it: 32 random bytes in base64url. Never printed.
public struct OpaqueToken<Purpose>: Parsed, Concealed {
    public static var schema: Schema { .string(length: 43...43, pattern: "^[A-Za-z0-9_-]{43}$") }
    public static var example: String { "q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA" }
    public let raw: String

    public init(_ raw: String) throws(Fault) {
        guard raw.utf8.count == 43, Base64URL.decode(raw) != nil else {
            throw Fault(code: "invalid_format", message: "This is not a token of the server's.")
        }
        self.raw = raw
    }
}

/// Takes a login to its second factor, once.
public typealias MFAToken = OpaqueToken<MFALoginPurpose>
/// Spares a device the second factor.
public typealias DeviceToken = OpaqueToken<RememberedDevicePurpose>
