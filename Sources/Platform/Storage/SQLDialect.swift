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
        // As a query of its own it is asked once, and may bound a search in an index.
        postgres: "(SELECT date_trunc('milliseconds', clock_timestamp()))")

    /// A moment later than another one.
    public static func moment(_ moment: SQL, plus duration: Duration) -> SQL {
        let milliseconds = duration / .milliseconds(1)
        return "(\(moment) + \(Int(max(-9e15, min(9e15, milliseconds))))\(SQL(sqlite: ")", postgres: " * interval '1 millisecond')"))"
    }

    /// Makes the rows of a SELECT the transaction's own until it ends; on PostgreSQL those that another one has are left out.
    public static let skippingLocked = SQL(sqlite: "", postgres: " FOR UPDATE SKIP LOCKED")

    /// Makes the rows of a SELECT the transaction's own until it ends, after waiting for whoever has them.
    public static let locked = SQL(sqlite: "", postgres: " FOR UPDATE")

    /// What follows a column to say that its value is among those of a SELECT, which are few: they are looked up by the column's index.
    ///
    /// `IN` leaves PostgreSQL to join as its statistics suggest, and for a table that changes fast those are of another time.
    public static func among(_ few: SQL) -> SQL {
        "\(SQL(sqlite: "IN (", postgres: "= ANY (ARRAY("))\(few)\(SQL(sqlite: ")", postgres: "))"))"
    }

    /// Where a row is stored, as text. It moves with every change on PostgreSQL; see ``stored(at:)``.
    public static let place = SQL(sqlite: "CAST(rowid AS TEXT)", postgres: "CAST(ctid AS text)")

    /// Whether a row is stored there; another one may be by now, so ask for its key, too.
    ///
    /// Found like this, nothing of an index is read. In a serializable transaction of PostgreSQL whoever reads an index is in conflict with
    /// those who add to the same page of it, whatever they add: transactions that each change one of many new rows would fail all the time.
    public static func stored(at place: String) -> SQL {
        let (before, after) = (SQL(sqlite: "rowid = CAST(", postgres: "ctid = CAST("), SQL(sqlite: " AS INTEGER)", postgres: " AS tid)"))
        return "\(before)\(textParameter(place))\(after)"
    }

    /// Inserts a row unless there is one with its key, and returns where it is stored (``place``): no row of a result says that there is one.
    ///
    /// Who is inserting the same key at this moment is waited for. PostgreSQL waits no longer than `wait`, and then refuses as `busy`; the
    /// statements that follow have the usual time again. SQLite has one writer, for which the transaction has waited already.
    public static func insertUnlessThere(into table: SQL, _ columns: SQL, _ values: SQL, waiting wait: Duration) -> SQL {
        // The function takes its time from what the first part has read, so that it runs after that; what is returned, after the insert.
        let usual = SQL(sqlite: "", postgres: "WITH usual AS MATERIALIZED (SELECT current_setting('lock_timeout') AS wait) ")
        let milliseconds = max(1, min(3_600_000, Int(wait / .milliseconds(1))))
        let source = SQL(
            sqlite: " WHERE true",
            postgres: " FROM usual, LATERAL set_config('lock_timeout', '\(milliseconds)', usual.wait IS NOT NULL)")
        let reset = SQL(sqlite: "", postgres: ", set_config('lock_timeout', (SELECT wait FROM usual), true) AS wait")
        let insert: SQL = "INSERT INTO \(table) (\(columns)) SELECT \(values)\(source)"
        return "\(usual)\(insert) ON CONFLICT DO NOTHING RETURNING \(place) AS place\(reset)"
    }

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

    /// Whether a text begins with another one, but for the case of ASCII letters. What means something to `LIKE` is looked for as it is.
    public static func startsIgnoringCase(_ column: SQL, with beginning: String) -> SQL {
        let escaped = beginning.replacing(/[\\%_]/) { "\\\($0.output)" }
        let (before, between) = (SQL(sqlite: "(", postgres: "(lower("), SQL(sqlite: " LIKE ", postgres: " COLLATE \"C\") LIKE lower("))
        let after = SQL(sqlite: " ESCAPE '\\')", postgres: " COLLATE \"C\") ESCAPE '\\')")
        return "\(before)\(column)\(between)\(textParameter(escaped + "%"))\(after)"
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
