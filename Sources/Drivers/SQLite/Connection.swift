import Foundation
import GRDB
import GRDBSQLite
import MartletCore
import MartletStorage
import Synchronization

/// One connection to the file, used by one thread at a time.
///
/// GRDB opens and configures it and prepares its statements; they are then run directly under this type's lock, which the compiler needs to
/// see anyway. Going through GRDB's serial queue as well measured 0.3–0.6 µs per statement.
final class Connection: Sendable {
    private let queue: DatabaseQueue
    private let session: Mutex<Session>

    init(path: String, settings: SQLiteSettings, isReader: Bool) throws {
        do {
            queue = try DatabaseQueue(path: path, configuration: Self.configuration(settings, isReader: isReader))
            // 8 MiB of pages: the 2 MiB of the default make a read of a busy table fetch its pages from the system time and again.
            try queue.inDatabase { try $0.execute(sql: "PRAGMA cache_size = -8192") }
            session = Mutex(Session(queue: queue, budget: Budget(queue)))
        } catch let error as DatabaseError {
            throw SQLFailure(error).thrown
        }
    }

    /// Runs `body` with the connection to itself.
    func exclusively<Result: Sendable>(_ body: (Session) throws -> Result) rethrows -> Result {
        try session.withLock { try body($0) }
    }

    /// Stops the statement that is running, if one is; safe from any thread.
    func interrupt() {
        queue.interrupt()
    }

    /// Finalises the statements and closes the file. Later use fails as `unavailable`.
    func close() {
        session.withLock { session in
            session.leave()
            // It fails when a statement is still in use, which the lock excludes; the file is then closed with the last reference.
            do { try queue.close() } catch {}
        }
    }

    private static func configuration(_ settings: SQLiteSettings, isReader: Bool) -> Configuration {
        var configuration = Configuration()
        configuration.readonly = isReader
        configuration.foreignKeysEnabled = true
        configuration.busyMode = .timeout(settings.busyTimeout / .seconds(1))
        // The transactions are this driver's own; GRDB is not to expect one per access.
        configuration.allowsUnsafeTransactions = true
        if !isReader { configuration.journalMode = .wal }
        return configuration
    }
}

/// What a connection holds, reachable only inside ``Connection/exclusively(_:)``.
final class Session {
    private let queue: DatabaseQueue
    private let budget: Budget
    private var statements: [String: PreparedStatement] = [:]
    private var uses: UInt64 = 0
    /// The writer's turn whose statements may run; 0 for none.
    var turn: UInt64 = 0
    /// Why the turn's statements are refused: the failure of an earlier one since the innermost savepoint was opened.
    var doom: (any Error)?
    /// How many savepoints the turn has open.
    var savepoints = 0
    /// Whether the open transaction holds what earlier turns wrote.
    var groupHasWork = false
    /// Whether foreign keys are switched off for the sake of a schema transaction.
    var isChangingSchema = false

    /// More statements than a program has, unless it makes their text from data.
    private static let capacity = 256

    init(queue: DatabaseQueue, budget: Budget) {
        (self.queue, self.budget) = (queue, budget)
    }

    /// The statement, prepared once per connection.
    func statement(_ text: String) throws -> PreparedStatement {
        uses &+= 1
        if let known = statements[text] {
            known.lastUse = uses
            return known
        }
        if statements.count >= Self.capacity { discardOldStatements() }
        let prepared = PreparedStatement(try prepare(text), text: text)
        prepared.lastUse = uses
        statements[text] = prepared
        return prepared
    }

    /// Runs one statement of the driver's own.
    func execute(_ text: String) throws {
        _ = try change(text, [])
    }

    /// Runs a statement to its end and returns how many rows it changed.
    func change(_ text: String, _ values: [SQLValue]) throws -> Int {
        let handle = try open()
        let before = sqlite3_total_changes64(handle)
        try run(text, values) { while try $0.step() {} }
        // The count of changes keeps an older statement's value when this one changed nothing.
        return sqlite3_total_changes64(handle) == before ? 0 : Int(sqlite3_changes64(handle))
    }

    func run<Result>(_ text: String, _ values: [SQLValue], _ read: (PreparedStatement) throws -> Result) throws -> Result {
        let statement = try statement(text)
        defer { statement.reset() }
        try statement.bind(values)
        return try read(statement)
    }

    /// Runs a statement of the driver's own that returns rows nobody needs.
    func query(_ text: String) throws {
        try run(text, []) { while try $0.step() {} }
    }

    /// The statement as an earlier call left it, bound by the first.
    func continued(_ text: String, _ values: [SQLValue]) throws -> PreparedStatement {
        let isNew = statements[text] == nil
        let statement = try statement(text)
        guard statement.isReadOnly else {
            throw SQLFailure(.statement, code: "batches", subject: "only reads come in batches", statement: text)
        }
        if isNew { try statement.bind(values) }
        return statement
    }

    /// Like ``run(_:_:_:)`` for as many steps as a short read takes; `nil` when they did not suffice and the read was given up.
    func runBriefly<Result>(
        _ statement: PreparedStatement, _ values: [SQLValue], _ read: (PreparedStatement) throws -> Result
    ) throws -> Result? {
        defer { statement.reset() }
        try statement.bind(values)
        budget.limit()
        defer { budget.lift() }
        do {
            return try read(statement)
        } catch let failure as SQLFailure where failure.kind == .interrupted && budget.isSpent {
            return nil
        }
    }

    func run(script: String) throws {
        _ = try open()
        do {
            try queue.inDatabase { try $0.execute(sql: script) }
        } catch let error as DatabaseError {
            throw SQLFailure(error)
        }
    }

    /// Whether a transaction is open. SQLite may end one by itself, on a full disk for instance.
    var isInTransaction: Bool { budget.handle.map { sqlite3_get_autocommit($0) == 0 } ?? false }

    /// Whether foreign keys that are checked at the commit are broken at the moment.
    var hasBrokenReferences: Bool {
        guard let handle = budget.handle else { return false }
        var (count, highest): (Int32, Int32) = (0, 0)
        sqlite3_db_status(handle, SQLITE_DBSTATUS_DEFERRED_FKS, &count, &highest, 0)
        return count != 0
    }

    /// Finalises the statements; nothing runs any more.
    func leave() {
        statements = [:]
        budget.detach()
    }

    private func open() throws -> OpaquePointer {
        guard let handle = budget.handle else { throw SQLiteDatabase.closed }
        return handle
    }

    private func prepare(_ text: String) throws -> Statement {
        _ = try open()
        do {
            return try queue.inDatabase { try $0.makeStatement(sql: text) }
        } catch let error as DatabaseError {
            throw SQLFailure(error, statement: text)
        }
    }

    private func discardOldStatements() {
        let oldest = statements.values.sorted { $0.lastUse < $1.lastUse }.prefix(Self.capacity / 4)
        for statement in oldest { statements[statement.text] = nil }
    }
}
