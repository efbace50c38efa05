import MartletCore
import MartletStorage

// The statements that a copy needs of a table. Names are the program's own; every value is bound.

extension StoredTable {
    /// At most `limit` rows in the order of their keys: after `lower`, and up to `upper` itself.
    func page(after lower: RowKey?, through upper: RowKey?, limit: Int, from queries: any Queries) async throws -> [CopiedRow] {
        do {
            return try await queries.all(SelectedValues.self, page(after: lower, through: upper, limit: limit)).map { row($0.values) }
        } catch let mismatch as RowMismatch {
            throw unreadable(mismatch)
        }
    }

    private func unreadable(_ mismatch: RowMismatch) -> Failure {
        let number = Int(mismatch.column.dropFirst()) ?? columns.count
        let column = columns.indices.contains(number) ? "the column \(columns[number].name)" : "a column"
        return Failure(
            .conflict, "row_unreadable", "The table \(name) has a row that cannot be copied: \(column) holds no \(mismatch.type).")
    }

    private func page(after lower: RowKey?, through upper: RowKey?, limit: Int) -> SQL {
        let names = columns.enumerated().map { "\($1.quoted) AS \(SelectedColumn($1.kind, number: $0).stringValue)" }
        let bounds = [lower.map { compared(">", with: $0) }, upper.map { compared("<=", with: $0) }].compactMap { $0 }
        let range: SQL = bounds.isEmpty ? "" : "WHERE \(SQL.joined(bounds, by: " AND "))"
        return """
            SELECT \(unsafeRaw: names.joined(separator: ", ")) FROM \(unsafeRaw: quoted) \(range)
            ORDER BY \(.joined(key.map(\.sorted), by: ", ")) LIMIT \(limit)
            """
    }

    /// Stores rows, in the place of those that have their keys.
    func store(_ rows: ArraySlice<CopiedRow>) -> SQL {
        let names = columns.map(\.quoted).joined(separator: ", ")
        let numbered = SQL(sqlite: "", postgres: identity == nil ? "" : " OVERRIDING SYSTEM VALUE")
        return """
            INSERT INTO \(unsafeRaw: quoted) (\(unsafeRaw: names))\(numbered) VALUES \(.joined(rows.map { list($0.values) }, by: ", "))
            ON CONFLICT (\(unsafeRaw: key.map(\.quoted).joined(separator: ", "))) DO \(unsafeRaw: replacement)
            """
    }

    func remove(_ keys: [RowKey]) -> SQL {
        guard key.count > 1 else {
            return "DELETE FROM \(unsafeRaw: quoted) WHERE \(key[0].sorted) IN \(list(keys.flatMap(\.values)))"
        }
        let tuples = SQL.joined(keys.map { list($0.values) }, by: ", ")
        return "DELETE FROM \(unsafeRaw: quoted) WHERE (\(.joined(key.map(\.sorted), by: ", "))) IN (VALUES \(tuples))"
    }

    /// Lets the engine count on after the greatest value there is. SQLite does so by itself.
    func countOn(_ column: String) -> SQL {
        let (table, name) = (quoted.replacing("'", with: "''"), column.replacing("'", with: "''"))
        return """
            SELECT setval(pg_get_serial_sequence('\(unsafeRaw: table)', '\(unsafeRaw: name)'),
                coalesce(max(\(unsafeRaw: column.quoted)), 0) + 1, false) FROM \(unsafeRaw: quoted)
            """
    }

    var isEmptyTest: SQL { "SELECT 1 FROM \(unsafeRaw: quoted) LIMIT 1" }

    var quoted: String { name.quoted }

    /// How many of so many rows one statement stores: engines bound the number of parameters, and gain little beyond some hundred rows.
    /// Below that it is a power of two, so that a table needs few statements, which engines keep prepared.
    func rowsPerStatement(of count: Int, _ dialect: SQLDialect) -> Int {
        let most = max(1, min(256, (dialect == .sqlite ? 32_766 : 65_535) / columns.count))
        return count >= most ? most : 1 << (Int.bitWidth - 1 - count.leadingZeroBitCount)
    }

    private func row(_ values: [SQLValue]) -> CopiedRow {
        CopiedRow(
            key: RowKey(keyPositions.map { values[$0] }), values: values, checksum: Checksum(ofRow: RowEncoding.bytes(of: values)))
    }

    private var keyPositions: [Int] {
        key.compactMap { column in columns.firstIndex(of: column) }
    }

    private func compared(_ comparison: String, with bound: RowKey) -> SQL {
        "(\(.joined(key.map(\.sorted), by: ", "))) \(unsafeRaw: comparison) \(list(bound.values))"
    }

    private var replacement: String {
        let data = columns.filter { !key.contains($0) }.map { "\($0.quoted) = excluded.\($0.quoted)" }
        return data.isEmpty ? "NOTHING" : "UPDATE SET \(data.joined(separator: ", "))"
    }

    private func list(_ values: [SQLValue]) -> SQL { "\(list: values)" }
}

extension StoredTable.Column {
    fileprivate var quoted: String { name.quoted }

    /// The column in the order of its bytes, which is the same everywhere; languages sort texts in their own ways.
    fileprivate var sorted: SQL {
        guard kind == .text else { return "\(unsafeRaw: quoted)" }
        return "\(unsafeRaw: quoted)\(SQL(sqlite: " COLLATE BINARY", postgres: " COLLATE \"C\""))"
    }
}

extension String {
    fileprivate var quoted: String { "\"\(replacing("\"", with: "\"\""))\"" }
}
