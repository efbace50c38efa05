import MartletCore

/// The rule that a value follows: what validation checks and what OpenAPI publishes are this one thing.
public struct Schema: Sendable {
    public var shape: Shape
    public var isNullable = false
    public var summary: String?
    public var defaultValue: JSON?
    /// The type's own constructor, for rules that a schema cannot express. Runs only when the shape fits.
    var check: (@Sendable (JSON) -> Fault?)?

    public indirect enum Shape: Sendable {
        case string(StringRule)
        case integer(ClosedRange<Int>)
        case number
        case boolean
        case array(of: Schema, count: ClosedRange<Int>)
        case object(ObjectRule)
        /// A type that contains itself: refers to the object of that name.
        case reference(String)
        case anything
    }

    public struct StringRule: Sendable {
        public var format: Format?
        /// Counted in Unicode scalars, as JSON Schema counts.
        public var length: ClosedRange<Int> = 0...Int.max
        public var pattern: String?
        public var choices: [String] = []
    }

    /// Formats of JSON Schema and OpenAPI.
    public enum Format: String, Sendable {
        case dateTime = "date-time"
        case email, uri, uuid, password, binary
    }

    public struct ObjectRule: Sendable {
        public var name: String
        public var fields: [Field]
    }

    public struct Field: Sendable {
        /// As on the wire, in snake_case.
        public var name: String
        public var schema: Schema
        public var isRequired: Bool
    }

    public init(_ shape: Shape, summary: String? = nil, defaultValue: JSON? = nil) {
        self.shape = shape
        self.summary = summary
        self.defaultValue = defaultValue
    }
}

extension Schema {
    public static func string(
        format: Format? = nil, length: ClosedRange<Int> = 0...Int.max, pattern: String? = nil, choices: [String] = [], _ summary: String? = nil
    ) -> Schema {
        Schema(.string(StringRule(format: format, length: length, pattern: pattern, choices: choices)), summary: summary)
    }

    public static func integer(_ range: ClosedRange<Int>, default defaultValue: Int? = nil, _ summary: String? = nil) -> Schema {
        Schema(.integer(range), summary: summary, defaultValue: defaultValue.map { JSON.number(String($0)) })
    }

    /// The fields, if this describes an object.
    public var fields: [Field] {
        guard case .object(let rule) = shape else { return [] }
        return rule.fields
    }
}

extension Schema {
    /// The schema of a type, read off its `Codable` conformance.
    public static func of(_ type: (some Decodable).Type) -> Schema {
        recorded(of: type).schema
    }
}
