import MartletStorage

let mfaMigrations = [
    Migration(
        "identity/0008-session-proof",
        // NULL: when the session began.
        sqlite: """
            ALTER TABLE session ADD COLUMN authenticated_at INTEGER;
            ALTER TABLE session ADD COLUMN authentication_methods TEXT NOT NULL DEFAULT 'pwd'
                CHECK (length(authentication_methods) BETWEEN 1 AND 200);
            """,
        postgres: """
            ALTER TABLE session ADD COLUMN authenticated_at timestamptz;
            ALTER TABLE session ADD COLUMN authentication_methods text NOT NULL DEFAULT 'pwd'
                CHECK (length(authentication_methods) BETWEEN 1 AND 200);
            """),
    Migration(
        "identity/0009-second-factor",
        sqlite: """
            CREATE TABLE totp (
                account_id TEXT PRIMARY KEY NOT NULL REFERENCES account (id) ON DELETE CASCADE,
                secret BLOB NOT NULL,
                created_at INTEGER NOT NULL,
                confirmed_at INTEGER,
                last_step INTEGER CHECK ((last_step IS NULL) = (confirmed_at IS NULL))
            );
            CREATE TABLE recovery_code (
                account_id TEXT NOT NULL REFERENCES account (id) ON DELETE CASCADE,
                hash BLOB NOT NULL,
                created_at INTEGER NOT NULL,
                used_at INTEGER,
                PRIMARY KEY (account_id, hash)
            );
            CREATE TABLE mfa_challenge (
                hash BLOB PRIMARY KEY NOT NULL,
                account_id TEXT NOT NULL REFERENCES account (id) ON DELETE CASCADE,
                expires_at INTEGER NOT NULL
            );
            CREATE INDEX mfa_challenge_account ON mfa_challenge (account_id);
            CREATE INDEX mfa_challenge_expiry ON mfa_challenge (expires_at);
            CREATE TABLE remembered_device (
                id TEXT PRIMARY KEY NOT NULL,
                account_id TEXT NOT NULL REFERENCES account (id) ON DELETE CASCADE,
                hash BLOB NOT NULL UNIQUE,
                name TEXT CHECK (length(name) BETWEEN 1 AND 200),
                created_at INTEGER NOT NULL,
                last_used_at INTEGER,
                expires_at INTEGER NOT NULL
            );
            CREATE INDEX remembered_device_account ON remembered_device (account_id);
            CREATE INDEX remembered_device_expiry ON remembered_device (expires_at);
            CREATE TABLE proof_guess (
                account_id TEXT PRIMARY KEY NOT NULL REFERENCES account (id) ON DELETE CASCADE,
                failures INTEGER NOT NULL CHECK (failures >= 0),
                blocked_until INTEGER
            );
            """,
        postgres: """
            CREATE TABLE totp (
                account_id uuid PRIMARY KEY REFERENCES account (id) ON DELETE CASCADE,
                secret bytea NOT NULL,
                created_at timestamptz NOT NULL,
                confirmed_at timestamptz,
                last_step bigint CHECK ((last_step IS NULL) = (confirmed_at IS NULL))
            );
            CREATE TABLE recovery_code (
                account_id uuid NOT NULL REFERENCES account (id) ON DELETE CASCADE,
                hash bytea NOT NULL,
                created_at timestamptz NOT NULL,
                used_at timestamptz,
                PRIMARY KEY (account_id, hash)
            );
            CREATE TABLE mfa_challenge (
                hash bytea PRIMARY KEY,
                account_id uuid NOT NULL REFERENCES account (id) ON DELETE CASCADE,
                expires_at timestamptz NOT NULL
            );
            CREATE INDEX mfa_challenge_account ON mfa_challenge (account_id);
            CREATE INDEX mfa_challenge_expiry ON mfa_challenge (expires_at);
            CREATE TABLE remembered_device (
                id uuid PRIMARY KEY,
                account_id uuid NOT NULL REFERENCES account (id) ON DELETE CASCADE,
                hash bytea NOT NULL UNIQUE,
                name text CHECK (length(name) BETWEEN 1 AND 200),
                created_at timestamptz NOT NULL,
                last_used_at timestamptz,
                expires_at timestamptz NOT NULL
            );
            CREATE INDEX remembered_device_account ON remembered_device (account_id);
            CREATE INDEX remembered_device_expiry ON remembered_device (expires_at);
            CREATE TABLE proof_guess (
                account_id uuid PRIMARY KEY REFERENCES account (id) ON DELETE CASCADE,
                failures bigint NOT NULL CHECK (failures >= 0),
                blocked_until timestamptz
            );
            """),
]
