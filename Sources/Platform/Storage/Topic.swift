/// The name under which committed changes are announced and logged: `jobs`, `bookmarks.tags`.
///
/// At most 63 ASCII letters, digits, `.`, `-` and `_`. It names a kind of change: there are few of them, known to the program.
public struct Topic: Hashable, Sendable {
    public let name: String

    /// The name comes from the program; one of another form is a mistake in it.
    public init(_ name: String) {
        precondition(Self.isValid(name), "a topic is named by 1 to 63 ASCII letters, digits, '.', '-' and '_'")
        self.name = name
    }

    /// For a name that came from outside: `nil` when it cannot be a topic's.
    public init?(validating name: some StringProtocol) {
        guard Self.isValid(name) else { return nil }
        self.name = String(name)
    }

    private static func isValid(_ name: some StringProtocol) -> Bool {
        1...63 ~= name.utf8.count && name.utf8.allSatisfy(isAllowed)
    }

    private static func isAllowed(_ byte: UInt8) -> Bool {
        switch Unicode.Scalar(byte) {
        case "a"..."z", "A"..."Z", "0"..."9", ".", "-", "_": true
        default: false
        }
    }
}

extension Topic: ExpressibleByStringLiteral, CustomStringConvertible {
    public init(stringLiteral name: String) { self.init(name) }
    public var description: String { name }
}
