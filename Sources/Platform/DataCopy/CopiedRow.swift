import Crypto
import Foundation
import MartletStorage

/// One row on its way from one database to another.
struct CopiedRow: Sendable {
    let key: RowKey
    /// In the order of the table's columns.
    let values: [SQLValue]
    /// The checksum of a table that has this row alone.
    let checksum: Checksum
}

/// What identifies a row, the same bytes for every engine.
struct RowKey: Sendable, Hashable {
    let values: [SQLValue]
    let bytes: [UInt8]

    init(_ values: [SQLValue]) {
        self.values = values
        bytes = RowEncoding.bytes(of: values)
    }

    static func == (left: RowKey, right: RowKey) -> Bool { left.bytes == right.bytes }

    func hash(into hasher: inout Hasher) {
        bytes.withUnsafeBytes { hasher.combine(bytes: $0) }
    }
}

/// What stands for a set of rows: how many there are, and the sum of their SHA-256 hashes.
///
/// Being a sum, it does not depend on the order of the rows or on the ranges they were read in, and those of ranges add up to the table's.
/// It finds accidents; it is no signature.
public struct Checksum: Sendable, Equatable {
    public private(set) var rows = 0
    /// Four words and no SIMD vector: what lives across an `await` is not aligned to more than 16 bytes, and such a vector crashes there.
    private var sum = (UInt64(0), UInt64(0), UInt64(0), UInt64(0))

    /// Of no rows.
    public init() {}

    init(ofRow bytes: [UInt8]) {
        rows = 1
        SHA256.hash(data: bytes).withUnsafeBytes { digest in
            let words = (0..<4).map { UInt64(bigEndian: digest.loadUnaligned(fromByteOffset: $0 * 8, as: UInt64.self)) }
            sum = (words[0], words[1], words[2], words[3])
        }
    }

    /// Of the rows of both.
    public static func + (left: Checksum, right: Checksum) -> Checksum {
        var both = left
        both.rows += right.rows
        both.sum = (
            left.sum.0 &+ right.sum.0, left.sum.1 &+ right.sum.1, left.sum.2 &+ right.sum.2, left.sum.3 &+ right.sum.3
        )
        return both
    }

    /// The first 16 hexadecimal digits, which are enough to compare by eye.
    public var shortText: String {
        let digits = String(sum.0, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }

    public static func == (left: Checksum, right: Checksum) -> Bool { left.rows == right.rows && left.sum == right.sum }
}

/// A row as bytes that are equal exactly when its values are, whatever engine it came from: for each value its form, and its content in a
/// form of known length.
enum RowEncoding {
    static func bytes(of values: [SQLValue]) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(values.count * 32)
        for value in values { append(value, to: &bytes) }
        return bytes
    }

    private static func append(_ value: SQLValue, to bytes: inout [UInt8]) {
        switch value {
        case .null: bytes.append(0)
        case .bool(let value): bytes += [1, value ? 1 : 0]
        case .int(let value): append(UInt64(bitPattern: value), as: 2, to: &bytes)
        // SQLite does not keep the sign of zero.
        case .double(let value): append((value == 0 ? 0 : value).bitPattern, as: 3, to: &bytes)
        case .text(let value): append(value.utf8, as: 4, to: &bytes)
        case .bytes(let value): append(value, as: 5, to: &bytes)
        case .uuid(let value): withUnsafeBytes(of: value.uuid) { bytes += [6] + $0 }
        case .timestamp(let value): append(UInt64(bitPattern: SQLValue.milliseconds(value) ?? .min), as: 7, to: &bytes)
        case .decimal(let value): append(SQLValue.text(of: value).utf8, as: 8, to: &bytes)
        case .json(let value): append(value.utf8, as: 9, to: &bytes)
        case .texts(let values):
            append(UInt64(values.count), as: 10, to: &bytes)
            for value in values { append(value.utf8, as: 4, to: &bytes) }
        }
    }

    private static func append(_ number: UInt64, as form: UInt8, to bytes: inout [UInt8]) {
        bytes.append(form)
        withUnsafeBytes(of: number.bigEndian) { bytes.append(contentsOf: $0) }
    }

    private static func append(_ content: some Collection<UInt8>, as form: UInt8, to bytes: inout [UInt8]) {
        append(UInt64(content.count), as: form, to: &bytes)
        bytes.append(contentsOf: content)
    }
}

/// The values of a row that was selected with ``StoredTable/Kind/letter``s for names, so that it can be read without knowing its table.
struct SelectedValues: Decodable, Sendable {
    let values: [SQLValue]

    init(from decoder: any Decoder) throws {
        let row = try decoder.container(keyedBy: SelectedColumn.self)
        values = try row.allKeys.map { try $0.value(in: row) }
    }
}

/// The name that a column is selected by: the letter of its kind, and its number.
struct SelectedColumn: CodingKey {
    let stringValue: String
    let kind: StoredTable.Kind
    var intValue: Int? { nil }

    init(_ kind: StoredTable.Kind, number: Int) {
        (stringValue, self.kind) = ("\(kind.letter)\(number)", kind)
    }

    init?(stringValue: String) {
        guard let letter = stringValue.utf8.first, let kind = StoredTable.Kind(letter: letter) else { return nil }
        (self.stringValue, self.kind) = (stringValue, kind)
    }

    init?(intValue: Int) { nil }

    func value(in row: KeyedDecodingContainer<SelectedColumn>) throws -> SQLValue {
        switch kind {
        case .bool: try row.decodeIfPresent(Bool.self, forKey: self).map(SQLValue.bool) ?? .null
        case .int: try row.decodeIfPresent(Int64.self, forKey: self).map(SQLValue.int) ?? .null
        case .double: try row.decodeIfPresent(Double.self, forKey: self).map(SQLValue.double) ?? .null
        case .decimal: try row.decodeIfPresent(Decimal.self, forKey: self).map(SQLValue.decimal) ?? .null
        case .text: try row.decodeIfPresent(String.self, forKey: self).map(SQLValue.text) ?? .null
        case .bytes: try row.decodeIfPresent([UInt8].self, forKey: self).map(SQLValue.bytes) ?? .null
        case .uuid: try row.decodeIfPresent(UUID.self, forKey: self).map(SQLValue.uuid) ?? .null
        case .timestamp: try row.decodeIfPresent(Date.self, forKey: self).map { .timestamp($0.amidItsMillisecond) } ?? .null
        case .json: try row.decodeIfPresent(String.self, forKey: self).map { .json(try CanonicalJSON.text(of: $0)) } ?? .null
        case .texts: try row.decodeIfPresent([String].self, forKey: self).map(SQLValue.texts) ?? .null
        }
    }
}

extension Date {
    /// Half a millisecond after the millisecond it stands for: far from now a `Date` may lie a hair before it, and be stored as the one
    /// before.
    var amidItsMillisecond: Date {
        Date(timeIntervalSince1970: ((timeIntervalSince1970 * 1000).rounded() + 0.5) / 1000)
    }
}

extension StoredTable.Kind {
    var letter: Unicode.Scalar {
        switch self {
        case .bool: "b"
        case .int: "i"
        case .double: "d"
        case .decimal: "n"
        case .text: "t"
        case .bytes: "x"
        case .uuid: "u"
        case .timestamp: "m"
        case .json: "j"
        case .texts: "a"
        }
    }

    init?(letter: UInt8) {
        guard let kind = Self.allCases.first(where: { $0.letter.value == letter }) else { return nil }
        self = kind
    }
}
