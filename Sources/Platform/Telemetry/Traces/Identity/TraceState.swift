/// What tracing systems tell one another along a trace: the field `tracestate` (https://www.w3.org/TR/trace-context-2/#tracestate-header).
///
/// It is carried on as it came, and never looked into. Bounded: 32 members, 512 bytes.
public struct TraceState: Sendable, Hashable, CustomStringConvertible {
    public let description: String

    private static let mostMembers = 32
    private static let mostBytes = 512
    /// Longer ones go first when all together are too long (§3.3.1.5).
    private static let longMember = 128

    /// Reads the field, several of them joined by commas; `nil` for one that is empty or malformed, which is dropped as a whole (§4.3).
    public init?(_ text: String) {
        // Whatever is that long is not worth being read.
        guard text.utf8.count <= 16 * Self.mostBytes else { return nil }
        let members = text.split(separator: ",").map(Self.trimmed).filter { !$0.isEmpty }
        let keys = Set(members.compactMap(Self.key))
        guard !members.isEmpty, members.count <= Self.mostMembers, keys.count == members.count else { return nil }
        guard let kept = Self.bounded(members) else { return nil }
        description = kept
    }

    private static func bounded(_ members: [Substring]) -> String? {
        var members = members
        while members.reduce(members.count - 1, { $0 + $1.utf8.count }) > mostBytes {
            members.remove(at: members.lastIndex { $0.utf8.count > longMember } ?? members.endIndex - 1)
        }
        return members.isEmpty ? nil : members.joined(separator: ",")
    }

    /// The key of a well-formed member.
    private static func key(_ member: Substring) -> Substring? {
        guard let equals = member.utf8.firstIndex(of: UInt8(ascii: "=")) else { return nil }
        let (key, value) = (member[..<equals], member[member.index(after: equals)...])
        return isKey(key) && isValue(value) ? key : nil
    }

    private static func isKey(_ key: Substring) -> Bool {
        let isPlain: (UInt8) -> Bool = { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
            default: "_-*/".utf8.contains(byte)
            }
        }
        let parts = key.utf8.split(separator: UInt8(ascii: "@"), omittingEmptySubsequences: false)
        guard (1...256).contains(key.utf8.count), parts.count <= 2 else { return false }
        return parts.allSatisfy { part in
            guard let first = part.first else { return false }
            return !"_-*/".utf8.contains(first) && part.allSatisfy(isPlain)
        }
    }

    private static func isValue(_ value: Substring) -> Bool {
        (1...256).contains(value.utf8.count)
            && value.utf8.allSatisfy { (0x20...0x7E).contains($0) && $0 != UInt8(ascii: "=") && $0 != UInt8(ascii: ",") }
    }

    private static func trimmed(_ member: Substring) -> Substring {
        let isSpace: (Character) -> Bool = { $0 == " " || $0 == "\t" }
        let start = member.drop(while: isSpace)
        return start.lastIndex { !isSpace($0) }.map { start[...$0] } ?? ""
    }
}
