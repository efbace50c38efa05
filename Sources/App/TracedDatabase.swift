import MartletCore
import MartletStorage
import MartletTelemetry
import Tracing

/// A database whose statements are spans of the trace that the caller works in, with the text of each and none of its values. Where nothing
/// is traced it passes everything on.
struct TracedDatabase: Database, TracedQueries {
    let inner: any Database
    let system: StatementSpan.System

    init(_ inner: any Database) {
        (self.inner, system) = (inner, StatementSpan.System(inner.dialect))
    }

    var queries: any Queries { inner }
    var announcements: Announcements { inner.announcements }
    var load: DatabaseLoad { inner.load }

    func transaction<Result: Sendable>(
        isolation: Isolation, _ body: @Sendable (any Transaction) async throws -> Result
    ) async throws -> Result {
        guard let trace = Trace.current else { return try await inner.transaction(isolation: isolation, body) }
        let beginnings = TransactionBeginnings()
        return try await trace.scope({ _ in TransactionSpan(name: "transaction", system: system, beginnings: beginnings.all) }) {
            let context = ServiceContext.current
            return try await inner.transaction(isolation: isolation) { transaction in
                beginnings.note()
                // The engine may run it in a task of its own.
                return try await ServiceContext.$current.withValue(context) {
                    try await body(TracedTransaction(transaction, system))
                }
            }
        }
    }

    func schemaTransaction<Result: Sendable>(_ body: @Sendable (any SchemaTransaction) async throws -> Result) async throws -> Result {
        try await inner.schemaTransaction(body)
    }

    func batches<Row: Decodable & Sendable>(
        of size: Int, _ row: Row.Type, _ sql: SQL, _ body: @Sendable ([Row]) async throws -> Void
    ) async throws {
        guard let trace = Trace.current else { return try await inner.batches(of: size, row, sql, body) }
        try await trace.scope({ _ in StatementSpan(sql, system) }) { try await inner.batches(of: size, row, sql, body) }
    }

    func check() async throws { try await inner.check() }
    func close() async { await inner.close() }
}

/// Statements as spans, the same for a database and a transaction.
protocol TracedQueries: Queries {
    var queries: any Queries { get }
    var system: StatementSpan.System { get }
}

extension TracedQueries {
    var dialect: SQLDialect { queries.dialect }

    func all<Row: Decodable & Sendable>(_ row: Row.Type, _ sql: SQL) async throws -> [Row] {
        guard let trace = Trace.current else { return try await queries.all(row, sql) }
        return try await trace.step(StatementSpan(sql, system)) { try await queries.all(row, sql) }
    }

    func first<Row: Decodable & Sendable>(_ row: Row.Type, _ sql: SQL) async throws -> Row? {
        guard let trace = Trace.current else { return try await queries.first(row, sql) }
        return try await trace.step(StatementSpan(sql, system)) { try await queries.first(row, sql) }
    }

    func change(_ sql: SQL) async throws -> Int {
        guard let trace = Trace.current else { return try await queries.change(sql) }
        return try await trace.step(StatementSpan(sql, system)) { try await queries.change(sql) }
    }
}

/// A transaction whose statements are spans below its own.
private struct TracedTransaction: Transaction, TracedQueries {
    let inner: any Transaction
    let system: StatementSpan.System

    init(_ inner: any Transaction, _ system: StatementSpan.System) { (self.inner, self.system) = (inner, system) }

    var queries: any Queries { inner }

    func savepoint<Result: Sendable>(_ body: @Sendable (any Transaction) async throws -> Result) async throws -> Result {
        guard let trace = Trace.current else { return try await inner.savepoint { try await body(TracedTransaction($0, system)) } }
        return try await trace.scope({ _ in TransactionSpan(name: "savepoint", system: system, beginnings: []) }) {
            let context = ServiceContext.current
            return try await inner.savepoint { transaction in
                try await ServiceContext.$current.withValue(context) { try await body(TracedTransaction(transaction, system)) }
            }
        }
    }

    func announce(_ topic: Topic) { inner.announce(topic) }
    func tell(_ topic: Topic, _ note: any Sendable) { inner.tell(topic, note) }
}
