// MartletStorage: the seam between services and a relational database. It holds no driver and no engine's name in its protocols.

public import MartletCore

/// A relational database: statements outside a transaction, and transactions.
///
/// Every call may throw a ``MartletCore/Failure`` of kind `unavailable` when the engine is away, busy or out of space (the same call may
/// succeed later), an ``SQLFailure`` for a broken constraint or a wrong statement, and `CancellationError` when the task is cancelled.
public protocol Database: Queries {
    /// Runs `body` in one transaction: committed and durable when this returns, rolled back when it throws.
    ///
    /// Writers take turns, first come first served. A cancelled caller leaves the queue, or is rolled back. Do nothing slow in `body`: no
    /// network calls. Its time is bounded by the driver's settings; beyond them it is rolled back and `unavailable` is thrown.
    /// A transaction begun inside another one's body is a mistake in the program and throws `internal`, code `nested_transaction`.
    func transaction<Result: Sendable>(_ body: @Sendable (any Transaction) async throws -> Result) async throws -> Result

    /// Runs `body` in a transaction that excludes every other migrator, also those of other processes. Only migrations need it.
    ///
    /// It has no time limit, and foreign keys are checked once, before the commit.
    func schemaTransaction<Result: Sendable>(_ body: @Sendable (any SchemaTransaction) async throws -> Result) async throws -> Result

    /// Reads a result of any size from one consistent snapshot, at most `size` rows (at least 1) in memory at a time.
    ///
    /// The snapshot lives as long as `body` takes over all its batches, so engines cannot reclaim space meanwhile: bound the time.
    func batches<Row: Decodable & Sendable>(
        of size: Int, _ row: Row.Type, _ sql: SQL, _ body: @Sendable ([Row]) async throws -> Void
    ) async throws

    /// Reads one value from the engine; throws `unavailable` when it cannot. For readiness checks.
    func check() async throws

    /// Waits for running work, refuses new work as `unavailable`, and closes every connection. Safe to repeat.
    func close() async
}

/// What can be asked of a database and of a transaction alike.
///
/// Rows are decoded by column name: `owner_id` is read into a property `ownerID` or `ownerId`. See ``RowDecoder`` for the types.
public protocol Queries: Sendable {
    /// The SQL this engine speaks.
    var dialect: SQLDialect { get }

    /// Every row, in the statement's order.
    func all<Row: Decodable & Sendable>(_ row: Row.Type, _ sql: SQL) async throws -> [Row]

    /// The first row, or `nil`. Further rows of a SELECT are not read; a statement that writes is run to its end.
    func first<Row: Decodable & Sendable>(_ row: Row.Type, _ sql: SQL) async throws -> Row?

    /// Runs a statement that returns no rows, and returns how many rows it inserted, updated or deleted.
    @discardableResult
    func change(_ sql: SQL) async throws -> Int
}

extension Queries {
    /// The first row; throws `failure` when there is none.
    public func one<Row: Decodable & Sendable>(
        _ row: Row.Type, _ sql: SQL, else failure: @autoclosure @Sendable () -> Failure
    ) async throws -> Row {
        guard let found = try await first(row, sql) else { throw failure() }
        return found
    }

    /// Runs a statement that must affect at least one row; throws `failure` when it affected none.
    public func change(_ sql: SQL, else failure: @autoclosure @Sendable () -> Failure) async throws {
        if try await change(sql) == 0 { throw failure() }
    }
}

/// The statements of one running transaction. Its reads see its own writes.
///
/// It ends with its body: later use throws `internal`, code `transaction_ended`.
public protocol Transaction: Queries {}

/// A transaction that may change the schema.
public protocol SchemaTransaction: Transaction {
    /// Runs statements separated by `;`. The text must come from the program, never from outside.
    func run(script: String) async throws
}
