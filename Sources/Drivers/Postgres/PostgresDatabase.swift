// MartletPostgres: the storage seam on PostgreSQL, by libpq.

public import Logging
import MartletCore
public import MartletStorage
public import Metrics

/// A PostgreSQL server, reached through a pool of connections.
///
/// - Single reads and inserts of many requests share a few connections in batches; everything else has a connection for itself.
/// - Nothing waits on a thread that serves requests.
/// - A server that goes away is noticed, callers are refused at once, and it is used again as soon as it is back.
/// - When a connection is lost, the outcome of what was on the way is unknown: it is reported as `unavailable` and never repeated.
public final class PostgresDatabase: Database {
    public let dialect = SQLDialect.postgres

    /// The first who waits opens one more connection of the pool, on which this process hears the others. A pool that has only one keeps it.
    public let announcements: Announcements

    let engine: Engine
    private let settings: PostgresSettings
    private let notifications: Notifications

    /// The transaction whose body the current task runs in.
    @TaskLocal private static var current: TransactionState?

    /// Connects when it is used; throws only for a URL that libpq cannot read.
    ///
    /// - Parameter url: `postgresql://user:password@host:port/database?sslmode=verify-full&…`, with any parameter of libpq.
    public init(
        url: String, settings: PostgresSettings = PostgresSettings(), logger: Logger,
        metrics: any MetricsFactory = NOOPMetricsHandler.instance
    ) throws {
        self.settings = settings
        engine = try Engine(url: url, settings: settings, logger: logger, metrics: metrics)
        let notifications = Notifications(engine, logger: logger)
        let canListen = settings.poolSize + settings.maxOverflow > 1
        announcements = Announcements(reachOtherProcesses: canListen) { if canListen { notifications.hear(for: $0) } }
        self.notifications = notifications
    }

    public func all<Row: Decodable & Sendable>(_ row: Row.Type, _ sql: SQL) async throws -> [Row] {
        try ResultRows(try await run(sql)).decode(row)
    }

    public func first<Row: Decodable & Sendable>(_ row: Row.Type, _ sql: SQL) async throws -> Row? {
        try ResultRows(try await run(sql)).decode(row, limit: 1).first
    }

    @discardableResult
    public func change(_ sql: SQL) async throws -> Int {
        try await run(sql).changedCount
    }

    private func run(_ sql: SQL) async throws -> PostgresResult {
        let statement = try Statement(sql)
        if isInTransaction, Shape.Kind(statement.text) != .read { throw TransactionMistake.nested }
        do {
            return try await engine.run(statement)
        } catch let failure as SQLFailure {
            throw failure.thrown
        }
    }

    public var load: DatabaseLoad { engine.load }

    public func check() async throws {
        try await withThrowingTaskGroup(of: Void.self) { [settings] group in
            group.addTask { _ = try await self.first(Int.self, "SELECT 1") }
            group.addTask {
                try await Task.sleep(for: settings.connectTimeout)
                throw SQLFailure.silence(nil).thrown
            }
            defer { group.cancelAll() }
            try await group.next()
        }
    }

    public func close() async {
        announcements.close()
        await engine.close()
    }
}

// MARK: Transactions

extension PostgresDatabase {
    public func transaction<Result: Sendable>(
        isolation: Isolation, _ body: @Sendable (any Transaction) async throws -> Result
    ) async throws -> Result {
        if isInTransaction { throw TransactionMistake.nested }
        var retries = Retries(within: settings.timeout)
        while true {
            do {
                return try await attempt(begin: isolation.begin, limit: settings.timeout) { try await body($0) }
            } catch let failure as NotSerialized {
                try await retries.pause(after: failure)
            }
        }
    }

    public func schemaTransaction<Result: Sendable>(
        _ body: @Sendable (any SchemaTransaction) async throws -> Result
    ) async throws -> Result {
        if isInTransaction { throw TransactionMistake.nested }
        do {
            return try await attempt(begin: Isolation.readCommitted.begin, limit: nil) { transaction in
                try await transaction.takeSchema()
                return try await body(transaction)
            }
        } catch let failure as NotSerialized {
            throw failure.cause.thrown
        }
    }

