extension Outbox {
    /// The schema of the log; every program that appends has it before the migrations of its services.
    public static let migrations = [
        Migration(
            "storage/0001-outbox",
            sqlite: """
                CREATE TABLE outbox (
                    -- A position is not used again even when the newest entry has been pruned: readers would not see it.
                    position INTEGER PRIMARY KEY AUTOINCREMENT,
                    topic TEXT NOT NULL,
                    key TEXT NOT NULL,
                    payload TEXT NOT NULL,
                    created_at INTEGER NOT NULL
                );
                CREATE INDEX outbox_by_key ON outbox (topic, key, position);
                CREATE INDEX outbox_by_age ON outbox (created_at);
                """,
            postgres: """
                CREATE TABLE outbox (
                    position BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
                    topic TEXT NOT NULL,
                    key TEXT NOT NULL,
                    payload JSONB NOT NULL,
                    created_at TIMESTAMPTZ NOT NULL,
                    -- Positions are not in the order of commits; the transaction tells whether a snapshot shows the entry.
                    xid XID8 NOT NULL DEFAULT pg_current_xact_id()
                );
                CREATE INDEX outbox_by_xid ON outbox (xid);
                CREATE INDEX outbox_by_key ON outbox (topic, key, position);
                CREATE INDEX outbox_by_age ON outbox (created_at);
                """)
    ]

    public static let tables = [
        StoredTable(
            "outbox", key: ["position"], [.int("position"), .text("topic"), .text("key"), .json("payload"), .timestamp("created_at")],
            identity: "position", derived: [.postgres: ["xid"]])
    ]
}
