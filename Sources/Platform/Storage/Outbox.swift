public import Foundation

/// An ordered log of what was committed, which every process reads: for what must not get lost, and for what others have to know.
///
/// Entries are rows, written in the transaction that does what they tell: both are committed, or neither is. ``OutboxTail`` reads
/// them as they come; who was away for a while resumes with ``Outbox/entries(_:key:after:limit:in:)``. They stay until they are pruned.
public enum Outbox {
    /// Appends one entry as part of the caller's transaction, by one statement that reads nothing, and announces the topic.
    ///
    /// - Parameters:
    ///   - key: What the entry is about; readers ask for it. Entries of one key are in the order of their positions only if their
    ///     transactions keep each other out, as by changing the same row first.
    ///   - payload: Kept as JSON; ``OutboxEntry/payload(as:)`` reads it again.
    public static func append(
        _ topic: Topic, key: String, _ payload: some Encodable & Sendable, in transaction: any Transaction
    ) async throws {
        try await append(topic, [(key, payload)], in: transaction)
    }

    /// Appends several entries in their order, by one statement for every thousand. None are appended and announced by nothing.
    public static func append<Payload: Encodable & Sendable>(
        _ topic: Topic, _ entries: [(key: String, payload: Payload)], in transaction: any Transaction
    ) async throws {
        var rest = entries[...]
        while !rest.isEmpty {
            // Engines bound the number of parameters.
            let rows = rest.prefix(1000).map { "(\(topic.name), \($0.key), \(json: $0.payload), \(SQL.now))" as SQL }
            try await transaction.change("INSERT INTO outbox (topic, key, payload, created_at) VALUES \(.joined(rows, by: ", "))")
            rest = rest.dropFirst(1000)
        }
        if !entries.isEmpty { transaction.announce(topic) }
    }

    /// What was appended under the topic for the key after a position, oldest first, at most `limit` entries: for readers that resume.
    ///
    /// When the transactions of a key do not keep each other out, an entry may become visible after one of a greater position: such readers
    /// miss it.
    public static func entries(
        _ topic: Topic, key: String, after position: Int64, limit: Int, in queries: any Queries
    ) async throws -> [OutboxEntry] {
        try await queries.all(
            OutboxEntry.self,
            """
            SELECT \(OutboxEntry.columns) FROM outbox WHERE topic = \(topic.name) AND key = \(key) AND position > \(position)
            ORDER BY position LIMIT \(max(0, limit))
            """)
    }

    /// The newest entry of a key; `nil` when there is none, or none any more.
    public static func last(_ topic: Topic, key: String, in queries: any Queries) async throws -> OutboxEntry? {
        try await queries.first(
            OutboxEntry.self,
            """
            SELECT \(OutboxEntry.columns) FROM outbox WHERE topic = \(topic.name) AND key = \(key) ORDER BY position DESC LIMIT 1
            """)
    }

    /// Removes entries that were made before a moment, oldest first and at most `limit` of them; returns how many. Repeat it until that is
    /// less than `limit`. A reader that was away for longer misses them.
    @discardableResult
    public static func prune(before moment: Date, limit: Int, in queries: any Queries) async throws -> Int {
        try await queries.change(
            """
            DELETE FROM outbox WHERE position IN
            (SELECT position FROM outbox WHERE created_at < \(moment) ORDER BY created_at LIMIT \(max(0, limit)))
            """)
    }
}

/// One entry of the log.
public struct OutboxEntry: Decodable, Sendable {
    /// Greater than those of all entries that were committed before its transaction began; never used twice. Positions have gaps.
    public let position: Int64
    public let topic: String
    public let key: String
    /// JSON text, which need not be byte for byte what was appended: engines choose its spaces and the order of properties.
    public let payload: String
    /// By the database's clock.
    public let createdAt: Date

    /// The payload as it was appended. Throws ``RowMismatch`` when it has another shape.
    public func payload<Payload: Decodable>(as type: Payload.Type) throws -> Payload {
        try StoredJSON.decode(type, from: payload, column: Self.payloadColumn)
    }

    private static let payloadColumn = ColumnName("payload")
    static let columns: SQL = "position, topic, key, payload, created_at"
}
