import Foundation
public import MartletCore

/// A statement, or a part of one. An interpolated value is always a bound parameter, never text:
///
/// ```swift
/// try await db.first(Bookmark.self, "SELECT id, url FROM bookmark WHERE id = \(id) AND owner_id = \(owner)")
/// ```
/// Interpolating another `SQL` nests it with its parameters. Only `\(unsafeRaw:)` puts text in; it must never come from outside.
public struct SQL: Sendable {
    /// The text with `?` for each parameter and the first dialect's form of each fragment: what one engine takes as it is, and the
    /// other's text is made from with the help of `marks`. Keeping it whole costs the commonest statements no rendering at all.
    private(set) var text: String
    public private(set) var values: [SQLValue]
    private(set) var marks: [Mark]
    /// Interpolation cannot throw; running the statement does.
    private(set) var refusal: Failure?

    /// A place in `text` that another dialect writes differently.
    struct Mark: Sendable {
        enum Form: Sendable { case parameter, fragment(postgres: String) }
        var offset: Int
        var length: Int
        var form: Form
    }

    /// The parts one after another.
    public static func + (left: SQL, right: SQL) -> SQL {
        var joined = left
        joined.append(right)
        return joined
    }

    /// The same text with nothing bound to its parameters: to be shown, not to be run.
    public var withoutValues: SQL {
        var bare = self
        (bare.values, bare.refusal) = ([], nil)
        return bare
    }

    mutating func append(_ part: SQL) {
        let shift = text.utf8.count
        text += part.text
        values += part.values
        marks += part.marks.map { Mark(offset: $0.offset + shift, length: $0.length, form: $0.form) }
        refusal = refusal ?? part.refusal
    }
}

extension SQL {
    /// The statement as `dialect` writes it: `?` or `$1`, `$2`, … for the parameters, in the order of ``values``.
    ///
    /// Throws `invalid` when a value cannot be stored: text with a NUL character, not-a-number, a time outside the years 1–9999.
    public func text(for dialect: SQLDialect) throws(Failure) -> String {
        if let refusal { throw refusal }
        return dialect == .sqlite ? text : postgresText
    }

    private var postgresText: String {
        guard !marks.isEmpty else { return text }
        var text = text
        return text.withUTF8 { source in
            String(unsafeUninitializedCapacity: postgresCapacity) { buffer in
                var target = TextBuffer(buffer)
                var (end, parameters) = (0, 0)
                for mark in marks {
                    target.append(source[end..<mark.offset])
                    end = mark.offset + mark.length
                    switch mark.form {
                    case .parameter:
                        parameters += 1
                        target.append(placeholder: parameters)
                    case .fragment(var postgres): postgres.withUTF8 { target.append($0[...]) }
                    }
                }
                target.append(source[end...])
                return target.count
            }
        }
    }

    /// At least as many bytes as ``postgresText`` has.
    private var postgresCapacity: Int {
        marks.reduce(text.utf8.count) { capacity, mark in
            switch mark.form {
            case .parameter: capacity + TextBuffer.placeholderCapacity
            case .fragment(let postgres): capacity + postgres.utf8.count
            }
        }
    }
}

extension SQL: ExpressibleByStringInterpolation {
    public init(stringLiteral text: String) {
        self.init(text: text, values: [], marks: [])
    }

    public init(stringInterpolation: StringInterpolation) {
        self = stringInterpolation.sql
    }

    private init(text: String, values: [SQLValue], marks: [Mark]) {
        (self.text, self.values, self.marks) = (text, values, marks)
    }

    public struct StringInterpolation: StringInterpolationProtocol {
        fileprivate var sql: SQL

        public init(literalCapacity: Int, interpolationCount: Int) {
            sql = SQL(text: "", values: [], marks: [])
            sql.text.reserveCapacity(literalCapacity + interpolationCount)
            sql.values.reserveCapacity(interpolationCount)
            sql.marks.reserveCapacity(interpolationCount)
        }

        public mutating func appendLiteral(_ literal: String) {
            sql.text += literal
        }

        /// A bound parameter.
        public mutating func appendInterpolation(_ value: some SQLBindable) {
            sql.bind(value.sqlValue)
        }

