// MartletSQLite: the storage seam on SQLite, in one file of the local disk.

public import Logging
import MartletCore
public import MartletStorage
public import Metrics
import Synchronization

/// A database in one file: one writer with group commit, and readers that never wait for it (write-ahead log).
///
/// - A write is answered after its commit is on the disk. Writes that are waiting at the same moment share one commit.
/// - Reads outside a transaction see what is committed; a caller sees all its own answered writes.
/// - UUIDs are stored as 36 lower-case characters, times as integer milliseconds since 1970, booleans as 0 and 1, decimals and JSON as
///   text, arrays of texts as the text of a JSON array.
public final class SQLiteDatabase: Database {
    public let dialect = SQLDialect.sqlite

    private let path: String
    private let settings: SQLiteSettings
    private let writer: Writer
    private let readers: ReaderPool
    private let reads: SQLiteReads
    private let log: SlowStatementLog
    /// How many results are being read in batches, each on a connection of its own.
    private let exports = Atomic(0)

    /// Opens the file, and creates it if need be; its folder must exist.
    ///
    /// Throws `unavailable` when it cannot be opened, is not a database or lies where nothing can be written.
    public init(
        path: String, settings: SQLiteSettings = SQLiteSettings(), logger: Logger, metrics: any MetricsFactory = NOOPMetricsHandler.instance
    ) throws {
        (self.path, self.settings) = (path, settings)
        log = SlowStatementLog(threshold: settings.slowStatement, logger: logger, metrics: metrics)
        let connection = try Connection(path: path, settings: settings, isReader: false)
        try connection.exclusively { session in
            try session.execute("PRAGMA synchronous = \(settings.synchronous.rawValue)")
            // After a burst the log shrinks to this again instead of keeping the room for ever.
            try session.query("PRAGMA journal_size_limit = 67108864")
        }
        writer = Writer(connection, settings: settings)
        readers = ReaderPool(capacity: settings.readers) { try Connection(path: path, settings: settings, isReader: true) }
        reads = SQLiteReads(readers: readers, log: log)
    }

    public func all<Row: Decodable & Sendable>(_ row: Row.Type, _ sql: SQL) async throws -> [Row] {
        try await query(sql) { try $0.all(row) }
    }

    public func first<Row: Decodable & Sendable>(_ row: Row.Type, _ sql: SQL) async throws -> Row? {
        try await query(sql) { try $0.first(row) }
    }

    @discardableResult
    public func change(_ sql: SQL) async throws -> Int {
        try await write(sql) { try $0.change($1, $2) }
    }

    public func transaction<Result: Sendable>(
        isolation: Isolation, _ body: @Sendable (any Transaction) async throws -> Result
    ) async throws -> Result {
        // One writer at a time: every transaction is serializable.
        try await writer.transact { turn in
            let transaction = SQLiteTransaction(turn: turn, connection: writer.connection, log: log)
            let result = try await body(transaction)
            try transaction.confirm()
            return result
        }
    }

    public func schemaTransaction<Result: Sendable>(
        _ body: @Sendable (any SchemaTransaction) async throws -> Result
    ) async throws -> Result {
        try await writer.transact(alone: true) { turn in
            let transaction = SQLiteTransaction(turn: turn, connection: writer.connection, log: log)
            let result = try await body(transaction)
            try transaction.confirm()
            try await transaction.checkReferences()
            return result
        }
    }

    public func batches<Row: Decodable & Sendable>(
        of size: Int, _ row: Row.Type, _ sql: SQL, _ body: @Sendable ([Row]) async throws -> Void
    ) async throws {
        let text = try sql.text(for: .sqlite)
        // A connection of its own: exports may last for minutes and must not take one that requests share.
        let connection = try Connection(path: path, settings: settings, isReader: true)
        exports.add(1, ordering: .relaxed)
        defer {
            exports.subtract(1, ordering: .relaxed)
            connection.close()
        }
        let cursor = BatchCursor(connection: connection, text: text, values: sql.values, size: max(1, size))
        var batch: [Row]
        repeat {
            batch = try await cursor.next(row)
            if !batch.isEmpty { try await body(batch) }
        } while batch.count == cursor.size
    }

    public func check() async throws {
        // Unlike `SELECT 1` it reads the file.
        _ = try await first(Int.self, "PRAGMA schema_version")
    }

    public func close() async {
        await writer.close()
        readers.close()
    }

    /// They reach this process only: others that use the file find what was committed by looking.
    public var announcements: Announcements { writer.announcements }

    public var load: DatabaseLoad {
        let exports = exports.load(ordering: .relaxed)
        return writer.load + readers.load + DatabaseLoad(connections: exports, inUse: exports)
    }

    /// How many writes wait for their turn at this moment. For metrics.
    public var waitingWrites: Int { writer.waitingCount }

    static let closed = Failure.unavailable("database_closed", "The database is not available at the moment.")
}

extension SQLiteDatabase {
    /// Runs a statement that returns rows: on a reader, or on the writer if it turns out to write (`INSERT … RETURNING`).
    private func query<Result: Sendable>(
        _ sql: SQL, _ read: @escaping @Sendable (PreparedStatement) throws -> Result
    ) async throws -> Result {
        let text = try sql.text(for: .sqlite)
        do {
            if let result = try await reads.read(text, sql.values, read) { return result }
        } catch let failure as SQLFailure {
            throw failure.thrown
        }
        return try await write(sql) { try $0.run($1, $2, read) }
    }

    private func write<Result: Sendable>(
        _ sql: SQL, _ work: @escaping @Sendable (Session, String, [SQLValue]) throws -> Result
    ) async throws -> Result {
        let (text, requestID, deadline) = (try sql.text(for: .sqlite), CurrentRequest.id, Deadline.current)
        do {
            return try await writer.run { [log] session in
                let start = ContinuousClock.now
                // Its turn came too late: nobody waits for it any more.
                if let deadline, deadline <= start { throw Deadline.exceeded }
                defer { log.record(text, .write, took: start.duration(to: .now), for: requestID) }
                return try work(session, text, sql.values)
            }
        } catch let failure as SQLFailure {
            throw failure.thrown
        }
    }
}
