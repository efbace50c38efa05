import Foundation
import MartletCore

/// Where a driver's current row is read from, column by column, while its statement runs.
public protocol RowSource: AnyObject {
    /// The names of the result's columns. The same for every row of a result.
    var columns: [ColumnName] { get }

    /// The value at an index of ``columns``. SQLite has no booleans, UUIDs or timestamps: the decoder reads them from integers and text.
    func value(at index: Int) -> SQLValue

    func isNull(at index: Int) -> Bool
}

/// Decodes rows into `Decodable` types, as the drivers find them.
///
/// - A property is read from the column of its name, in snake case: `ownerID` and `ownerId` from `owner_id`. Every property needs its
///   column, optional ones too; columns without a property are ignored. NULL is read by optionals only.
/// - A type that is a single value (`Int`, `String`, an identifier, a `RawRepresentable`) is read from a result of one column.
/// - Integers are range-checked and also read from decimals without a fraction, booleans
///   also read from 0 and 1, dates from milliseconds since 1970, UUIDs from text.
/// - Decimals are read from decimals, integers and canonical text, exactly; never from a floating-point number.
/// - An array or a type with several properties is read from a column of JSON (written by `\(json:)`), nested at most 64 deep; an array of
///   texts also from an array of texts.
///
/// Everything else throws a ``RowMismatch``.
public final class RowDecoder {
    private let source: any RowSource
    private let columns: [ColumnName]
    /// Where the next column is expected: decoders mostly ask in the order of the SELECT list, so the search mostly ends where it begins.
    private var expected = 0
    /// What each column was last read as.
    private var scalars: [(type: Any.Type, scalar: ForeignScalar?)?]

    public init(_ source: any RowSource) {
        self.source = source
        self.columns = source.columns
        scalars = Array(repeating: nil, count: columns.count)
    }

    /// Decodes the source's current row.
    public func decode<Row: Decodable>(_ row: Row.Type) throws -> Row {
        expected = 0
        if let found = try foreignScalar(row, at: 0), let scalar = found as? Row { return scalar }
        do {
            return try Row(from: self)
        } catch is StructuredColumn {
            return try StoredJSON.decode(row, from: text(at: 0), column: columns[0])
        } catch let mismatch as RowMismatch {
            throw mismatch
        } catch {
            // Only its type is kept: what a decoding error says may hold the value.
            throw RowMismatch(column: "row", type: row, "\(Swift.type(of: error))")
        }
    }
}

extension RowDecoder: Decoder {
    public var codingPath: [any CodingKey] { [] }
    public var userInfo: [CodingUserInfoKey: Any] { [:] }

    public func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
        KeyedDecodingContainer(RowContainer(row: self))
    }

    public func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
        try onlyColumn().unkeyedContainer()
    }

    public func singleValueContainer() throws -> any SingleValueDecodingContainer {
        try onlyColumn()
    }

    private func onlyColumn() throws -> ColumnDecoder {
        guard columns.count == 1 else { throw RowMismatch(column: "row", type: "single value", "the result has \(columns.count) columns") }
        return ColumnDecoder(row: self, index: 0)
    }
}

extension RowDecoder {
    func index(of key: some CodingKey) -> Int? {
        let name = key.stringValue
        if expected < columns.count, columns[expected].matches(name) {
            expected += 1
            return expected - 1
        }
        guard let found = columns.firstIndex(where: { $0.matches(name) }) else { return nil }
        expected = found + 1
        return found
    }

    var columnNames: [ColumnName] { columns }

    /// The elements of an array of texts, or of a JSON array of nothing but plain strings; `nil` for other JSON.
    func strings(at index: Int) throws -> [String]? {
        switch source.value(at: index) {
        case .texts(let texts): texts
        case .json(let text), .text(let text): StoredJSON.strings(in: text)
        default: StoredJSON.strings(in: try text(at: index))
        }
    }

    func isNull(at index: Int) -> Bool { source.isNull(at: index) }

    func decode<Value: Decodable>(_ type: Value.Type, at index: Int) throws -> Value {
        if let found = try foreignScalar(type, at: index), let scalar = found as? Value { return scalar }
        do {
            return try Value(from: ColumnDecoder(row: self, index: index))
        } catch is StructuredColumn {
            return try StoredJSON.decode(type, from: text(at: index), column: columns[index])
        } catch let mismatch as RowMismatch {
            throw mismatch
        } catch {
            throw RowMismatch(column: columns[index].name, type: type, "\(Swift.type(of: error))")
        }
    }

    /// The scalars whose own `init(from:)` expects another form than databases have; `nil` for other types.
    ///
    /// Not generic: the runtime would look up the type of the result's optional for every column of every row.
    private func foreignScalar(_ type: Any.Type, at index: Int) throws -> Any? {
        switch scalar(of: type, at: index) {
        case .uuid: try uuid(at: index)
        case .date: try date(at: index)
        case .bytes: try bytes(at: index)
        case .decimal: try decimal(at: index)
        case .data: Data(try bytes(at: index))
        case .identifier(let type): type.init(try uuid(at: index))
        case nil: nil
        }
    }