    /// Runs `body` in a transaction, once. Who is told of its commit is told when its connection is free again.
    private func attempt<Result: Sendable>(
        begin: String, limit: Duration?, _ body: @Sendable (PostgresTransaction) async throws -> Result
    ) async throws -> Result {
        let (result, state) = try await committed(begin: begin, limit: limit, body)
        await announcements.deliver(state.told)
        return result
    }

    private func committed<Result: Sendable>(
        begin: String, limit: Duration?, _ body: @Sendable (PostgresTransaction) async throws -> Result
    ) async throws -> (Result, TransactionState) {
        let lease = try await borrow(for: limit, begin: begin)
        let transaction = PostgresTransaction(engine: engine, lease: lease)
        defer {
            transaction.end()
            engine.giveBack(lease)
        }
        do {
            let result = try await Self.$current.withValue(transaction.state) { try await body(transaction) }
            try Task.checkCancellation()
            try await transaction.commit()
            announce(transaction.state.announced)
            return (result, transaction.state)
        } catch {
            throw transaction.reason(for: error)
        }
    }

    private func announce(_ topics: Set<Topic>) {
        guard !topics.isEmpty else { return }
        announcements.wake(topics)
        notifications.send(topics)
    }

    private func borrow(for limit: Duration?, begin: String) async throws -> Lease {
        do {
            return try await engine.borrow(for: limit, begin: begin)
        } catch let failure as SQLFailure {
            throw failure.thrown
        }
    }

    private var isInTransaction: Bool {
        guard let current = Self.current else { return false }
        return current.engine === engine && !current.isEnded
    }
}

extension Isolation {
    fileprivate var begin: String {
        switch self {
        case .serializable: "BEGIN ISOLATION LEVEL SERIALIZABLE"
        case .readCommitted: "BEGIN ISOLATION LEVEL READ COMMITTED"
        }
    }
}

/// How often, and after which pauses, a transaction that could not be serialised is tried again.
struct Retries {
    private static let most = 25
    private var count = 0
    private let end: ContinuousClock.Instant

    init(within time: Duration) {
        end = .now + time
    }

    /// Waits for a moment that grows and differs among those who got into each other's way; throws the cause when it was the last attempt.
    mutating func pause(after failure: NotSerialized) async throws {
        count += 1
        guard count < Self.most, .now < end else { throw failure.cause.thrown }
        let longest = Duration.milliseconds(1 << min(count, 8))
        try await Task.sleep(for: longest * Double.random(in: 0.2...1))
    }
}

/// A transaction that got into the way of another one; run again, it may succeed.
struct NotSerialized: Error {
    let cause: SQLFailure
}

// MARK: Results of any size

extension PostgresDatabase {
    public func batches<Row: Decodable & Sendable>(
        of size: Int, _ row: Row.Type, _ sql: SQL, _ body: @Sendable ([Row]) async throws -> Void
    ) async throws {
        let cursor = try Statement(cursor: "martlet_batches", for: sql)
        let lease = try await borrow(for: nil, begin: "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        defer { engine.giveBack(lease) }
        do {
            _ = try await engine.run(cursor, on: lease)
            try await fetch(max(1, size), row, lease, body)
        } catch let failure as SQLFailure {
            throw failure.thrown
        }
    }

    private func fetch<Row: Decodable & Sendable>(
        _ size: Int, _ row: Row.Type, _ lease: Lease, _ body: @Sendable ([Row]) async throws -> Void
    ) async throws {
        let fetch = Statement(session: "FETCH \(size) FROM martlet_batches")
        var batch: [Row]
        repeat {
            batch = try ResultRows(try await engine.run(fetch, on: lease)).decode(row)
            if !batch.isEmpty { try await body(batch) }
        } while batch.count == size
    }
}
