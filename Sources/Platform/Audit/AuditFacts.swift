import MartletContract
import MartletTelemetry

/// What is said of a state before or after: a few values by their names, each of which the caller chose to tell.
///
/// It is made of single values and not of an `Encodable`, so that a field which is added to a type one day is not told by itself. Names that
/// speak of secrets lose their value, as in the log of the server; so do texts that look like a token. Texts are cut at 500 characters.
public struct AuditFacts: Sendable, Hashable, ExpressibleByDictionaryLiteral {
    /// A value that can be told.
    public enum Value: Sendable, Hashable, ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral {
        case text(String), number(Int), flag(Bool), texts([String])

        public init(stringLiteral value: String) { self = .text(value) }
        public init(integerLiteral value: Int) { self = .number(value) }
        public init(booleanLiteral value: Bool) { self = .flag(value) }
    }

    private var members: [String: Value]

    public init(dictionaryLiteral elements: (String, Value)...) {
        self.init(Dictionary(elements, uniquingKeysWith: { _, last in last }))
    }

    public init(_ members: [String: Value]) {
        self.members = Dictionary(uniqueKeysWithValues: members.map { ($0, Self.harmless($1, named: $0)) })
    }

    /// The same with one more.
    func with(_ name: String, _ value: Value) -> AuditFacts {
        AuditFacts(members.merging([name: value]) { $1 })
    }

    /// As it is stored and hashed: one form for one set of facts, sorted by the bytes of the names.
    var text: String {
        get throws {
            let sorted = members.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
            return String(decoding: try WireJSON.encode(JSON.object(sorted.map { JSON.Member($0.key, $0.value.json) })), as: UTF8.self)
        }
    }
}

extension AuditFacts {
    private static let longestText = 500
    private static let shortestToken = 40

    private static func harmless(_ value: Value, named name: String) -> Value {
        guard !Redaction.isSecret(name) else { return .text(Redaction.mask) }
        return switch value {
        case .text(let text): .text(harmless(text))
        case .texts(let texts): .texts(texts.map(harmless))
        case .number, .flag: value
        }
    }

    private static func harmless(_ text: String) -> String {
        looksLikeToken(text) ? Redaction.mask : String(Redaction.masked(text).prefix(longestText))
    }

    /// Longer than an identifier, and nothing but what base64, hexadecimal and JWTs are made of.
    private static func looksLikeToken(_ text: String) -> Bool {
        text.utf8.count >= shortestToken
            && text.utf8.allSatisfy { (0x61...0x7A).contains($0 | 0x20) || (0x30...0x39).contains($0) || "-_+/=.".utf8.contains($0) }
    }
}

extension AuditFacts.Value {
    fileprivate var json: JSON {
        switch self {
        case .text(let text): .string(text)
        case .number(let number): .number("\(number)")
        case .flag(let flag): .bool(flag)
        case .texts(let texts): .array(texts.map { .string($0) })
        }
    }
}