        /// A bound parameter, or NULL.
        public mutating func appendInterpolation<Value: SQLBindable>(_ value: Value?) {
            sql.bind(value?.sqlValue ?? .null)
        }

        /// The raw value as a bound parameter.
        public mutating func appendInterpolation<Value: RawRepresentable>(_ value: Value) where Value.RawValue: SQLBindable {
            sql.bind(value.rawValue.sqlValue)
        }

        /// The raw value as a bound parameter, or NULL.
        public mutating func appendInterpolation<Value: RawRepresentable>(_ value: Value?) where Value.RawValue: SQLBindable {
            sql.bind(value?.rawValue.sqlValue ?? .null)
        }

        /// NULL, written as a parameter.
        public mutating func appendInterpolation(_: _OptionalNilComparisonType) {
            sql.bind(.null)
        }

        /// A nested statement or part, with its parameters.
        public mutating func appendInterpolation(_ part: SQL) {
            sql.append(part)
        }

        /// One parameter per element, in parentheses, for `IN`; nothing is in an empty list.
        public mutating func appendInterpolation(list values: some Sequence<some SQLBindable>) {
            sql.text += "("
            for (position, value) in values.enumerated() {
                if position > 0 { sql.text += ", " }
                sql.bind(value.sqlValue)
            }
            sql.text += sql.text.utf8.last == UInt8(ascii: "(") ? "NULL)" : ")"
        }

        /// The value as a JSON document in a bound parameter, readable again by ``RowDecoder``.
        public mutating func appendInterpolation(json value: some Encodable) {
            sql.bind(json: value)
        }

        /// The value as a JSON document in a bound parameter, or NULL.
        public mutating func appendInterpolation<Value: Encodable>(json value: Value?) {
            if let value { sql.bind(json: value) } else { sql.bind(.null) }
        }

        /// Text of the program put into the statement as it is. Never text from outside: this is the one door to an injection.
        public mutating func appendInterpolation(unsafeRaw text: String) {
            sql.text += text
        }
    }
}

extension SQL {
    /// A part that the two dialects write differently. The texts are the program's own; parameters go beside them.
    public init(sqlite: String, postgres: String) {
        self.init(text: sqlite, values: [], marks: [Mark(offset: 0, length: sqlite.utf8.count, form: .fragment(postgres: postgres))])
    }

    /// The parts with `separator` between them; empty for no parts.
    public static func joined(_ parts: [SQL], by separator: String) -> SQL {
        var joined: SQL = ""
        for (position, part) in parts.enumerated() {
            if position > 0 { joined.text += separator }
            joined.append(part)
        }
        return joined
    }

    private mutating func bind(_ value: SQLValue) {
        if refusal == nil { refusal = value.refusal }
        marks.append(Mark(offset: text.utf8.count, length: 1, form: .parameter))
        text += "?"
        values.append(value)
    }

    private mutating func bind(json value: some Encodable) {
        do {
            bind(.json(String(decoding: try StoredJSON.encoder.encode(value), as: UTF8.self)))
        } catch {
            refusal = refusal ?? Failure(.internal, "json_encoding", "Internal error.", cause: error)
            bind(.null)
        }
    }
}

/// Bytes put one after another into memory that is known to suffice. Every statement for PostgreSQL is made in one.
private struct TextBuffer {
    /// `$` and the digits of any number of parameters that an engine takes (65,535).
    static let placeholderCapacity = 8

    private let bytes: UnsafeMutableBufferPointer<UInt8>
    private(set) var count = 0

    init(_ bytes: UnsafeMutableBufferPointer<UInt8>) {
        self.bytes = bytes
    }

    mutating func append(_ part: Slice<UnsafeBufferPointer<UInt8>>) {
        count = bytes[count...].update(fromContentsOf: part)
    }

    mutating func append(placeholder number: Int) {
        bytes[count] = UInt8(ascii: "$")
        var (rest, digits) = (number / 10, 1)
        while rest > 0 { (rest, digits) = (rest / 10, digits + 1) }
        rest = number
        for position in (count + 1...count + digits).reversed() {
            bytes[position] = UInt8(ascii: "0") + UInt8(rest % 10)
            rest /= 10
        }
        count += 1 + digits
    }
}
