import MartletStorage

let identityMigrations = [
    Migration(
        "identity/0001-account",
        sqlite: """
            CREATE TABLE account (
                id TEXT PRIMARY KEY NOT NULL,
                email TEXT NOT NULL COLLATE NOCASE UNIQUE CHECK (length(email) BETWEEN 3 AND 254),
                username TEXT NOT NULL COLLATE NOCASE UNIQUE CHECK (length(username) BETWEEN 3 AND 50),
                name TEXT CHECK (length(name) BETWEEN 1 AND 120),
                password_hash TEXT NOT NULL,
                created_at INTEGER NOT NULL
            );
            """,
        postgres: """
            CREATE TABLE account (
                id uuid PRIMARY KEY,
                email text NOT NULL CHECK (length(email) BETWEEN 3 AND 254),
                username text NOT NULL CHECK (length(username) BETWEEN 3 AND 50),
                name text CHECK (length(name) BETWEEN 1 AND 120),
                password_hash text NOT NULL,
                created_at timestamptz NOT NULL
            );
            CREATE UNIQUE INDEX account_email ON account (lower(email COLLATE "C"));
            CREATE UNIQUE INDEX account_username ON account (lower(username COLLATE "C"));
            """),
    Migration(
        "identity/0002-session",
        sqlite: """
            CREATE TABLE session (
                id TEXT PRIMARY KEY NOT NULL,
                account_id TEXT NOT NULL REFERENCES account (id) ON DELETE CASCADE,
                created_at INTEGER NOT NULL,
                revoked_at INTEGER
            );
            CREATE INDEX session_account ON session (account_id);
            CREATE TABLE refresh_token (
                hash BLOB PRIMARY KEY NOT NULL,
                session_id TEXT NOT NULL REFERENCES session (id) ON DELETE CASCADE,
                created_at INTEGER NOT NULL,
                expires_at INTEGER NOT NULL,
                used_at INTEGER
            );
            CREATE INDEX refresh_token_session ON refresh_token (session_id);
            """,
        postgres: """
            CREATE TABLE session (
                id uuid PRIMARY KEY,
                account_id uuid NOT NULL REFERENCES account (id) ON DELETE CASCADE,
                created_at timestamptz NOT NULL,
                revoked_at timestamptz
            );
            CREATE INDEX session_account ON session (account_id);
            CREATE TABLE refresh_token (
                hash bytea PRIMARY KEY,
                session_id uuid NOT NULL REFERENCES session (id) ON DELETE CASCADE,
                created_at timestamptz NOT NULL,
                expires_at timestamptz NOT NULL,
                used_at timestamptz
            );
            CREATE INDEX refresh_token_session ON refresh_token (session_id);
            """),
    Migration("identity/0003-refresh-token-expiry", .same("CREATE INDEX refresh_token_expiry ON refresh_token (expires_at);")),
    Migration(
        "identity/0004-operator",
        sqlite: "ALTER TABLE account ADD COLUMN is_operator INTEGER NOT NULL DEFAULT 0 CHECK (is_operator IN (0, 1));",
        postgres: "ALTER TABLE account ADD COLUMN is_operator boolean NOT NULL DEFAULT false;"),
    Migration(
        "identity/0005-revoked-access",
        sqlite: """
            CREATE TABLE revoked_access (
                kind TEXT NOT NULL CHECK (kind IN ('session', 'account')),
                subject_id TEXT NOT NULL,
                issued_before INTEGER CHECK ((issued_before IS NULL) = (kind = 'session')),
                expires_at INTEGER NOT NULL,
                PRIMARY KEY (kind, subject_id)
            );
            CREATE INDEX revoked_access_expiry ON revoked_access (expires_at);
            """,
        postgres: """
            CREATE TABLE revoked_access (
                kind text NOT NULL CHECK (kind IN ('session', 'account')),
                subject_id uuid NOT NULL,
                issued_before timestamptz CHECK ((issued_before IS NULL) = (kind = 'session')),
                expires_at timestamptz NOT NULL,
                PRIMARY KEY (kind, subject_id)
            );
            CREATE INDEX revoked_access_expiry ON revoked_access (expires_at);
            """),
    Migration(
        "identity/0006-mail-token",
        sqlite: """
            ALTER TABLE account ADD COLUMN email_verified_at INTEGER;
            CREATE TABLE mail_token (
                account_id TEXT NOT NULL REFERENCES account (id) ON DELETE CASCADE,
                purpose TEXT NOT NULL CHECK (purpose IN ('reset_password', 'verify_email')),
                hash BLOB NOT NULL UNIQUE,
                email TEXT NOT NULL,
                created_at INTEGER NOT NULL,
                expires_at INTEGER NOT NULL,
                sent_at INTEGER,
                PRIMARY KEY (account_id, purpose)
            );
            CREATE INDEX mail_token_expiry ON mail_token (expires_at);
            """,
        postgres: """
            ALTER TABLE account ADD COLUMN email_verified_at timestamptz;
            CREATE TABLE mail_token (
                account_id uuid NOT NULL REFERENCES account (id) ON DELETE CASCADE,
                purpose text NOT NULL CHECK (purpose IN ('reset_password', 'verify_email')),
                hash bytea NOT NULL UNIQUE,
                email text NOT NULL,
                created_at timestamptz NOT NULL,
                expires_at timestamptz NOT NULL,
                sent_at timestamptz,
                PRIMARY KEY (account_id, purpose)
            );
            CREATE INDEX mail_token_expiry ON mail_token (expires_at);
            """),
    Migration(
        "identity/0007-session-origin",
        sqlite: """
            ALTER TABLE session ADD COLUMN device TEXT CHECK (length(device) BETWEEN 1 AND 100);
            ALTER TABLE session ADD COLUMN address TEXT CHECK (length(address) BETWEEN 2 AND 45);
            ALTER TABLE session ADD COLUMN seen_at INTEGER;
            """,
        postgres: """
            ALTER TABLE session ADD COLUMN device text CHECK (length(device) BETWEEN 1 AND 100);
            ALTER TABLE session ADD COLUMN address text CHECK (length(address) BETWEEN 2 AND 45);
            ALTER TABLE session ADD COLUMN seen_at timestamptz;
            """),
]
