import MartletCore
import MartletStorage
import Synchronization

/// The statements of one running transaction, on a connection of its own.
struct PostgresTransaction: SchemaTransaction {
    let engine: Engine
    let lease: Lease
    let state: TransactionState

    var dialect: SQLDialect { .postgres }

    init(engine: Engine, lease: Lease) {
        (self.engine, self.lease) = (engine, lease)
        state = TransactionState(engine)
    }

    func all<Row: Decodable & Sendable>(_ row: Row.Type, _ sql: SQL) async throws -> [Row] {
        try ResultRows(try await run(try Statement(sql))).decode(row)
    }

    func first<Row: Decodable & Sendable>(_ row: Row.Type, _ sql: SQL) async throws -> Row? {
        try ResultRows(try await run(try Statement(sql))).decode(row, limit: 1).first
    }

    @discardableResult
    func change(_ sql: SQL) async throws -> Int {
        try await run(try Statement(sql)).changedCount
    }

    func announce(_ topic: Topic) { state.announce(topic) }

    func tell(_ topic: Topic, _ note: any Sendable) { state.tell(topic, note) }

    func run(script: String) async throws {
        try state.enter()
        do {
            try await engine.run(script: script, on: lease)
            // It fails when the script has ended the transaction.
            _ = try await engine.run(Statement(session: "SAVEPOINT martlet_script"), on: lease)
        } catch {
            throw state.doom(error)
        }
    }

    private func run(_ statement: Statement) async throws -> PostgresResult {
        try state.enter()
        do {
            return try await engine.run(statement, on: lease)
        } catch {
            throw state.doom(error)
        }
    }
}

// MARK: Savepoints

extension PostgresTransaction {
    func savepoint<Result: Sendable>(_ body: @Sendable (any Transaction) async throws -> Result) async throws -> Result {
        let level = try state.openSavepoint()
        let name = "martlet_\(level)"
        do {
            _ = try await run(Statement(session: "SAVEPOINT \(name)"))
        } catch {
            state.dropSavepoint()
            throw error
        }
        let outcome: Swift.Result<Result, any Error>
        do {
            outcome = .success(try await body(self))
        } catch {
            outcome = .failure(error)
        }
        return try await close(name, level, outcome)
    }

    private func close<Result>(_ name: String, _ level: Int, _ outcome: Swift.Result<Result, any Error>) async throws -> Result {
        let failure = state.failure
        guard try state.closeSavepoint(level) else { return try outcome.get() }
        if failure == nil, case .success(let result) = outcome {
            _ = try await run(Statement(session: "RELEASE SAVEPOINT \(name)"))
            return result
        }
        // The task may be cancelled; the transaction goes on or ends by its body, not here.
        state.lift()
        _ = try await run(Statement(session: "ROLLBACK TO SAVEPOINT \(name)"))
        _ = try await run(Statement(session: "RELEASE SAVEPOINT \(name)"))
        _ = try outcome.get()
        throw failure.map(TransactionState.thrown) ?? CancellationError()
    }
}

// MARK: Beginning and ending

extension PostgresTransaction {
    /// Waits until no one else changes this schema, however long that takes.
    func takeSchema() async throws {
        for limit in ["statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"] {
            _ = try await run(Statement(session: "SET LOCAL \(limit) = 0"))
        }
        try await change("SELECT pg_advisory_xact_lock(hashtextextended('martlet ' || current_schema(), 0))")
        _ = try await run(Statement(session: "SET CONSTRAINTS ALL DEFERRED"))
    }

    /// Returns when the server has committed; a body that swallowed a failure commits nothing.
    func commit() async throws {
        if let failure = state.failure { throw TransactionState.thrown(failure) }
        guard state.hasRun else { return }
        // From here on nobody may know the outcome: what a savepoint ran into must not make the body run again.
        state.forgetConflict()
        let result = try await run(Statement(session: "COMMIT"))
        guard result.command == "COMMIT" else { throw SQLFailure(.statement, code: "25P02", subject: "the transaction had failed") }
    }

    func end() { state.end() }

    /// What a failed attempt throws: the engine's reason comes before what the body made of it.
    func reason(for error: any Error) -> any Error {
        if let conflict = state.conflict { return NotSerialized(cause: conflict) }
        if let deadline = lease.deadline, deadline <= .now, !(error is CancellationError) { return Core.transactionTimedOut }
        return (error as? SQLFailure)?.thrown ?? error
    }
}

/// What a transaction's handles share.
final class TransactionState: Sendable {
    let engine: Engine
    private let state = Mutex(State())

    private struct State {
        var hasRun = false
        var isEnded = false
        var failure: (any Error)?
        var conflict: SQLFailure?
        /// Whether savepoints overlapped: nobody can say what undoing one of them leaves.
        var isOverlapping = false
        var savepoints = 0
        var announced: Set<Topic> = []
        var told: [(topic: Topic, note: any Sendable)] = []
    }

    init(_ engine: Engine) {
        self.engine = engine
    }

    /// Whether anything was sent.
    var hasRun: Bool { state.withLock { $0.hasRun } }
    var isEnded: Bool { state.withLock { $0.isEnded } }
    /// What is to be announced after the commit.
    var announced: Set<Topic> { state.withLock { $0.announced } }
    /// What is to be told after the commit.
    var told: [(topic: Topic, note: any Sendable)] { state.withLock { $0.told } }
    /// The failure that doomed the transaction, or the innermost savepoint.
    var failure: (any Error)? { state.withLock { $0.failure } }

    /// The failure for which everything should be run again. Undoing a savepoint does not help: what the others did stays.
    var conflict: SQLFailure? { state.withLock { $0.conflict } }

    /// Throws unless a statement may run.
    func enter() throws {
        try state.withLock { state in
            if state.isEnded { throw TransactionMistake.ended }
            if let failure = state.failure { throw TransactionMistake.failed(after: failure) }
            state.hasRun = true
        }
    }

    /// Remembers why the transaction cannot go on; returns what to throw.
    func doom(_ error: any Error) -> any Error {
        state.withLock { state in
            if state.failure == nil { state.failure = error }
            if let failure = error as? SQLFailure, failure.kind == .serialization { state.conflict = failure }
        }
        return Self.thrown(error)
    }

    static func thrown(_ error: any Error) -> any Error { (error as? SQLFailure)?.thrown ?? error }

    func end() { state.withLock { $0.isEnded = true } }

    func announce(_ topic: Topic) { state.withLock { _ = $0.announced.insert(topic) } }

    func tell(_ topic: Topic, _ note: any Sendable) { state.withLock { $0.told.append((topic, note)) } }

    func openSavepoint() throws -> Int {
        try enter()
        return state.withLock { state in
            state.savepoints += 1
            return state.savepoints
        }
    }

    /// The savepoint did not come about.
    func dropSavepoint() { state.withLock { $0.savepoints -= 1 } }

    /// `false` when the transaction has ended meanwhile. A savepoint that ends before one that began in it dooms the transaction.
    func closeSavepoint(_ level: Int) throws -> Bool {
        try state.withLock { state in
            guard !state.isEnded else { return false }
            if state.savepoints != level { state.isOverlapping = true }
            if state.isOverlapping {
                state.failure = TransactionMistake.overlap
                throw TransactionMistake.overlap
            }
            state.savepoints -= 1
            return true
        }
    }

    func forgetConflict() { state.withLock { $0.conflict = nil } }

    /// What failed inside a savepoint is about to be undone.
    func lift() { state.withLock { $0.failure = nil } }
}
