import MartletCore
import MartletStorage

/// The statements of one turn of the writer. They run at once, on the thread that asks, which is the writer's in a body.
struct SQLiteTransaction: SchemaTransaction {
    let turn: WriteTurn
    let connection: Connection
    let log: SlowStatementLog

    var dialect: SQLDialect { .sqlite }

    func all<Row: Decodable & Sendable>(_ row: Row.Type, _ sql: SQL) async throws -> [Row] {
        try await run(sql) { try $0.run($1, sql.values) { try $0.all(row) } }
    }

    func first<Row: Decodable & Sendable>(_ row: Row.Type, _ sql: SQL) async throws -> Row? {
        try await run(sql) { try $0.run($1, sql.values) { try $0.first(row) } }
    }

    @discardableResult
    func change(_ sql: SQL) async throws -> Int {
        try await run(sql) { try $0.change($1, sql.values) }
    }

    func savepoint<Result: Sendable>(_ body: @Sendable (any Transaction) async throws -> Result) async throws -> Result {
        try Task.checkCancellation()
        let depth = try perform { try $0.beginSavepoint() }
        let outcome: Swift.Result<Result, any Error>
        do { outcome = .success(try await body(self)) } catch { outcome = .failure(error) }
        try inTurn { try $0.endSavepoint(depth, keeps: outcome.isSuccess) }
        return try outcome.get()
    }

    func announce(_ topic: Topic) { turn.announce(topic) }

    func tell(_ topic: Topic, _ note: any Sendable) { turn.tell(topic, note) }

    func run(script: String) async throws {
        try Task.checkCancellation()
        try perform { session in
            try session.run(script: script)
            guard session.isInTransaction else {
                throw SQLFailure(.statement, code: "transaction", subject: "a script must not begin or end transactions")
            }
        }
    }

    /// Throws the failure of the statement that doomed the transaction, if one did.
    func confirm() throws {
        try connection.exclusively { session in
            if session.turn == turn.id, let doom = session.doom { throw doom }
        }
    }

    /// Throws when a row refers to one that does not exist.
    func checkReferences() async throws {
        let broken = try perform { session in try session.run("PRAGMA foreign_key_check", []) { try $0.first(BrokenReference.self) } }
        if let broken { throw SQLFailure(.foreignKey, code: "787", subject: "\(broken.table) refers to missing rows of \(broken.parent)") }
    }

    private struct BrokenReference: Decodable, Sendable {
        let table: String
        let parent: String
    }

    private func run<Result: Sendable>(_ sql: SQL, _ work: @Sendable (Session, String) throws -> Result) async throws -> Result {
        try Task.checkCancellation()
        try Deadline.check()
        let text = try sql.text(for: .sqlite)
        let running = RunningStatement(connection)
        return try await withTaskCancellationHandler {
            try perform { session in
                let start = ContinuousClock.now
                defer { log.record(text, .transaction, took: start.duration(to: .now)) }
                // SQLite would roll back the whole group if a statement that writes were interrupted; those run to their end.
                guard try session.statement(text).isReadOnly else { return try work(session, text) }
                return try running.run { try work(session, text) }
            }
        } onCancel: {
            running.cancel()
        }
    }

    /// Runs `work` on the connection unless the transaction is doomed, and dooms it when the engine refuses the work.
    private func perform<Result: Sendable>(_ work: (Session) throws -> Result) throws -> Result {
        try inTurn { session in
            if let doom = session.doom { throw TransactionMistake.failed(after: doom) }
            do {
                return try work(session)
            } catch let mismatch as RowMismatch {
                // The statement went well; only its reader expected something else.
                throw mismatch
            } catch {
                session.doom = (error as? SQLFailure)?.thrown ?? error
                throw error
            }
        }
    }

    /// Runs `work` on the connection if the turn still lasts.
    private func inTurn<Result: Sendable>(_ work: (Session) throws -> Result) throws -> Result {
        do {
            return try connection.exclusively { session in
                guard session.turn == turn.id else { throw TransactionMistake.ended }
                return try work(session)
            }
        } catch let failure as SQLFailure {
            throw failure.thrown
        }
    }

}
