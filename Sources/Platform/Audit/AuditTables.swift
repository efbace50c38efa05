import MartletStorage

/// The schema of the log. Rows are inserted, and removed through `pruned_sequence` only: triggers refuse everything else, whoever asks.
enum AuditTables {
    static let migrations = [
        Migration(
            "audit/0001-audit",
            sqlite: """
                CREATE TABLE audit_chain (
                    chain_id TEXT PRIMARY KEY NOT NULL,
                    head_sequence INTEGER NOT NULL CHECK (head_sequence >= pruned_sequence),
                    head_hash BLOB NOT NULL CHECK (length(head_hash) = 32),
                    pruned_sequence INTEGER NOT NULL CHECK (pruned_sequence >= 0),
                    pruned_hash BLOB NOT NULL CHECK (length(pruned_hash) = 32),
                    key_id TEXT NOT NULL,
                    signature BLOB NOT NULL
                );
                CREATE TABLE audit_event (
                    chain_id TEXT NOT NULL REFERENCES audit_chain (chain_id),
                    sequence INTEGER NOT NULL CHECK (sequence > 0),
                    previous_hash BLOB NOT NULL CHECK (length(previous_hash) = 32),
                    hash BLOB NOT NULL CHECK (length(hash) = 32),
                    id TEXT NOT NULL UNIQUE,
                    occurred_at INTEGER NOT NULL,
                    actor_kind TEXT NOT NULL CHECK (actor_kind IN ('account', 'anonymous', 'console', 'program')),
                    actor_id TEXT CHECK ((actor_id IS NOT NULL) = (actor_kind = 'account')),
                    action TEXT NOT NULL,
                    target_kind TEXT,
                    target_id TEXT CHECK ((target_id IS NULL) = (target_kind IS NULL)),
                    outcome TEXT NOT NULL CHECK (outcome IN ('succeeded', 'failed', 'refused')),
                    request_id TEXT,
                    address TEXT,
                    state_before TEXT,
                    state_after TEXT,
                    PRIMARY KEY (chain_id, sequence)
                );
                CREATE INDEX audit_event_moment ON audit_event (occurred_at, id);
                CREATE INDEX audit_event_actor ON audit_event (actor_id, occurred_at);
                CREATE INDEX audit_event_target ON audit_event (target_id, occurred_at);
                CREATE TRIGGER audit_event_stays BEFORE UPDATE ON audit_event
                BEGIN SELECT RAISE(ABORT, 'a row of the audit log is never changed'); END;
                CREATE TRIGGER audit_event_is_kept BEFORE DELETE ON audit_event
                WHEN OLD.sequence > coalesce((SELECT pruned_sequence FROM audit_chain WHERE chain_id = OLD.chain_id), 0)
                BEGIN SELECT RAISE(ABORT, 'a row of the audit log is removed by its retention only'); END;
                """,
            postgres: """
                CREATE TABLE audit_chain (
                    chain_id uuid PRIMARY KEY,
                    head_sequence bigint NOT NULL CHECK (head_sequence >= pruned_sequence),
                    head_hash bytea NOT NULL CHECK (length(head_hash) = 32),
                    pruned_sequence bigint NOT NULL CHECK (pruned_sequence >= 0),
                    pruned_hash bytea NOT NULL CHECK (length(pruned_hash) = 32),
                    key_id text NOT NULL,
                    signature bytea NOT NULL
                );
                CREATE TABLE audit_event (
                    chain_id uuid NOT NULL REFERENCES audit_chain (chain_id),
                    sequence bigint NOT NULL CHECK (sequence > 0),
                    previous_hash bytea NOT NULL CHECK (length(previous_hash) = 32),
                    hash bytea NOT NULL CHECK (length(hash) = 32),
                    id uuid NOT NULL UNIQUE,
                    occurred_at timestamptz NOT NULL,
                    actor_kind text NOT NULL CHECK (actor_kind IN ('account', 'anonymous', 'console', 'program')),
                    actor_id uuid CHECK ((actor_id IS NOT NULL) = (actor_kind = 'account')),
                    action text NOT NULL,
                    target_kind text,
                    target_id text CHECK ((target_id IS NULL) = (target_kind IS NULL)),
                    outcome text NOT NULL CHECK (outcome IN ('succeeded', 'failed', 'refused')),
                    request_id text,
                    address text,
                    state_before text,
                    state_after text,
                    PRIMARY KEY (chain_id, sequence)
                );
                CREATE INDEX audit_event_moment ON audit_event (occurred_at, id);
                CREATE INDEX audit_event_actor ON audit_event (actor_id, occurred_at);
                CREATE INDEX audit_event_target ON audit_event (target_id, occurred_at);
                CREATE FUNCTION audit_event_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
                BEGIN
                    IF TG_OP = 'DELETE' AND OLD.sequence <= (SELECT pruned_sequence FROM audit_chain WHERE chain_id = OLD.chain_id) THEN
                        RETURN OLD;
                    END IF;
                    RAISE EXCEPTION 'a row of the audit log is never changed, and removed by its retention only'
                        USING ERRCODE = 'check_violation';
                END
                $$;
                CREATE TRIGGER audit_event_stays BEFORE UPDATE OR DELETE ON audit_event
                    FOR EACH ROW EXECUTE FUNCTION audit_event_refuse();
                CREATE TRIGGER audit_event_is_kept BEFORE TRUNCATE ON audit_event
                    FOR EACH STATEMENT EXECUTE FUNCTION audit_event_refuse();
                """)
    ]

    /// The heads first: a copy follows the pruning of its source only when it knows of it.
    static let tables = [
        StoredTable(
            "audit_chain", key: ["chain_id"],
            [
                .uuid("chain_id"), .int("head_sequence"), .bytes("head_hash"), .int("pruned_sequence"), .bytes("pruned_hash"),
                .text("key_id"), .bytes("signature"),
            ]),
        StoredTable(
            "audit_event", key: ["chain_id", "sequence"],
            [
                .uuid("chain_id"), .int("sequence"), .bytes("previous_hash"), .bytes("hash"), .uuid("id"), .timestamp("occurred_at"),
                .text("actor_kind"), .uuid("actor_id"), .text("action"), .text("target_kind"), .text("target_id"), .text("outcome"),
                .text("request_id"), .text("address"), .text("state_before"), .text("state_after"),
            ]),
    ]
}
