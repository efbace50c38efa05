import MartletCore

/// The rule that a value follows: what validation checks and what OpenAPI publishes are this one thing.
public struct Schema: Sendable {
    public var shape: Shape
    public var isNullable = false
    public var summary: String?
    public var defaultValue: JSON?
    /// The example that the type itself names.
    public var declaredExample: JSON?
    /// The type's own constructor, for rules that a schema cannot express. Runs only when the shape fits.
    var check: (@Sendable (JSON) -> Fault?)?

    /// What kind of value it is, and the bounds of that kind.
    public indirect enum Shape: Sendable {
        case string(StringRule)
        case integer(ClosedRange<Int>)
        case number
        case boolean
        case array(of: Schema, count: ClosedRange<Int>)
        case object(ObjectRule)
        /// Names that are data, each with such a value.
        case map(of: Schema)
        /// A type that contains itself: refers to the object of that name.
        case reference(String)
        /// One of several objects, told apart by their fields.
        case oneOf([Schema])
        case anything
    }

    /// The bounds of a text.
    public struct StringRule: Sendable {
        public var format: Format?
        /// Counted in Unicode scalars, as JSON Schema counts.
        public var length: ClosedRange<Int> = 0...Int.max
        /// A regular expression (ECMA-262) for the documentation; the type's own constructor enforces it.
        public var pattern: String?
        /// The only texts allowed, if any are named.
        public var choices: [String] = []
    }

    /// Formats of JSON Schema and OpenAPI.
    public enum Format: String, Sendable {
        case dateTime = "date-time"
        case email, uri, uuid, password, binary
    }

    /// The fields of an object; others are refused.
    public struct ObjectRule: Sendable {
        /// What the object is called in the documentation.
        public var name: String
        public var fields: [Field]
    }

    /// One field of an object.
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
        format: Format? = nil, length: ClosedRange<Int> = 0...Int.max, pattern: String? = nil, choices: [String] = [],
        _ summary: String? = nil
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
    /// A value that follows the rule: the type's own example where it names one, and every field of an object.
    public var example: JSON {
        if let declaredExample { return declaredExample }
        switch shape {
        case .string(let rule): return .string(rule.example)
        case .integer(let range): return .number(String(max(range.lowerBound, min(1, range.upperBound))))
        case .number: return .number("0.5")
        case .boolean: return true
        case .array(let element, let count): return count.upperBound > 0 ? [element.example] : []
        case .object(let rule): return .object(rule.fields.map { JSON.Member($0.name, $0.schema.example) })
        case .map(let value): return .object([JSON.Member("name", value.example)])
        case .oneOf(let schemas): return schemas.first?.example ?? .object([])
        case .reference, .anything: return .object([])
        }
    }
}

extension Schema.StringRule {
    fileprivate var example: String {
        switch format {
        case .dateTime: "2026-01-15T09:30:00.000Z"
        case .uuid: "019bc05e-9a40-7c3d-8e11-5f0a4b7d2291"
        default: choices.first ?? "text"
        }
    }
}

extension Schema {
    /// The schema of a type, read off its `Codable` conformance.
    public static func of(_ type: (some Decodable).Type) -> Schema {
        recorded(of: type).schema
    }
}
