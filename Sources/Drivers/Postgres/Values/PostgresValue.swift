import Foundation
import MartletCore
import MartletStorage

/// Values as the server sends them in binary: the `send` function of each type.
///
/// Nothing that comes from the server is trusted: bytes that are not a whole value of their type are `nil`, and never end the process.
enum PostgresValue {
    /// The value, or `nil` when it has no form here: an unknown type, an infinite time, a number that does not fit, broken bytes.
    static func decode(_ bytes: UnsafeRawBufferPointer, type oid: UInt32) -> SQLValue? {
        guard let type = PostgresType(rawValue: oid) else { return nil }
        return switch type {
        case .text, .varchar, .bpchar, .name, .unknown, .xml: text(bytes).map { .text($0) }
        case .uuid: uuid(bytes).map { .uuid($0) }
        case .timestamp, .timestamptz: integer(bytes, Int64.self).flatMap(PostgresMoment.date).map { .timestamp($0) }
        case .int2: integer(bytes, Int16.self).map { .int(Int64($0)) }
        case .int4: integer(bytes, Int32.self).map { .int(Int64($0)) }
        case .int8: integer(bytes, Int64.self).map { .int($0) }
        case .oid, .xid: integer(bytes, UInt32.self).map { .int(Int64($0)) }
        case .float4: integer(bytes, UInt32.self).map { .double(Double(Float(bitPattern: $0))) }
        case .float8: integer(bytes, UInt64.self).map { .double(Double(bitPattern: $0)) }
        case .bool: bool(bytes)
        case .json: text(bytes).map { .json($0) }
        case .jsonb: jsonb(bytes)
        case .bytea: .bytes([UInt8](bytes))
        case .char: char(bytes)
        case .date: integer(bytes, Int32.self).flatMap(PostgresMoment.day).map { .text($0) }
        case .numeric: PostgresNumeric.decode(bytes).map { .decimal($0) }
        case .textArray, .varcharArray: PostgresArray.decode(bytes).map { .texts($0) }
        case .void: .null
        }
    }

    /// Whether a value of that type is its text in UTF-8 and nothing else.
    static func isText(_ oid: UInt32) -> Bool {
        switch PostgresType(rawValue: oid) {
        case .text, .varchar, .bpchar, .name, .unknown, .xml: true
        default: false
        }
    }

    static func text(_ bytes: UnsafeRawBufferPointer) -> String? {
        String(validating: bytes, as: UTF8.self)
    }

    private static func integer<Integer: FixedWidthInteger & BitwiseCopyable>(
        _ bytes: UnsafeRawBufferPointer, _: Integer.Type
    ) -> Integer? {
        guard bytes.count == MemoryLayout<Integer>.size else { return nil }
        return Integer(bigEndian: bytes.loadUnaligned(as: Integer.self))
    }

    private static func uuid(_ bytes: UnsafeRawBufferPointer) -> UUID? {
        bytes.count == 16 ? UUID(uuid: bytes.loadUnaligned(as: uuid_t.self)) : nil
    }

    private static func bool(_ bytes: UnsafeRawBufferPointer) -> SQLValue? {
        guard bytes.count == 1, bytes[0] <= 1 else { return nil }
        return .bool(bytes[0] == 1)
    }

    /// One byte of ASCII; the byte 0 is how the type writes the empty text.
    private static func char(_ bytes: UnsafeRawBufferPointer) -> SQLValue? {
        guard bytes.count == 1 else { return nil }
        return bytes[0] == 0 ? .text("") : text(bytes).map { .text($0) }
    }

    /// A version, of which there is one, and the text.
    private static func jsonb(_ bytes: UnsafeRawBufferPointer) -> SQLValue? {
        guard bytes.first == 1 else { return nil }
        return text(UnsafeRawBufferPointer(rebasing: bytes.dropFirst())).map { .json($0) }
    }
}
