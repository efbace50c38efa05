import Foundation
import GRDB
import GRDBSQLite
import MartletCore
import MartletStorage

/// A statement prepared on one connection, used by one thread at a time, again and again.
///
/// Its columns are read straight from SQLite's memory: GRDB's own rows would copy them once more.
final class PreparedStatement: RowSource {
    let text: String
    let isReadOnly: Bool
    /// Whether it takes so long that it should not run on a thread that others wait for.
    var isLong = false
    /// How many times in a row it took long there.
    var slowRuns = 0
    var lastUse: UInt64 = 0
    private(set) var columns: [ColumnName] = []

    private let handle: OpaquePointer
    /// Owns `handle`.
    private let statement: Statement
    private var preparations: Int32 = -1

    init(_ statement: Statement, text: String) {
        self.statement = statement
        self.text = text
        handle = statement.sqliteStatement
        isReadOnly = sqlite3_stmt_readonly(handle) != 0
    }

    /// Binds the values; ``reset()`` must follow, also after an error.
    func bind(_ values: [SQLValue]) throws {
        guard sqlite3_bind_parameter_count(handle) == values.count else {
            throw SQLFailure(.statement, code: "parameters", subject: "the text holds a placeholder of its own", statement: text)
        }
        var index: Int32 = 1
        for value in values {
            let code = bind(value, at: index)
            if code != SQLITE_OK { throw failure(code) }
            index += 1
        }
    }

    /// Moves to the next row; `false` at the end.
    func step() throws -> Bool {
        switch sqlite3_step(handle) {
        case SQLITE_ROW:
            readColumnsIfPreparedAnew()
            return true
        case SQLITE_DONE: return false
        case let code: throw failure(sqlite3_extended_errcode(sqlite3_db_handle(handle)), primary: code)
        }
    }

    func reset() {
        sqlite3_reset(handle)
        // Large parameters must not stay in memory, nor a caller's values in a statement that others run.
        sqlite3_clear_bindings(handle)
    }

    func isNull(at index: Int) -> Bool {
        sqlite3_column_type(handle, Int32(truncatingIfNeeded: index)) == SQLITE_NULL
    }

    func value(at index: Int) -> SQLValue {
        let column = Int32(truncatingIfNeeded: index)
        switch sqlite3_column_type(handle, column) {
        case SQLITE_INTEGER: return .int(sqlite3_column_int64(handle, column))
        case SQLITE_FLOAT: return .double(sqlite3_column_double(handle, column))
        case SQLITE_TEXT: return .text(text(at: column))
        case SQLITE_BLOB: return .bytes(bytes(at: column))
        default: return .null
        }
    }

    private func text(at column: Int32) -> String {
        guard let start = sqlite3_column_text(handle, column) else { return "" }
        let bytes = UnsafeBufferPointer(start: start, count: Int(sqlite3_column_bytes(handle, column)))
        return String(decoding: bytes, as: UTF8.self)
    }

    private func bytes(at column: Int32) -> [UInt8] {
        guard let start = sqlite3_column_blob(handle, column) else { return [] }
        return [UInt8](UnsafeRawBufferPointer(start: start, count: Int(sqlite3_column_bytes(handle, column))))
    }

    /// SQLite prepares a statement anew when the schema has changed, and then `*` may stand for other columns.
    private func readColumnsIfPreparedAnew() {
        let count = sqlite3_stmt_status(handle, SQLITE_STMTSTATUS_REPREPARE, 0)
        guard count != preparations else { return }
        preparations = count
        columns = (0..<sqlite3_column_count(handle)).map { index in
            ColumnName(sqlite3_column_name(handle, index).map { String(cString: $0) } ?? "")
        }
    }

    private func failure(_ code: Int32, primary: Int32? = nil) -> SQLFailure {
        // The connection's extended code is the more precise one, unless it belongs to another call.
        let isSame = primary.map { $0 & 0xFF == code & 0xFF } ?? true
        return SQLFailure(resultCode: isSame ? code : primary ?? code, connection: sqlite3_db_handle(handle), statement: text)
    }
}

extension PreparedStatement {
    private func bind(_ value: SQLValue, at index: Int32) -> Int32 {
        switch value {
        case .null: sqlite3_bind_null(handle, index)
        case .bool(let value): sqlite3_bind_int64(handle, index, value ? 1 : 0)
        case .int(let value): sqlite3_bind_int64(handle, index, value)
        case .double(let value): sqlite3_bind_double(handle, index, value)
        case .text(let value): bind(value, at: index)
        case .bytes(let value): bind(value, at: index)
        case .uuid(let value): bind(value.text, at: index)
        case .decimal(let value): bind(SQLValue.text(of: value), at: index)
        case .json(let value): bind(value, at: index)
        case .texts(let value): bind(SQLValue.jsonText(of: value), at: index)
        // `SQL` has refused times that do not fit.
        case .timestamp(let value): sqlite3_bind_int64(handle, index, SQLValue.milliseconds(value) ?? 0)
        }
    }

    private func bind(_ value: String, at index: Int32) -> Int32 {
        var value = value
        return value.withUTF8 { utf8 in
            // A nil pointer would bind NULL instead of the empty text.
            guard let start = utf8.baseAddress else { return sqlite3_bind_text(handle, index, "", 0, Self.copied) }
            return start.withMemoryRebound(to: CChar.self, capacity: utf8.count) {
                sqlite3_bind_text64(handle, index, $0, UInt64(utf8.count), Self.copied, UInt8(SQLITE_UTF8))
            }
        }
    }

    private func bind(_ value: [UInt8], at index: Int32) -> Int32 {
        value.isEmpty
            ? sqlite3_bind_zeroblob(handle, index, 0)
            : value.withUnsafeBytes { sqlite3_bind_blob64(handle, index, $0.baseAddress, UInt64($0.count), Self.copied) }
    }

    /// SQLITE_TRANSIENT: SQLite copies the bytes before the call returns.
    private static let copied = unsafeBitCast(-1, to: sqlite3_destructor_type.self)
}
