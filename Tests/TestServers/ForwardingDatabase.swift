public import MartletStorage

/// A database that passes on to another one whatever it does not do itself: for tests that step in between.
public protocol ForwardingDatabase: Database {
    var inner: any Database { get }
}

extension ForwardingDatabase {
    public var dialect: SQLDialect { inner.dialect }
    public var announcements: Announcements { inner.announcements }
    public var load: DatabaseLoad { inner.load }

    public func all<Row: Decodable & Sendable>(_ row: Row.Type, _ sql: SQL) async throws -> [Row] { try await inner.all(row, sql) }
    public func first<Row: Decodable & Sendable>(_ row: Row.Type, _ sql: SQL) async throws -> Row? { try await inner.first(row, sql) }
    public func change(_ sql: SQL) async throws -> Int { try await inner.change(sql) }

    public func transaction<Result: Sendable>(
        isolation: Isolation, _ body: @Sendable (any Transaction) async throws -> Result
    ) async throws -> Result {
        try await inner.transaction(isolation: isolation, body)
    }

    public func schemaTransaction<Result: Sendable>(
        _ body: @Sendable (any SchemaTransaction) async throws -> Result
    ) async throws -> Result {
        try await inner.schemaTransaction(body)
    }

    public func batches<Row: Decodable & Sendable>(
        of size: Int, _ row: Row.Type, _ sql: SQL, _ body: @Sendable ([Row]) async throws -> Void
    ) async throws {
        try await inner.batches(of: size, row, sql, body)
    }

    public func check() async throws { try await inner.check() }
    public func close() async { await inner.close() }
}
