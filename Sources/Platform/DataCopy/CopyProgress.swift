import Foundation
import MartletCore
import MartletStorage

/// How far an unfinished copy has come, kept in the target itself: each batch and the line about it are one transaction.
///
/// The table `data_copy` has a line for each table and is there as long as the copy is unfinished.
struct CopyProgress: Sendable {
    let target: any Database
    /// What the rows come from, in words that hold no secret.
    let source: String

    struct Line: Decodable, Sendable {
        let tableName: String
        let source: String
        let lastKey: String?
        let rowCount: Int
        let isDone: Bool
    }

    /// Begins a copy, or finds the one that was begun. Refuses a target that holds anything else, in one sentence.
    func open(_ tables: [StoredTable]) async throws -> [String: Line] {
        let lines = try await target.schemaTransaction { transaction in
            try await transaction.run(script: Self.table)
            let found = try await transaction.all(Line.self, "SELECT table_name, source, last_key, row_count, is_done FROM data_copy")
            if let other = found.first(where: { $0.source != source }) { throw Self.begunFromElsewhere(other.source) }
            if found.isEmpty { try await begin(tables, in: transaction) }
            return found
        }
        return Dictionary(lines.map { ($0.tableName, $0) }, uniquingKeysWith: { first, _ in first })
    }

    /// Notes a stored batch, in its transaction. A second copy at work on the same target is found out here.
    func advance(_ table: StoredTable, from rows: Int, by count: Int, to key: RowKey?, in transaction: any Transaction) async throws {
        let lastKey = try key.map(Self.text)
        let noted = try await transaction.change(
            """
            UPDATE data_copy SET last_key = coalesce(\(lastKey), last_key), row_count = \(rows + count), is_done = \(key == nil ? 1 : 0)
            WHERE table_name = \(table.name) AND source = \(source) AND row_count = \(rows) AND is_done = 0
            """)
        guard noted == 1 else {
            throw Failure(.conflict, "copy_running", "Another copy is writing to the target.")
        }
    }

    /// Whether a database is the target of a copy that has not come to its end.
    static func isOpen(in database: any Database) async throws -> Bool { try await database.hasTable("data_copy") }

    /// The copy is complete: nothing of it but its rows remains.
    func close() async throws {
        try await target.schemaTransaction { try await $0.run(script: "DROP TABLE data_copy") }
    }

    private static let table = """
        CREATE TABLE IF NOT EXISTS data_copy (
            table_name TEXT NOT NULL PRIMARY KEY,
            source TEXT NOT NULL,
            last_key TEXT,
            row_count BIGINT NOT NULL,
            is_done BIGINT NOT NULL
        )
        """

    private func begin(_ tables: [StoredTable], in transaction: any Transaction) async throws {
        for table in tables {
            guard try await transaction.first(Int.self, table.isEmptyTest) == nil else {
                throw Failure(
                    .conflict, "target_not_empty",
                    "The target has rows in the table \(table.name): a copy overwrites nothing and needs an empty target.")
            }
            try await transaction.change(
                "INSERT INTO data_copy (table_name, source, row_count, is_done) VALUES (\(table.name), \(source), 0, 0)")
        }
    }

    private static func begunFromElsewhere(_ source: String) -> Failure {
        Failure(
            .conflict, "target_of_another_copy",
            "The target holds an unfinished copy of \(source): finish that one, or give an empty target.")
    }
}

// MARK: Keys as text

extension CopyProgress {
    static func text(_ key: RowKey) throws -> String {
        String(decoding: try JSONEncoder().encode(key.values.map(text)), as: UTF8.self)
    }

    static func key(_ text: String, of table: StoredTable) throws -> RowKey {
        let parts = try JSONDecoder().decode([String].self, from: Data(text.utf8))
        let values = zip(table.key, parts).compactMap { value($1, $0.kind) }
        guard values.count == table.key.count else {
            throw Failure(.conflict, "copy_unreadable", "The target holds an unfinished copy that another program began.")
        }
        return RowKey(values)
    }

    private static func text(_ value: SQLValue) -> String {
        switch value {
        case .bool(let value): value ? "1" : "0"
        case .int(let value): String(value)
        case .text(let value): value
        case .bytes(let value): value.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
        case .uuid(let value): value.text
        case .timestamp(let value): String(SQLValue.milliseconds(value) ?? 0)
        // No key has such columns: see `StoredTable.Kind.isOrdered`.
        case .null, .double, .decimal, .json, .texts: ""
        }
    }

    private static func value(_ text: String, _ kind: StoredTable.Kind) -> SQLValue? {
        switch kind {
        case .bool: .bool(text == "1")
        case .int: Int64(text).map(SQLValue.int)
        case .text: .text(text)
        case .bytes: bytes(text).map(SQLValue.bytes)
        case .uuid: UUID(text: text).map(SQLValue.uuid)
        case .timestamp: Int64(text).flatMap(SQLValue.moment).map { .timestamp($0.amidItsMillisecond) }
        case .double, .decimal, .json, .texts: nil
        }
    }

    private static func bytes(_ text: String) -> [UInt8]? {
        let digits = text.utf8.compactMap(\.hexadecimalDigit)
        guard digits.count == text.utf8.count, digits.count.isMultiple(of: 2) else { return nil }
        return stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
    }
}
