import GRDB
import GRDBSQLite
import MartletStorage

extension SQLFailure {
    /// The failure behind a connection's last result code. SQLite's message is used only where it names nothing but the schema.
    init(resultCode: Int32, connection: OpaquePointer?, statement: String?) {
        let kind = Kind(resultCode: resultCode)
        var subject: String?
        if resultCode & 0xFF == SQLITE_CONSTRAINT, let message = sqlite3_errmsg(connection) {
            subject = String(cString: message).split(separator: ": ", maxSplits: 1).dropFirst().first.map(String.init)
        }
        self.init(kind, code: String(resultCode), subject: subject, statement: statement)
    }

    /// The failure of opening a database or preparing a statement, whose message speaks of the SQL text alone: values are bound later.
    init(_ error: DatabaseError, statement: String? = nil) {
        let code = error.extendedResultCode.rawValue
        self.init(Kind(resultCode: code), code: String(code), subject: error.message, statement: statement)
    }
}

extension SQLFailure.Kind {
    init(resultCode: Int32) {
        self =
            switch ResultCode(rawValue: resultCode) {
            case .SQLITE_CONSTRAINT_UNIQUE, .SQLITE_CONSTRAINT_PRIMARYKEY, .SQLITE_CONSTRAINT_ROWID: .unique
            case .SQLITE_CONSTRAINT_FOREIGNKEY: .foreignKey
            case .SQLITE_CONSTRAINT_NOTNULL: .notNull
            default: Self(primaryCode: resultCode & 0xFF)
            }
    }

    private init(primaryCode: Int32) {
        self =
            switch primaryCode {
            case SQLITE_CONSTRAINT: .check
            case SQLITE_BUSY, SQLITE_LOCKED, SQLITE_PROTOCOL: .busy
            case SQLITE_FULL: .full
            case SQLITE_IOERR, SQLITE_NOMEM, SQLITE_NOLFS: .ioError
            case SQLITE_CANTOPEN, SQLITE_PERM, SQLITE_AUTH: .cannotOpen
            case SQLITE_READONLY: .readOnly
            case SQLITE_CORRUPT, SQLITE_NOTADB: .corrupt
            case SQLITE_INTERRUPT, SQLITE_ABORT: .interrupted
            case SQLITE_TOOBIG: .tooLarge
            default: .statement
            }
    }
}
