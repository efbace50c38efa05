public import MartletCore

/// Text whose length lies within the bounds that `Limits` names; trimmed of surrounding white space, free of control characters.
///
/// ```swift
/// public enum TitleLimits: TextLimits { public static let length = 1...200 }
/// public typealias Title = Text<TitleLimits>
/// ```
public struct Text<Limits: TextLimits>: Parsed {
    public static var schema: Schema { .string(length: Limits.length, Limits.summary) }
    public static var example: String { Limits.example }
    public let raw: String

    public init(_ raw: String) throws(Fault) {
        let trimmed = raw.trimmingWhitespace()
        guard let count = trimmed.countOfScalarsWithoutControls else {
            throw Fault(code: "control_character", message: "This must not contain control characters.")
        }
        guard count >= Limits.length.lowerBound else {
            throw count == 0
                ? Fault(code: "empty", message: "This must not be empty.")
                : Fault(code: "too_short", message: "This must have at least \(Limits.length.lowerBound) characters.")
        }
        guard count <= Limits.length.upperBound else {
            throw Fault(code: "too_long", message: "This must have at most \(Limits.length.upperBound) characters.")
        }
        self.raw = trimmed
    }
}

/// The bounds of a ``Text``, in Unicode scalars.
public protocol TextLimits: Sendable {
    static var length: ClosedRange<Int> { get }
    static var example: String { get }
    static var summary: String? { get }
}

extension TextLimits {
    public static var summary: String? { nil }
}

/// A mailbox as people have them: `local@domain`, at most 254 characters (RFC 5321 §4.5.3.1), without quoting or comments.
///
/// Compared and stored as written; uniqueness ignores case in the schema of the accounts.
public struct EmailAddress: Parsed {
    public static let schema = Schema.string(format: .email, length: 3...254, "An e-mail address.")
    public static let example = "ada@example.org"
    public let raw: String

    public init(_ raw: String) throws(Fault) {
        guard Mailbox(raw) != nil else {
            throw Fault(code: "invalid_email", message: "This must be an e-mail address, such as ada@example.org.")
        }
        self.raw = raw
    }
}

/// The name a person goes by: 3 to 50 letters, digits, `_` or `-`; unique without regard to case.
public struct Username: Parsed {
    public static let schema = Schema.string(length: 3...50, pattern: "^[a-zA-Z0-9_-]{3,50}$", "Letters, digits, _ and -.")
    public static let example = "ada"
    public let raw: String

    public init(_ raw: String) throws(Fault) {
        guard (3...50).contains(raw.utf8.count),
            raw.utf8.allSatisfy({ $0.isLetterOrDigit || $0 == UInt8(ascii: "_") || $0 == UInt8(ascii: "-") })
        else { throw Fault(code: "invalid_username", message: "This must be 3 to 50 letters, digits, _ or -.") }
        self.raw = raw
    }
}

/// A link to something on the web: an absolute `http` or `https` URL with a host, at most 2,048 bytes, without credentials (RFC 3986).
public struct WebLink: Parsed {
    public static let maximumLength = 2048
    public static let schema = Schema.string(format: .uri, length: 8...maximumLength, "An absolute http or https URL.")
    public static let example = "https://www.swift.org/documentation/"
    public let raw: String

    public init(_ raw: String) throws(Fault) {
        let trimmed = raw.trimmingWhitespace()
        guard trimmed.utf8.count <= Self.maximumLength else {
            throw Fault(code: "too_long", message: "This must have at most \(Self.maximumLength) bytes.")
        }
        guard let rest = Self.afterScheme(trimmed), Self.hasHost(rest), !Self.hasForbiddenCharacter(trimmed) else {
            throw Fault(code: "invalid_url", message: "This must be an absolute http or https URL with a host and without a password.")
        }
        self.raw = trimmed
    }

    // All by bytes: it is quick, and combining marks cannot hide a delimiter among characters.

    private static func afterScheme(_ text: String) -> Substring.UTF8View? {
        for scheme in ["https://", "http://"] {
            let prefix = text.utf8.prefix(scheme.utf8.count)
            if prefix.elementsEqual(scheme.utf8, by: { $0 == $1 || ($0 | 0x20 == $1 && $0.isLetterOrDigit) }) {
                return text.utf8[prefix.endIndex...]
            }
        }
        return nil
    }

    private static func hasHost(_ rest: Substring.UTF8View) -> Bool {
        let authority = rest.prefix { $0 != UInt8(ascii: "/") && $0 != UInt8(ascii: "?") && $0 != UInt8(ascii: "#") }
        guard !authority.contains(UInt8(ascii: "@")) else { return false }
        let isLiteral = authority.first == UInt8(ascii: "[")
        let host = authority.prefix { $0 != UInt8(ascii: isLiteral ? "]" : ":") }
        let port = authority[host.endIndex...].dropFirst(isLiteral ? 1 : 0)
        return host.count > (isLiteral ? 1 : 0) && isPort(port) && !host.contains(where: isForbiddenInHost)
    }

    private static func isForbiddenInHost(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "<"), UInt8(ascii: ">"), UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "^"), UInt8(ascii: "`"),
            UInt8(ascii: "{"), UInt8(ascii: "|"), UInt8(ascii: "}"), UInt8(ascii: "%"), UInt8(ascii: " "):
            true
        default: false
        }
    }

    private static func isPort(_ text: Substring.UTF8View) -> Bool {
        guard let colon = text.first else { return true }
        let digits = text.dropFirst()
        return colon == UInt8(ascii: ":") && digits.allSatisfy(\.isDigit) && digits.count <= 5
            && digits.reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) } <= 65_535
    }

    private static func hasForbiddenCharacter(_ text: String) -> Bool {
        text.utf8.contains { $0 <= 0x20 || $0 == 0x7F || $0 == UInt8(ascii: "<") || $0 == UInt8(ascii: ">") || $0 == UInt8(ascii: "\"") }
            || (!text.isASCII && text.unicodeScalars.contains { $0.properties.isWhitespace })
    }
}

extension UInt8 {
    var isLetterOrDigit: Bool { isDigit || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(self | 0x20) }
}

extension String {
    var isASCII: Bool { utf8.allSatisfy { $0 < 0x80 } }

    /// How many Unicode scalars; `nil` when there is a control character other than tab and line breaks (C0, C1 or DEL).
    fileprivate var countOfScalarsWithoutControls: Int? {
        var text = self
        return text.withUTF8 { bytes in
            var (count, previous): (Int, UInt8) = (0, 0)
            for byte in bytes {
                // In UTF-8 the characters U+0080 to U+009F are 0xC2 and themselves.
                let isControl =
                    byte < 0x20 ? byte != 0x09 && byte != 0x0A && byte != 0x0D : byte == 0x7F || (previous == 0xC2 && byte < 0xA0)
                if isControl { return nil }
                if byte & 0xC0 != 0x80 { count += 1 }
                previous = byte
            }
            return count
        }
    }

    func trimmingWhitespace() -> String {
        guard let first = utf8.first, let last = utf8.last, first <= 0x20 || first >= 0x80 || last <= 0x20 || last >= 0x80 else {
            return self
        }
        guard self.first?.isWhitespace == true || self.last?.isWhitespace == true else { return self }
        let start = drop(while: \.isWhitespace)
        return String(start.prefix(upTo: start.lastIndex { !$0.isWhitespace }.map(start.index(after:)) ?? start.startIndex))
    }
}
