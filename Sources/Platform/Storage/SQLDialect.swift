/// The SQL an engine speaks. Services write one statement for all; where that is impossible, the difference is a named part below.
public enum SQLDialect: String, Sendable, CaseIterable {
    case sqlite, postgres
}

extension SQL {
    /// The present moment by the engine's clock, as a timestamp column holds it. Prefer a bound `Date` where tests choose the time.
    public static let now = SQL(
        sqlite: "CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER)", postgres: "date_trunc('milliseconds', now())")

    /// The moment at which the statement runs, by the engine's clock. Unlike ``now`` it moves on within a transaction: leases ask for it.
    public static let clock = SQL(
        sqlite: "CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER)",
        postgres: "date_trunc('milliseconds', clock_timestamp())")

    /// A moment later than another one.
    public static func moment(_ moment: SQL, plus duration: Duration) -> SQL {
        let milliseconds = duration / .milliseconds(1)
        return "(\(moment) + \(Int(max(-9e15, min(9e15, milliseconds))))\(SQL(sqlite: ")", postgres: " * interval '1 millisecond')"))"
    }

    /// Makes the rows of a SELECT the transaction's own until it ends; on PostgreSQL those that another one has are left out.
    public static let skippingLocked = SQL(sqlite: "", postgres: " FOR UPDATE SKIP LOCKED")

    /// Makes the rows of a SELECT the transaction's own until it ends, after waiting for whoever has them.
    public static let locked = SQL(sqlite: "", postgres: " FOR UPDATE")

    /// Whether the JSON array of strings in `column` (`jsonb` in PostgreSQL) has `element` among its elements.
    ///
    /// A GIN index on the column serves it in PostgreSQL.
    public static func jsonArray(_ column: SQL, contains element: some SQLBindable) -> SQL {
        let member = SQL(sqlite: "EXISTS (SELECT 1 FROM json_each(", postgres: "((")
        let end = SQL(sqlite: ") WHERE value = ", postgres: ") @> to_jsonb(")
        return "\(member)\(column)\(end)\(textParameter(element))\(SQL(sqlite: ")", postgres: "))"))"
    }

    /// Whether the array of texts in `column` (`text[]` in PostgreSQL) has `element` among its elements.
    ///
    /// A GIN index on the column serves it in PostgreSQL.
    public static func texts(_ column: SQL, contain element: some SQLBindable) -> SQL {
        let member = SQL(sqlite: "EXISTS (SELECT 1 FROM json_each(", postgres: "((")
        let end = SQL(sqlite: ") WHERE value = ", postgres: ") @> ARRAY[")
        return "\(member)\(column)\(end)\(textParameter(element))\(SQL(sqlite: ")", postgres: "])"))"
    }

    /// Whether two texts differ at most in the case of ASCII letters.
    ///
    /// An index serves it when declared alike: `COLLATE NOCASE` for SQLite, on `lower(column COLLATE "C")` for PostgreSQL.
    public static func equalIgnoringCase(_ column: SQL, _ value: some SQLBindable) -> SQL {
        let (before, between) = (SQL(sqlite: "(", postgres: "(lower("), SQL(sqlite: " = ", postgres: " COLLATE \"C\") = lower("))
        return "\(before)\(column)\(between)\(textParameter(value))\(SQL(sqlite: " COLLATE NOCASE)", postgres: " COLLATE \"C\"))"))"
    }

    /// Whether the schema has a table of that name.
    static func exists(table name: String) -> SQL {
        let tables = SQL(sqlite: "sqlite_master", postgres: "information_schema.tables")
        let column = SQL(sqlite: "name", postgres: "table_schema = current_schema() AND table_name")
        return "SELECT count(*) FROM \(tables) WHERE \(column) = \(name)"
    }

    /// A parameter whose type PostgreSQL cannot guess from its surroundings.
    private static func textParameter(_ value: some SQLBindable) -> SQL {
        "\(value)\(SQL(sqlite: "", postgres: "::text"))"
    }
}

extension Queries {
    /// Whether the database's schema has a table of that name, as this transaction sees it.
    public func hasTable(_ name: String) async throws -> Bool {
        try await first(Int.self, .exists(table: name)) ?? 0 > 0
    }
}
