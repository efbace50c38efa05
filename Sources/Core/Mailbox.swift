/// An address that mail can be sent to: `local@domain`, at most 254 bytes (RFC 5321 §4.5.3.1), without quoting, comments or a display name.
///
/// It holds visible ASCII characters only, so that it can stand in a command or a header as it is.
public struct Mailbox: Sendable, Hashable, CustomStringConvertible {
    public let address: String

    /// Reads an address; `nil` for anything else.
    public init?(_ address: String) {
        let parts = address.split(separator: "@", omittingEmptySubsequences: false)
        guard address.utf8.count <= 254, parts.count == 2, Self.isLocalPart(parts[0]), Self.isDomain(parts[1]) else { return nil }
        self.address = address
    }

    /// What stands behind the `@`.
    public var domain: Substring { address.drop { $0 != "@" }.dropFirst() }

    public var description: String { address }

    private static func isLocalPart(_ text: Substring) -> Bool {
        (1...64).contains(text.utf8.count) && text.first != "." && text.last != "." && !text.contains("..")
            && text.utf8.allSatisfy { isLetterOrDigit($0) || "!#$%&'*+/=?^_`{|}~.-".utf8.contains($0) }
    }

    private static func isDomain(_ text: Substring) -> Bool {
        let labels = text.split(separator: ".", omittingEmptySubsequences: false)
        return labels.count >= 2
            && labels.allSatisfy { label in
                (1...63).contains(label.utf8.count) && label.first != "-" && label.last != "-"
                    && label.utf8.allSatisfy { isLetterOrDigit($0) || $0 == UInt8(ascii: "-") }
            }
    }

    private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
    }
}