    /// The same for each row of a result, and asked once per column, since the runtime takes long to say whether a type conforms.
    private func scalar(of type: Any.Type, at index: Int) -> ForeignScalar? {
        guard index < scalars.count else { return ForeignScalar(type) }
        if let known = scalars[index], known.type == type { return known.scalar }
        let scalar = ForeignScalar(type)
        scalars[index] = (type, scalar)
        return scalar
    }

    func bool(at index: Int) throws -> Bool {
        switch source.value(at: index) {
        case .bool(let value): value
        case .int(0): false
        case .int(1): true
        case let other: throw mismatch(index, Bool.self, other)
        }
    }

    func integer<Value: FixedWidthInteger>(_ type: Value.Type, at index: Int) throws -> Value {
        let found = source.value(at: index)
        guard let wide = found.integer else { throw mismatch(index, type, found) }
        guard let value = Value(exactly: wide) else { throw RowMismatch(column: columns[index].name, type: type, "out of range") }
        return value
    }

    func double(at index: Int) throws -> Double {
        switch source.value(at: index) {
        case .double(let value): value
        case .int(let value): Double(value)
        case let other: throw mismatch(index, Double.self, other)
        }
    }

    func text(at index: Int) throws -> String {
        switch source.value(at: index) {
        case .text(let value): value
        case .uuid(let value): value.text
        case .json(let value): value
        case .decimal(let value): SQLValue.text(of: value)
        case let other: throw mismatch(index, String.self, other)
        }
    }

    private func uuid(at index: Int) throws -> UUID {
        switch source.value(at: index) {
        case .uuid(let value): return value
        case .text(let text):
            guard let value = UUID(text: text) else { throw RowMismatch(column: columns[index].name, type: UUID.self, "not a UUID") }
            return value
        case let other: throw mismatch(index, UUID.self, other)
        }
    }

    private func date(at index: Int) throws -> Date {
        switch source.value(at: index) {
        case .timestamp(let value): return value
        case .int(let milliseconds):
            guard let value = SQLValue.moment(milliseconds: milliseconds) else {
                throw RowMismatch(column: columns[index].name, type: Date.self, "out of range")
            }
            return value
        case let other: throw mismatch(index, Date.self, other)
        }
    }

    private func decimal(at index: Int) throws -> Decimal {
        switch source.value(at: index) {
        case .decimal(let value): return value
        case .int(let value): return Decimal(value)
        case .text(let text):
            // Only what this module writes, so that nothing but a stored decimal is taken for one.
            guard let value = SQLValue.decimal(text), SQLValue.text(of: value) == text else {
                throw RowMismatch(column: columns[index].name, type: Decimal.self, "not a decimal, or one of too many digits")
            }
            return value
        case let other: throw mismatch(index, Decimal.self, other)
        }
    }

    private func bytes(at index: Int) throws -> [UInt8] {
        let found = source.value(at: index)
        guard case .bytes(let value) = found else { throw mismatch(index, [UInt8].self, found) }
        return value
    }

    private func mismatch(_ index: Int, _ type: Any.Type, _ found: SQLValue) -> RowMismatch {
        RowMismatch(column: columns[index].name, type: type, "found \(found.kind)")
    }
}

/// A type that databases hold in another form than its own `init(from:)` expects.
private enum ForeignScalar {
    case uuid, date, bytes, decimal, data
    /// Identifiers are in almost every row, and as text they would be read several times over.
    case identifier(any UUIDWrapper.Type)

    init?(_ type: Any.Type) {
        if type == UUID.self {
            self = .uuid
        } else if type == Date.self {
            self = .date
        } else if type == [UInt8].self {
            self = .bytes
        } else if type == Decimal.self {
            self = .decimal
        } else if type == Data.self {
            self = .data
        } else if let type = type as? any UUIDWrapper.Type {
            self = .identifier(type)
        } else {
            return nil
        }
    }
}

/// A row does not have the shape its type expects: the statement, the schema and the type disagree. It never carries the value.
public struct RowMismatch: Error, Sendable, CustomStringConvertible {
    public var column: String
    public var type: String
    public var reason: String

    init(column: String, type: Any.Type, _ reason: String) {
        self.init(column: column, type: "\(type)", reason)
    }

    public init(column: String, type: String, _ reason: String) {
        (self.column, self.type, self.reason) = (column, type, reason)
    }

    public var description: String { "column \(column) cannot be read as \(type): \(reason)" }
}

extension SQLValue {
    /// An integer, or a decimal that is one: PostgreSQL's sum of 64-bit integers is a `numeric`.
    fileprivate var integer: Int64? {
        if case .int(let value) = self { return value }
        guard case .decimal(let value) = self else { return nil }
        return Int64(Self.text(of: value))
    }

    /// Its kind, for messages that must not tell the value.
    fileprivate var kind: String {
        switch self {
        case .null: "NULL"
        case .bool: "a boolean"
        case .int: "an integer"
        case .double: "a number"
        case .text: "text"
        case .bytes: "bytes"
        case .uuid: "a UUID"
        case .timestamp: "a timestamp"
        case .decimal: "a decimal"
        case .json: "JSON"
        case .texts: "an array of text"
        }
    }
}
