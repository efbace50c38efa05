// MartletContract: what a client and a server agree on — endpoints, their inputs and answers, and how these look on the wire.
// It imports no server code, so an app on a phone can import it.

/// A JSON document (RFC 8259) in memory.
public enum JSON: Sendable, Hashable {
    case null
    case bool(Bool)
    /// The number as it was written, so that nothing is lost before a type asks for it.
    case number(String)
    case string(String)
    case array([JSON])
    case object([Member])

    /// A name and its value, in the order of the document.
    public struct Member: Sendable, Hashable {
        public var name: String
        public var value: JSON

        public init(_ name: String, _ value: JSON) {
            self.name = name
            self.value = value
        }
    }
}

extension JSON {
    /// The member of that name; `nil` for other documents.
    public subscript(name: String) -> JSON? {
        guard case .object(let members) = self else { return nil }
        return members.first { $0.name == name }?.value
    }

    /// The whole number this is, if it is one that fits; `1.0` and `1e2` count as whole, up to 2⁵³, where a `Double` begins to round.
    public var integer: Int? {
        guard case .number(let text) = self else { return nil }
        if let integer = Int(text) { return integer }
        guard let value = Double(text), abs(value) < 0x1p53 else { return nil }
        return Int(exactly: value)
    }

    /// The number this is, if it is finite.
    public var double: Double? {
        guard case .number(let text) = self, let value = Double(text), value.isFinite else { return nil }
        return value
    }

    public var text: String? {
        guard case .string(let text) = self else { return nil }
        return text
    }

    /// What this is called in a sentence: "a string", "null", ….
    var kindInWords: String {
        switch self {
        case .null: "null"
        case .bool: "a boolean"
        case .number: "a number"
        case .string: "a string"
        case .array: "an array"
        case .object: "an object"
        }
    }
}

extension JSON: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral, ExpressibleByArrayLiteral,
    ExpressibleByDictionaryLiteral
{
    public init(stringLiteral value: String) { self = .string(value) }
    public init(integerLiteral value: Int) { self = .number(String(value)) }
    public init(booleanLiteral value: Bool) { self = .bool(value) }
    public init(arrayLiteral elements: JSON...) { self = .array(elements) }
    public init(dictionaryLiteral elements: (String, JSON)...) { self = .object(elements.map { Member($0.0, $0.1) }) }
}

extension JSON: Codable {
    public init(from decoder: any Decoder) throws {
        guard let decoder = decoder as? WireDecoder else {
            throw DecodingError.dataCorrupted(.init(codingPath: decoder.codingPath, debugDescription: "Decode JSON values with WireJSON."))
        }
        self = decoder.value
    }

    public func encode(to encoder: any Encoder) throws {
        switch self {
        case .null, .bool, .number, .string: try encodeScalar(to: encoder)
        case .array(let elements):
            var container = encoder.unkeyedContainer()
            for element in elements { try container.encode(element) }
        case .object(let members):
            var container = encoder.container(keyedBy: WireKey.self)
            for member in members { try container.encode(member.value, forKey: WireKey(member.name)) }
        }
    }

    private func encodeScalar(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .bool(let value): try container.encode(value)
        case .string(let value): try container.encode(value)
        case .number(let text):
            if let value = Int(text) { try container.encode(value) } else { try container.encode(Double(text)) }
        default: try container.encodeNil()
        }
    }
}

extension JSON {
    /// Indented by two spaces, for people and for comparing versions.
    public var readable: String {
        var text = ""
        write(to: &text, indent: "")
        return text
    }

    private func write(to text: inout String, indent: String) {
        switch self {
        case .array(let elements) where !elements.isEmpty:
            text += "[\n"
            for (index, element) in elements.enumerated() {
                text += indent + "  "
                element.write(to: &text, indent: indent + "  ")
                text += index < elements.count - 1 ? ",\n" : "\n"
            }
            text += indent + "]"
        case .object(let members) where !members.isEmpty:
            text += "{\n"
            for (index, member) in members.enumerated() {
                text += "\(indent)  \(JSON.string(member.name).compact): "
                member.value.write(to: &text, indent: indent + "  ")
                text += index < members.count - 1 ? ",\n" : "\n"
            }
            text += indent + "}"
        default: text += compact
        }
    }

    private var compact: String {
        if case .number(let text) = self { return text }
        // Nothing here can fail: there are no numbers that are not finite.
        return String(decoding: (try? WireOutput.bytes(of: self)) ?? [], as: UTF8.self)
    }
}
