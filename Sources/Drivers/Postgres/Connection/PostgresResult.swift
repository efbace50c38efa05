import CPostgres
import Foundation
import MartletStorage

/// A result as libpq keeps it, until the last reference is gone.
final class PostgresResult: Sendable {
    /// Nothing changes it any more, and libpq's accessors may be called from any thread.
    nonisolated(unsafe) private let result: OpaquePointer
    let layout: ResultLayout

    init(_ result: OpaquePointer, _ layout: ResultLayout) {
        (self.result, self.layout) = (result, layout)
    }

    deinit { PQclear(result) }

    var rowCount: Int { Int(PQntuples(result)) }

    /// How many rows were inserted, updated or deleted.
    var changedCount: Int { command.hasPrefix("SELECT") ? 0 : Int(String(cString: PQcmdTuples(result))) ?? 0 }

    /// What the server says that it did: `COMMIT`, `ROLLBACK`, `INSERT 0 1`.
    var command: String { String(cString: PQcmdStatus(result)) }

    func isNull(_ row: Int32, _ column: Int32) -> Bool { PQgetisnull(result, row, column) == 1 }

    func bytes(_ row: Int32, _ column: Int32) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: PQgetvalue(result, row, column), count: Int(PQgetlength(result, row, column)))
    }
}

/// The columns of a result.
struct ResultLayout: Sendable {
    let names: [ColumnName]
    let types: [UInt32]

    init(names: [ColumnName], types: [UInt32]) {
        (self.names, self.types) = (names, types)
    }

    init(_ result: OpaquePointer) {
        let columns = 0..<PQnfields(result)
        names = columns.map { ColumnName(String(cString: PQfname(result, $0))) }
        types = columns.map { PQftype(result, $0) }
    }

    /// Whether the result has these columns: the schema may have changed since they were read.
    func matches(_ result: OpaquePointer) -> Bool {
        guard Int(PQnfields(result)) == names.count else { return false }
        return names.indices.allSatisfy { index in
            let column = Int32(truncatingIfNeeded: index)
            return PQftype(result, column) == types[index] && names[index].name.withCString { strcmp($0, PQfname(result, column)) == 0 }
        }
    }
}

/// The rows of a result, one after another.
final class ResultRows: RowSource {
    private let result: PostgresResult
    private var row: Int32 = 0
    /// The column that holds what no Swift type of ours can take.
    private var unreadable: Int?

    init(_ result: PostgresResult) {
        self.result = result
    }

    var columns: [ColumnName] { result.layout.names }

    func isNull(at index: Int) -> Bool { result.isNull(row, Int32(truncatingIfNeeded: index)) }

    func value(at index: Int) -> SQLValue {
        let column = Int32(truncatingIfNeeded: index)
        if result.isNull(row, column) { return .null }
        if let value = PostgresValue.decode(result.bytes(row, column), type: result.layout.types[index]) { return value }
        unreadable = index
        return .null
    }

    /// The first `limit` rows, decoded.
    func decode<Row: Decodable>(_ type: Row.Type, limit: Int = .max) throws -> [Row] {
        let count = min(limit, result.rowCount)
        guard count > 0 else { return [] }
        let decoder = RowDecoder(self)
        var rows: [Row] = []
        rows.reserveCapacity(count)
        for index in 0..<count {
            row = Int32(truncatingIfNeeded: index)
            rows.append(try decode(decoder, type))
        }
        return rows
    }

    private func decode<Row: Decodable>(_ decoder: RowDecoder, _ type: Row.Type) throws -> Row {
        let decoded = Result { try decoder.decode(type) }
        if let unreadable {
            throw RowMismatch(
                column: columns[unreadable].name, type: "\(type)",
                "the value of PostgreSQL type \(result.layout.types[unreadable]) has no form here; cast it in the statement")
        }
        return try decoded.get()
    }
}
