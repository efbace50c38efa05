public import MartletStorage

/// What jobs store.
public enum JobTables {
    /// A row of `job` says all about a job. `turn_id` is its owner, or zeros for the program's own: those who take turns.
    public static let migrations = [
        Migration(
            "jobs/0001-job",
            sqlite: """
                CREATE TABLE job (
                    id TEXT PRIMARY KEY NOT NULL,
                    kind TEXT NOT NULL CHECK (length(kind) BETWEEN 1 AND 100),
                    queue TEXT NOT NULL CHECK (length(queue) BETWEEN 1 AND 63),
                    priority INTEGER NOT NULL,
                    owner_id TEXT,
                    turn_id TEXT NOT NULL,
                    state TEXT NOT NULL CHECK (state IN ('waiting', 'ready', 'running', 'done', 'cancelled', 'dead')),
                    run_at INTEGER NOT NULL,
                    payload TEXT NOT NULL,
                    checkpoint TEXT,
                    result TEXT,
                    attempt INTEGER NOT NULL DEFAULT 0,
                    max_attempts INTEGER NOT NULL CHECK (max_attempts > 0),
                    token INTEGER NOT NULL DEFAULT 0,
                    worker_id TEXT,
                    cancel_requested INTEGER NOT NULL DEFAULT 0,
                    unique_key TEXT CHECK (length(unique_key) <= 512),
                    unique_rule TEXT CHECK (unique_rule IN ('waiting', 'unfinished', 'period')),
                    unique_until INTEGER,
                    errors TEXT NOT NULL DEFAULT '[]',
                    request_id TEXT,
                    created_at INTEGER NOT NULL,
                    started_at INTEGER,
                    finished_at INTEGER,
                    CHECK ((state IN ('done', 'cancelled', 'dead')) = (finished_at IS NOT NULL)),
                    CHECK ((state = 'running') = (worker_id IS NOT NULL))
                );
                CREATE TABLE job_worker (
                    id TEXT PRIMARY KEY NOT NULL, host TEXT NOT NULL, started_at INTEGER NOT NULL, lease_until INTEGER NOT NULL
                );
                CREATE TABLE job_schedule (name TEXT PRIMARY KEY NOT NULL, fired_at INTEGER NOT NULL);
                CREATE TABLE job_rate (queue TEXT PRIMARY KEY NOT NULL, tokens REAL NOT NULL, at INTEGER NOT NULL);
                """,
            postgres: """
                CREATE TABLE job (
                    id uuid PRIMARY KEY,
                    kind text NOT NULL CHECK (length(kind) BETWEEN 1 AND 100),
                    queue text NOT NULL CHECK (length(queue) BETWEEN 1 AND 63),
                    priority bigint NOT NULL,
                    owner_id uuid,
                    turn_id uuid NOT NULL,
                    state text NOT NULL CHECK (state IN ('waiting', 'ready', 'running', 'done', 'cancelled', 'dead')),
                    run_at timestamptz NOT NULL,
                    payload text NOT NULL,
                    checkpoint text,
                    result text,
                    attempt bigint NOT NULL DEFAULT 0,
                    max_attempts bigint NOT NULL CHECK (max_attempts > 0),
                    token bigint NOT NULL DEFAULT 0,
                    worker_id uuid,
                    cancel_requested boolean NOT NULL DEFAULT false,
                    unique_key text CHECK (length(unique_key) <= 512),
                    unique_rule text CHECK (unique_rule IN ('waiting', 'unfinished', 'period')),
                    unique_until timestamptz,
                    errors text NOT NULL DEFAULT '[]',
                    request_id text,
                    created_at timestamptz NOT NULL,
                    started_at timestamptz,
                    finished_at timestamptz,
                    CHECK ((state IN ('done', 'cancelled', 'dead')) = (finished_at IS NOT NULL)),
                    CHECK ((state = 'running') = (worker_id IS NOT NULL))
                );
                CREATE TABLE job_worker (id uuid PRIMARY KEY, host text NOT NULL, started_at timestamptz NOT NULL, lease_until timestamptz NOT NULL);
                CREATE TABLE job_schedule (name text PRIMARY KEY, fired_at timestamptz NOT NULL);
                CREATE TABLE job_rate (queue text PRIMARY KEY, tokens double precision NOT NULL, at timestamptz NOT NULL);
                """),
        Migration(
            "jobs/0002-job-indexes",
            .same(
                """
                CREATE INDEX job_ready ON job (queue, priority, turn_id, id) WHERE state = 'ready';
                CREATE INDEX job_waiting ON job (run_at) WHERE state = 'waiting';
                CREATE INDEX job_running ON job (worker_id) WHERE state = 'running';
                CREATE INDEX job_dead ON job (id) WHERE state = 'dead';
                CREATE INDEX job_finished ON job (finished_at) WHERE finished_at IS NOT NULL;
                CREATE UNIQUE INDEX job_unique ON job (unique_key) WHERE unique_key IS NOT NULL;
                """)),
        // Where it was enqueued, for its attempts' traces. The release before this one leaves it empty.
        Migration(
            "jobs/0003-job-trace", sqlite: "ALTER TABLE job ADD COLUMN traceparent TEXT;",
            postgres: "ALTER TABLE job ADD COLUMN traceparent text;"),
    ]

    public static let tables = [
        StoredTable(
            "job", key: ["id"],
            [
                .uuid("id"), .text("kind"), .text("queue"), .int("priority"), .uuid("owner_id"), .uuid("turn_id"), .text("state"),
                .timestamp("run_at"), .text("payload"), .text("checkpoint"), .text("result"), .int("attempt"), .int("max_attempts"),
                .int("token"),
                .uuid("worker_id"), .bool("cancel_requested"), .text("unique_key"), .text("unique_rule"), .timestamp("unique_until"),
                .text("errors"), .text("request_id"), .timestamp("created_at"), .timestamp("started_at"), .timestamp("finished_at"),
                .text("traceparent"),
            ]),
        StoredTable("job_worker", key: ["id"], [.uuid("id"), .text("host"), .timestamp("started_at"), .timestamp("lease_until")]),
        StoredTable("job_schedule", key: ["name"], [.text("name"), .timestamp("fired_at")]),
        StoredTable("job_rate", key: ["queue"], [.text("queue"), .double("tokens"), .timestamp("at")]),
    ]
}
