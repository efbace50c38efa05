public import MartletCore

/// A value whose constructor is its validation: whoever holds one need not check again.
///
/// ```swift
/// public struct Colour: Parsed {
///     public static let schema = Schema.string(pattern: "^#[0-9a-f]{6}$", "A colour in hexadecimal.")
///     public static let example = "#ff8800"
///     public let raw: String
///     public init(_ raw: String) throws(Fault) { … }
/// }
/// ```
/// Its ``schema`` is checked first, then the constructor; both appear in the same list of faults.
public protocol Parsed: Codable, Hashable, Sendable {
    /// `String`, `Int` or `Double`.
    associatedtype Raw: Codable & Hashable & Sendable

    /// The rule as OpenAPI publishes it.
    static var schema: Schema { get }
    /// A value that follows the rule, for the documentation.
    static var example: Raw { get }

    /// The value as it is written on the wire and in the database.
    var raw: Raw { get }

    /// Throws a ``Fault`` when `raw` breaks the rule.
    init(_ raw: Raw) throws(Fault)
}

extension Parsed {
    public init(from decoder: any Decoder) throws {
        try self.init(decoder.singleValueContainer().decode(Raw.self))
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(raw)
    }
}

// Nearly all are texts. Naming the type spares each of them the way through the coding of any type.
extension Parsed where Raw == String {
    public init(from decoder: any Decoder) throws {
        try self.init(decoder.singleValueContainer().decode(String.self))
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(raw)
    }
}

extension Identifier: Parsed {
    public static var schema: Schema { .string(format: .uuid) }
    public static var example: String { "019bc05e-9a40-7c3d-8e11-5f0a4b7d2291" }
    public var raw: String { description }

    public init(_ raw: String) throws(Fault) {
        guard let identifier = Identifier(raw[...]) else {
            throw Fault(code: "invalid_format", message: "This must be an identifier: 36 characters of a UUID.")
        }
        self = identifier
    }
}

/// A list type that holds only so many elements; the schema says how many.
public protocol CountBounded {
    static var count: ClosedRange<Int> { get }
}
