public import MartletContract
public import MartletCore

/// A new password: 8 to 128 characters. Whether it is too common or too close to the name is the server's to say.
///
/// Never printed: descriptions and mirrors show dots.
public struct Password: Parsed, Concealed {
    public static let schema = Schema.string(format: .password, length: 8...128, "8 to 128 characters; not a common one.")
    public static let example = "correct horse battery"
    public let raw: String

    public init(_ raw: String) throws(Fault) {
        guard (8...128).contains(raw.unicodeScalars.count) else {
            throw Fault(code: raw.unicodeScalars.count < 8 ? "too_short" : "too_long", message: "This must have 8 to 128 characters.")
        }
        self.raw = raw
    }
}

/// A password as given at a login, where the rules for new ones do not apply.
public struct GivenPassword: Parsed, Concealed {
    public static let schema = Schema.string(format: .password, length: 1...128)
    public static let example = "the present password"
    public let raw: String

    public init(_ raw: String) throws(Fault) {
        guard (1...128).contains(raw.unicodeScalars.count) else {
            throw Fault(code: raw.isEmpty ? "empty" : "too_long", message: "This must have 1 to 128 characters.")
        }
        self.raw = raw
    }
}

/// A token that can be exchanged for new tokens, once: 32 random bytes in base64url.
public struct RefreshToken: Parsed, Concealed {
    public static let schema = Schema.string(length: 43...43, pattern: "^[A-Za-z0-9_-]{43}$")
    public static let example = "q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA"
    public let raw: String

    public init(_ raw: String) throws(Fault) {
        guard raw.utf8.count == 43, Base64URL.decode(raw) != nil else {
            throw Fault(code: "invalid_format", message: "This is not a refresh token.")
        }
        self.raw = raw
    }
}

/// What a mail confides to whoever reads it, good for one use: 32 random bytes in base64url.
public struct MailToken: Parsed, Concealed {
    public static let schema = Schema.string(length: 43...43, pattern: "^[A-Za-z0-9_-]{43}$")
    public static let example = "yZ0vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA"
    public let raw: String

    public init(_ raw: String) throws(Fault) {
        guard raw.utf8.count == 43, Base64URL.decode(raw) != nil else {
            throw Fault(code: "invalid_format", message: "This is not a token from a mail.")
        }
        self.raw = raw
    }
}

/// A value that descriptions, dumps and mirrors do not show.
public protocol Concealed: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {}

extension Concealed {
    public var description: String { "•••" }
    public var debugDescription: String { "•••" }
    public var customMirror: Mirror { Mirror(self, children: []) }
}
