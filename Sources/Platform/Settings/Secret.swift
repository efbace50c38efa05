import Foundation

/// A text that must not be seen: printing, interpolating, dumping or reflecting it shows only that it is there.
///
/// It is neither `Codable` nor `Hashable`, so that it is not written or compared by accident.
public struct Secret: Sendable {
    // A closure has no children: not even a mirror that ignores `customMirror` finds the text.
    private let text: @Sendable () -> String

    public init(_ text: String) {
        self.text = { text }
    }

    /// A new secret of 256 random bits from the system's generator: 43 characters of base64url (RFC 4648 §5).
    public static func random() -> Secret {
        var generator = SystemRandomNumberGenerator()
        let bytes = (0..<32).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
        let base64 = Data(bytes).base64EncodedString()
        return Secret(base64.replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: ""))
    }

    /// The text itself. Do not let it reach a log, an error or an answer.
    public func unsafeReveal() -> String { text() }

    /// The text as UTF-8: the key of an HMAC. Do not let it reach a log, an error or an answer.
    public func unsafeRevealBytes() -> [UInt8] { Array(text().utf8) }

    /// How many characters it has: all that may be shown of it.
    public var count: Int { text().count }
}

extension Secret: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    public var description: String { "set (\(count) characters)" }
    public var debugDescription: String { description }
    public var customMirror: Mirror { Mirror(self, children: [:]) }
}
