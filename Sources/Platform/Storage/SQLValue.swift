public import Foundation
public import MartletCore

/// A value as databases hold it.
public enum SQLValue: Sendable, Hashable {
    case null
    case bool(Bool)
    case int(Int64)
    case double(Double)
    case text(String)
    case bytes([UInt8])
    case uuid(UUID)
    /// A moment in UTC, rounded down to milliseconds when it is stored.
    case timestamp(Date)
    /// An exact number, for money above all. PostgreSQL's `numeric`; in SQLite its ``text(of:)`` in a column declared `TEXT` (any other
    /// would make it a floating-point number), so arithmetic and order are the program's.
    case decimal(Decimal)
    /// A JSON document, which must be valid. PostgreSQL's `jsonb`, which keeps neither spaces nor the order of properties; in SQLite text.
    case json(String)
    /// Texts in order. PostgreSQL's `text[]`; in SQLite the text of a JSON array.
    case texts([String])
}

extension SQLValue {
    /// The milliseconds since 1970 that stand for a moment; `nil` outside the years 1–9999, which not every engine can hold.
    public static func milliseconds(_ moment: Date) -> Int64? {
        let seconds = moment.timeIntervalSince1970
        guard storableSeconds.contains(seconds) else { return nil }
        let exact = seconds * 1000
        let nearest = exact.rounded()
        // A moment made from milliseconds may lie a hair below them; stored again, it must be the same.
        return Int64(Date(timeIntervalSince1970: nearest / 1000) <= moment ? nearest : exact.rounded(.down))
    }

    /// The moment that ``milliseconds(_:)`` stands for; `nil` outside the years 1–9999.
    public static func moment(milliseconds: Int64) -> Date? {
        let seconds = Double(milliseconds) / 1000
        return storableSeconds.contains(seconds) ? Date(timeIntervalSince1970: seconds) : nil
    }

    private static let storableSeconds = -62_135_596_800.0..<253_402_300_800.0

    /// The texts as a JSON array, for engines without arrays.
    public static func jsonText(of texts: [String]) -> String { StoredJSON.text(of: texts) }

    /// Why this value cannot be stored the same way by every engine; `nil` when it can.
    var refusal: Failure? {
        switch self {
        case .text(let text) where text.utf8.contains(0): Self.nulCharacter
        case .texts(let texts) where texts.contains { $0.utf8.contains(0) }: Self.nulCharacter
        case .json(let text) where StoredJSON.containsNUL(text): Self.nulCharacter
        case .double(let number) where number.isNaN: Self.notANumber
        case .decimal(let number) where number.isNaN: Self.notANumber
        case .timestamp(let moment) where Self.milliseconds(moment) == nil:
            .invalid([Fault(code: "out_of_range", message: "Times must lie in the years 1 to 9999.")])
        default: nil
        }
    }

    private static let nulCharacter = Failure.invalid([
        Fault(code: "nul_character", message: "Text must not contain the character NUL.")
    ])
    private static let notANumber = Failure.invalid([Fault(code: "not_a_number", message: "This must be a number.")])
}

/// A type whose values can be bound to a statement.
public protocol SQLBindable {
    var sqlValue: SQLValue { get }
}

extension SQLValue: SQLBindable {
    public var sqlValue: SQLValue { self }
}

extension Bool: SQLBindable {
    public var sqlValue: SQLValue { .bool(self) }
}

extension Int: SQLBindable {
    public var sqlValue: SQLValue { .int(Int64(self)) }
}

extension Int64: SQLBindable {
    public var sqlValue: SQLValue { .int(self) }
}

extension Int32: SQLBindable {
    public var sqlValue: SQLValue { .int(Int64(self)) }
}

extension Double: SQLBindable {
    public var sqlValue: SQLValue { .double(self) }
}

extension String: SQLBindable {
    public var sqlValue: SQLValue { .text(self) }
}

extension Substring: SQLBindable {
    public var sqlValue: SQLValue { .text(String(self)) }
}

extension UUID: SQLBindable {
    public var sqlValue: SQLValue { .uuid(self) }
}

extension Date: SQLBindable {
    public var sqlValue: SQLValue { .timestamp(self) }
}

extension Decimal: SQLBindable {
    public var sqlValue: SQLValue { .decimal(self) }
}

extension Array: SQLBindable where Element: SQLBindableElement {
    public var sqlValue: SQLValue { Element.sqlValue(of: self) }
}

/// A type whose arrays can be bound to a statement as one value.
public protocol SQLBindableElement {
    static func sqlValue(of elements: [Self]) -> SQLValue
}

extension UInt8: SQLBindableElement {
    public static func sqlValue(of elements: [UInt8]) -> SQLValue { .bytes(elements) }
}

extension String: SQLBindableElement {
    public static func sqlValue(of elements: [String]) -> SQLValue { .texts(elements) }
}

extension Data: SQLBindable {
    public var sqlValue: SQLValue { .bytes([UInt8](self)) }
}

extension Identifier: SQLBindable {
    public var sqlValue: SQLValue { .uuid(uuid) }
}

extension Optional: SQLBindable where Wrapped: SQLBindable {
    public var sqlValue: SQLValue { self?.sqlValue ?? .null }
}
