import MartletCore
import MartletStorage
import MartletTestServers
import Synchronization

/// A database whose statements are counted, and whose answers may get lost.
final class WatchedDatabase: ForwardingDatabase {
    let inner: any Database
    private let count = Mutex(0)
    private let loses: @Sendable (_ row: String) -> Bool

    /// - Parameter loses: Whether the answer to a statement that returns such rows is lost, after it was carried out.
    init(_ inner: any Database, loses: @escaping @Sendable (_ row: String) -> Bool = { _ in false }) {
        (self.inner, self.loses) = (inner, loses)
    }

    /// How many statements and transactions there were.
    var statements: Int { count.withLock { $0 } }

    func all<Row: Decodable & Sendable>(_ row: Row.Type, _ sql: SQL) async throws -> [Row] {
        noteOne()
        let rows = try await inner.all(row, sql)
        if loses("\(row)") { throw Failure.unavailable("lost", "The answer was lost.") }
        return rows
    }

    func first<Row: Decodable & Sendable>(_ row: Row.Type, _ sql: SQL) async throws -> Row? {
        noteOne()
        return try await inner.first(row, sql)
    }

    func change(_ sql: SQL) async throws -> Int {
        noteOne()
        return try await inner.change(sql)
    }

    func transaction<Result: Sendable>(
        isolation: Isolation, _ body: @Sendable (any Transaction) async throws -> Result
    ) async throws -> Result {
        noteOne()
        return try await inner.transaction(isolation: isolation, body)
    }

    private func noteOne() { count.withLock { $0 += 1 } }
}
