import MartletStorage

/// Accounts that are disabled, and the token that makes the first administrator.
let userMigrations = [
    Migration(
        "identity/0016-account-disabled",
        sqlite: """
            ALTER TABLE account ADD COLUMN disabled_at INTEGER;
            CREATE INDEX account_newest ON account (created_at DESC, id DESC);
            """,
        postgres: """
            ALTER TABLE account ADD COLUMN disabled_at timestamptz;
            CREATE INDEX account_newest ON account (created_at DESC, id DESC);
            """),
    Migration(
        "identity/0017-setup-token",
        sqlite: """
            CREATE TABLE setup_token (
                id INTEGER PRIMARY KEY NOT NULL CHECK (id = 1),
                hash BLOB NOT NULL,
                created_at INTEGER NOT NULL,
                expires_at INTEGER NOT NULL
            );
            """,
        postgres: """
            CREATE TABLE setup_token (
                id bigint PRIMARY KEY CHECK (id = 1),
                hash bytea NOT NULL,
                created_at timestamptz NOT NULL,
                expires_at timestamptz NOT NULL
            );
            """),
]
