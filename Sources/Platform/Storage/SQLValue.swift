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
}

extension SQLValue {
    /// The milliseconds since 1970 that stand for a moment; `nil` outside the years 1–9999, which not every engine can hold.
    public static func milliseconds(_ moment: Date) -> Int64? {
        let seconds = moment.timeIntervalSince1970
        guard storableSeconds.contains(seconds) else { return nil }
        return Int64((seconds * 1000).rounded(.down))
    }

    /// The moment that ``milliseconds(_:)`` stands for; `nil` outside the years 1–9999.
    public static func moment(milliseconds: Int64) -> Date? {
        let seconds = Double(milliseconds) / 1000
        return storableSeconds.contains(seconds) ? Date(timeIntervalSince1970: seconds) : nil
    }

    private static let storableSeconds = -62_135_596_800.0..<253_402_300_800.0

    /// Why this value cannot be stored the same way by every engine; `nil` when it can.
    var refusal: Failure? {
        switch self {
        case .text(let text) where text.utf8.contains(0):
            .invalid([Fault(code: "nul_character", message: "Text must not contain the character NUL.")])
        case .double(let number) where number.isNaN:
            .invalid([Fault(code: "not_a_number", message: "This must be a number.")])
        case .timestamp(let moment) where Self.milliseconds(moment) == nil:
            .invalid([Fault(code: "out_of_range", message: "Times must lie in the years 1 to 9999.")])
        default: nil
        }
    }
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

extension Array: SQLBindable where Element == UInt8 {
    public var sqlValue: SQLValue { .bytes(self) }
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
