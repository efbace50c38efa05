import Foundation
import MartletCore
import MartletStorage

/// The values of a statement in the forms of the wire, as `PQsendQueryParams` takes them. Immutable: it is made on the caller's thread, and
/// sent from another one.
///
/// Values are sent in binary with their type declared. Text is sent as text and without a type, so that the server infers the one it needs:
/// an enum, a `date`, an `inet`. NULL has no type either.
struct PostgresParameters: Sendable {
    static let none = PostgresParameters()

    /// The declared types; 0 leaves it to the server.
    let oids: [UInt32]
    /// The values one after another.
    private let bytes: [UInt8]
    /// All lengths, then all formats, then where in `bytes` each value begins, -1 for NULL: one allocation for the three.
    private let table: [Int32]

    /// Throws `tooLarge` for what no message can hold, and `internal` for a value that ``SQL/text(for:)`` refuses.
    init(_ values: [SQLValue]) throws {
        let size = values.reduce(0) { $0 + $1.wireCapacity }
        guard values.count <= Self.maximalCount, size <= Self.maximalSize else { throw SQLFailure(.tooLarge, code: "54000") }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(size)
        var table = [Int32](repeating: 0, count: 3 * values.count)
        for (index, value) in values.enumerated() {
            let start = bytes.count
            let length = try bytes.append(wire: value)
            table[index] = Int32(length ?? 0)
            table[values.count + index] = value.wireFormat
            table[2 * values.count + index] = length == nil ? -1 : Int32(start)
        }
        oids = values.map { $0.wireType?.rawValue ?? 0 }
        (self.bytes, self.table) = (bytes, table)
    }

    private init() {
        (oids, bytes, table) = ([], [], [])
    }

    /// What the protocol can count.
    private static let maximalCount = 65_535
    /// What the server takes in one message (`PQ_LARGE_MESSAGE_LIMIT`), less than an `Int32` can count.
    private static let maximalSize = 0x3fff_0000

    /// Calls `body` with what libpq's functions take; the pointers are valid during the call. A NULL is a nil pointer.
    func withPointers<R>(
        _ body: (
            _ count: Int32, _ values: UnsafePointer<UnsafePointer<CChar>?>?, _ lengths: UnsafePointer<Int32>?,
            _ formats: UnsafePointer<Int32>?
        ) throws -> R
    ) rethrows -> R {
        let count = oids.count
        guard count > 0 else { return try body(0, nil, nil, nil) }
        return try bytes.withUnsafeBytes { bytes in
            try table.withUnsafeBufferPointer { table in
                try withUnsafeTemporaryAllocation(of: UnsafePointer<CChar>?.self, capacity: count) { pointers in
                    for index in 0..<count {
                        pointers.initializeElement(at: index, to: Self.pointer(Int(table[2 * count + index]), in: bytes))
                    }
                    let (values, lengths) = (UnsafePointer(pointers.baseAddress), table.baseAddress)
                    return try body(Int32(count), values, lengths, lengths.map { $0 + count })
                }
            }
        }
    }

    private static func pointer(_ offset: Int, in bytes: UnsafeRawBufferPointer) -> UnsafePointer<CChar>? {
        offset < 0 ? nil : bytes.baseAddress.map { ($0 + offset).assumingMemoryBound(to: CChar.self) }
    }
}

extension SQLValue {
    fileprivate var wireType: PostgresType? {
        switch self {
        case .null, .text: nil
        case .bool: .bool
        case .int: .int8
        case .double: .float8
        case .bytes: .bytea
        case .uuid: .uuid
        case .timestamp: .timestamptz
        case .decimal: .numeric
        case .json: .jsonb
        case .texts: .textArray
        }
    }

    /// 0 for text, 1 for binary.
    fileprivate var wireFormat: Int32 { wireType == nil ? 0 : 1 }

    /// At least the bytes that the value takes.
    fileprivate var wireCapacity: Int {
        switch self {
        case .null: 0
        case .bool, .int, .double, .timestamp: 8
        case .uuid: 16
        case .text(let text), .json(let text): text.utf8.count + 1
        case .bytes(let bytes): bytes.count + 1
        case .decimal: PostgresNumeric.maximalSize
        case .texts(let texts): texts.reduce(PostgresArray.headerSize) { $0 + $1.utf8.count + 4 }
        }
    }
}

extension [UInt8] {
    /// Appends the value's form; returns its length, `nil` for NULL.
    fileprivate mutating func append(wire value: SQLValue) throws -> Int? {
        let start = count
        switch value {
        case .null: return nil
        case .bool(let bool): append(bool ? 1 : 0)
        case .int(let number): append(bigEndian: number)
        case .double(let number): append(bigEndian: number.bitPattern)
        case .uuid(let uuid): Swift.withUnsafeBytes(of: uuid.uuid) { append(contentsOf: $0) }
        case .timestamp(let moment): append(bigEndian: try PostgresMoment.microseconds(moment))
        case .decimal(let number): try PostgresNumeric.append(number, to: &self)
        case .texts(let texts): PostgresArray.append(texts, to: &self)
        case .json(let text):
            append(Self.jsonbVersion)
            append(contentsOf: text.utf8)
        case .text(let text): return try append(terminated: text)
        case .bytes(let bytes): return append(wireOf: bytes)
        }
        return count - start
    }

    /// Text ends at its first NUL for libpq: one inside would cut it short without a word.
    private mutating func append(terminated text: String) throws -> Int {
        guard !text.utf8.contains(0) else { throw PostgresParameters.unsendable }
        append(contentsOf: text.utf8)
        append(0)
        return text.utf8.count
    }

    /// One byte more than asked for, since a pointer to nothing would be NULL.
    private mutating func append(wireOf bytes: [UInt8]) -> Int {
        append(contentsOf: bytes)
        append(0)
        return bytes.count
    }

    private static var jsonbVersion: UInt8 { 1 }
}

extension PostgresParameters {
    /// A value that was not checked before it came here.
    static var unsendable: Failure { Failure(.internal, "unsendable_value", "Internal error.") }
}
