// MartletStorage: the seam between services and a relational database. It holds no driver and no engine's name in its protocols.

public import MartletCore

/// A relational database: statements outside a transaction, and transactions.
///
/// Every call may throw a ``MartletCore/Failure`` of kind `unavailable` when the engine is away, busy or out of space (the same call may
/// succeed later), an ``SQLFailure`` for a broken constraint or a wrong statement, and `CancellationError` when the task is cancelled.
public protocol Database: Queries {
    /// Runs `body` in one transaction: committed and durable when this returns, rolled back when it throws.
    ///
    /// `body` may be run again, from its beginning, when the engine could not serialise it with the others: change nothing outside of the
    /// transaction in it, and do nothing slow, no network calls. Waiters are served first come first served. A cancelled caller leaves the
    /// queue, or is rolled back. The time of `body` is bounded by the driver's settings; beyond them it is rolled back and `unavailable` is
    /// thrown.
    /// A transaction begun inside another one's body is a mistake in the program and throws `internal`, code `nested_transaction`.
    func transaction<Result: Sendable>(
        isolation: Isolation, _ body: @Sendable (any Transaction) async throws -> Result
    ) async throws -> Result

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

    /// Who waits for what transactions announce; see ``Transaction/announce(_:)``.
    var announcements: Announcements { get }

    /// How busy the connections are. For metrics: reading it is cheap, and its parts need not be of one same moment.
    var load: DatabaseLoad { get }

    /// Reads one value from the engine; throws `unavailable` when it cannot. For readiness checks.
    func check() async throws

    /// Ends the streams of ``announcements``, waits for running work, refuses new work as `unavailable`, and closes every connection. Safe to
    /// repeat.
    func close() async
}

extension Database {
    /// Runs `body` in a transaction that is ``Isolation/serializable``; see ``transaction(isolation:_:)``.
    public func transaction<Result: Sendable>(_ body: @Sendable (any Transaction) async throws -> Result) async throws -> Result {
        try await transaction(isolation: .serializable, body)
    }
}

/// What a transaction is kept apart from.
public enum Isolation: Sendable, Hashable, CaseIterable {
    /// As if transactions ran one after another: what it has read still holds when it is committed. The default.
    case serializable
    /// Each statement sees what others had committed before it began. For statements that are right by themselves and too contended to be
    /// run again. An engine may give more than this: SQLite's transactions are all serializable.
    case readCommitted
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
/// A statement that the engine refuses dooms its transaction, whatever its body makes of the error: every later statement throws
/// `internal`, code `transaction_failed`, and if the body returns anyway, everything is rolled back and the statement's own error is
/// thrown. Put what may fail into a ``savepoint(_:)``. A value refused before it was sent and a row that could not be decoded doom nothing.
///
/// It ends with its body: later use throws `internal`, code `transaction_ended`.
public protocol Transaction: Queries {
    /// Runs a part that may fail: when `body` throws, what it did is undone, its error is thrown, and the transaction goes on.
    ///
    /// Inside of `body` the rule for statements that fail holds for the savepoint instead of the transaction. Savepoints nest, and end in
    /// the order they begin: two at once in one transaction are a mistake in the program, which dooms the transaction.
    func savepoint<Result: Sendable>(_ body: @Sendable (any Transaction) async throws -> Result) async throws -> Result

    /// Announces, when and only when this transaction commits, that something happened under `topic`; see ``Database/announcements``.
    ///
    /// It costs no statement, and several times are one. It may be announced for nothing when a savepoint is undone. When nobody knows
    /// whether the transaction was committed, since the connection was lost, nothing is announced.
    func announce(_ topic: Topic)

    /// Tells those of this process who heed `topic`, when and only when this transaction commits, and before its caller hears of the
    /// commit: what they have to know for the caller to read its own writes. See ``Announcements/heed(_:_:)``.
    ///
    /// Like an announcement it may be told for nothing when a savepoint is undone, and is not told when nobody knows of the commit.
    func tell(_ topic: Topic, _ note: any Sendable)
}

/// A transaction that may change the schema.
public protocol SchemaTransaction: Transaction {
    /// Runs statements separated by `;`. The text must come from the program, never from outside.
    func run(script: String) async throws
}
