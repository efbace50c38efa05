/// A table as its service declares it beside the migrations that make it: what of it is data, whatever the engine.
///
/// ```swift
/// StoredTable("session", key: ["id"], [.uuid("id"), .uuid("account_id"), .timestamp("created_at"), .timestamp("revoked_at")])
/// ```
/// Copies from one engine to another read it. What an engine makes by itself, a generated column or the key of a search index, is named as
/// derived and not copied. ``StoredTable/disagreements(with:_:)`` tells where a schema and its declaration differ.
///
/// A table stands after those it refers to. One whose rows refer to rows of its own table is stored in several passes.
public struct StoredTable: Sendable {
    /// A column whose values are data.
    public struct Column: Sendable, Hashable {
        public let name: String
        public let kind: Kind
    }

    /// What a column holds: one of the forms of an ``SQLValue``.
    public enum Kind: Sendable, Hashable, CaseIterable {
        case bool, int, double, decimal, text, bytes, uuid, timestamp, json, texts

        /// Whether every engine sorts values of this kind alike, so that a table can be walked by them.
        public var isOrdered: Bool {
            switch self {
            case .bool, .int, .text, .bytes, .uuid, .timestamp: true
            case .double, .decimal, .json, .texts: false
            }
        }
    }

    public let name: String
    /// The columns that identify a row: the primary key or a unique constraint, without NULL.
    public let key: [Column]
    public let columns: [Column]
    /// The integer column whose values the engine counts up itself. It is part of the key.
    public let identity: String?
    /// The columns that an engine fills by itself.
    public let derived: [SQLDialect: [String]]

    public init(
        _ name: String, key: [String], _ columns: [Column], identity: String? = nil, derived: [SQLDialect: [String]] = [:]
    ) {
        self.key = key.compactMap { name in columns.first { $0.name == name } }
        precondition(!key.isEmpty && self.key.count == key.count, "\(name): the key is some of the columns")
        precondition(self.key.allSatisfy(\.kind.isOrdered), "\(name): engines do not sort the key's columns alike")
        precondition(identity.map(key.contains) ?? true, "\(name): an identity column is part of the key")
        (self.name, self.columns, self.identity, self.derived) = (name, columns, identity, derived)
    }
}

extension StoredTable.Column {
    public static func bool(_ name: String) -> Self { .init(name: name, kind: .bool) }
    public static func int(_ name: String) -> Self { .init(name: name, kind: .int) }
    public static func double(_ name: String) -> Self { .init(name: name, kind: .double) }
    public static func decimal(_ name: String) -> Self { .init(name: name, kind: .decimal) }
    public static func text(_ name: String) -> Self { .init(name: name, kind: .text) }
    public static func bytes(_ name: String) -> Self { .init(name: name, kind: .bytes) }
    public static func uuid(_ name: String) -> Self { .init(name: name, kind: .uuid) }
    public static func timestamp(_ name: String) -> Self { .init(name: name, kind: .timestamp) }
    public static func json(_ name: String) -> Self { .init(name: name, kind: .json) }
    public static func texts(_ name: String) -> Self { .init(name: name, kind: .texts) }
}

extension StoredTable {
    /// Where the tables of a database and their declarations differ, a sentence each; empty when they agree.
    ///
    /// It reads the engine's catalogue: every table and column must be declared or derived, in a type that holds its kind. What the platform
    /// keeps for itself (``ownTables``) and tables that an engine makes for a search index need no declaration.
    public static func disagreements(with tables: [StoredTable], _ queries: any Queries) async throws -> [String] {
        let catalogue = try await CatalogueColumn.all(in: queries)
        let actual = Dictionary(grouping: catalogue, by: \.tableName)
        let declared = Dictionary(tables.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        let undeclared = Set(actual.keys).subtracting(declared.keys).subtracting(ownTables).sorted()
        return undeclared.map { "The table \($0) is not declared." }
            + tables.flatMap { $0.disagreements(with: actual[$0.name] ?? [], queries.dialect) }
    }

    /// The tables that belong to the platform and not to a service.
    public static let ownTables: Set = ["schema_migration", "data_copy"]

    private func disagreements(with actual: [CatalogueColumn], _ dialect: SQLDialect) -> [String] {
        let derived = self.derived[dialect] ?? []
        let expected = Set(columns.map(\.name) + derived)
        let found = Dictionary(actual.map { ($0.columnName, $0.type.lowercased()) }, uniquingKeysWith: { first, _ in first })
        let undeclared = Set(found.keys).subtracting(expected).sorted().map { "The column \(name).\($0) is not declared." }
        let missing = expected.subtracting(found.keys).sorted().map { "The column \(name).\($0) is declared and does not exist." }
        let mistaken = columns.compactMap { column -> String? in
            guard let type = found[column.name], !column.kind.types(in: dialect).contains(type) else { return nil }
            return "The column \(name).\(column.name) is declared as \(column.kind) and is \(type)."
        }
        return undeclared + missing + mistaken
    }
}

/// A column as an engine's own catalogue tells it.
private struct CatalogueColumn: Decodable, Sendable {
    let tableName: String
    let columnName: String
    let type: String

    static func all(in queries: any Queries) async throws -> [CatalogueColumn] {
        // Views, virtual tables and what those keep their words in are no tables of rows.
        let sqlite = """
            SELECT t.name AS table_name, c.name AS column_name, c.type AS type FROM pragma_table_list AS t, pragma_table_xinfo(t.name) AS c
            WHERE t.schema = 'main' AND t.type = 'table' AND t.name NOT LIKE 'sqlite\\_%' ESCAPE '\\'
            """
        let postgres = """
            SELECT c.table_name::text AS table_name, c.column_name::text AS column_name, c.data_type::text AS type
            FROM information_schema.columns AS c JOIN information_schema.tables AS t USING (table_schema, table_name)
            WHERE c.table_schema = current_schema() AND t.table_type = 'BASE TABLE'
            """
        return try await queries.all(CatalogueColumn.self, SQL(sqlite: sqlite, postgres: postgres))
    }
}

extension StoredTable.Kind {
    /// The types of columns that hold this kind, in the words of the engine's catalogue.
    fileprivate func types(in dialect: SQLDialect) -> Set<String> {
        switch dialect {
        case .sqlite:
            switch self {
            case .bool, .int, .timestamp: ["integer"]
            case .double: ["real"]
            case .decimal, .text, .uuid, .json, .texts: ["text"]
            case .bytes: ["blob"]
            }
        case .postgres:
            switch self {
            case .bool: ["boolean"]
            case .int: ["bigint", "integer", "smallint"]
            case .double: ["double precision"]
            case .decimal: ["numeric"]
            case .text: ["text", "character varying"]
            case .bytes: ["bytea"]
            case .uuid: ["uuid"]
            case .timestamp: ["timestamp with time zone"]
            case .json: ["jsonb"]
            case .texts: ["array"]
            }
        }
    }
}
