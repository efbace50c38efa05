public import MartletJobs
public import MartletStorage

/// The answers that are kept for keys: their table, and how long they stay.
public struct KeptAnswers: Sendable {
    let database: any Database
    private let retention: Duration

    /// - Parameter retention: How long after its first call a key is remembered, at least. Later it is a new one.
    public init(_ database: any Database, retention: Duration) {
        (self.database, self.retention) = (database, retention)
    }

    public var jobs: [JobHandler] { [perform(PruneAnswers.self, with: (database, retention))] }
    public var schedules: [ScheduledJob] { [schedule("idempotency.prune", .cron("47 * * * *")) { PruneAnswers() }] }

    public static let tables = [
        StoredTable(
            "idempotent_answer", key: ["caller_id", "key"],
            [
                .uuid("caller_id"), .text("key"), .text("endpoint"), .bytes("fingerprint"), .int("status"), .json("fields"),
                .bytes("body"), .timestamp("created_at"),
            ])
    ]

    // The last three columns are NULL only within the transaction that claims the key.
    public static let migrations = [
        Migration(
            "idempotency/0001-answer",
            sqlite: """
                CREATE TABLE idempotent_answer (
                    caller_id TEXT NOT NULL,
                    key TEXT NOT NULL CHECK (length(key) BETWEEN 1 AND 255),
                    endpoint TEXT NOT NULL,
                    fingerprint BLOB NOT NULL CHECK (length(fingerprint) = 32),
                    created_at INTEGER NOT NULL,
                    status INTEGER CHECK (status BETWEEN 200 AND 299),
                    fields TEXT,
                    body BLOB CHECK (length(body) <= 1048576),
                    PRIMARY KEY (caller_id, key)
                );
                CREATE INDEX idempotent_answer_by_age ON idempotent_answer (created_at);
                """,
            postgres: """
                CREATE TABLE idempotent_answer (
                    caller_id uuid NOT NULL,
                    key text NOT NULL CHECK (length(key) BETWEEN 1 AND 255),
                    endpoint text NOT NULL,
                    fingerprint bytea NOT NULL CHECK (length(fingerprint) = 32),
                    created_at timestamptz NOT NULL,
                    status smallint CHECK (status BETWEEN 200 AND 299),
                    fields jsonb,
                    body bytea CHECK (length(body) <= 1048576),
                    PRIMARY KEY (caller_id, key)
                )
                -- Each row is changed once, by the transaction that inserts it: on the same page, if there is room.
                WITH (fillfactor = 70);
                CREATE INDEX idempotent_answer_by_age ON idempotent_answer (created_at);
                """)
    ]
}

/// Forgets keys whose time is over.
struct PruneAnswers: Job {
    static let name = "idempotency.prune"
    static let policy = JobPolicy(priority: .low, unique: .untilFinished)

    private static let batch = 500

    func run(_ work: Work<PruneAnswers>, with resources: (database: any Database, retention: Duration)) async throws -> Outcome {
        let store = AnswerStore(resources.database)
        while try await store.prune(olderThan: resources.retention, limit: Self.batch) == Self.batch { try Task.checkCancellation() }
        return .done
    }
}
