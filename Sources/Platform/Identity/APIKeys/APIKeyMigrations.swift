import MartletStorage

let apiKeyMigrations = [
    Migration(
        "identity/0015-api-key",
        sqlite: """
            CREATE TABLE api_key (
                id TEXT PRIMARY KEY NOT NULL,
                account_id TEXT NOT NULL REFERENCES account (id) ON DELETE CASCADE,
                organisation_id TEXT REFERENCES organisation (id) ON DELETE CASCADE,
                name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
                prefix TEXT NOT NULL CHECK (length(prefix) = 8),
                hash BLOB NOT NULL UNIQUE,
                permissions TEXT NOT NULL CHECK (json_type(permissions) = 'array'),
                created_at INTEGER NOT NULL,
                expires_at INTEGER NOT NULL,
                last_used_at INTEGER,
                -- When another key took its name, be it that it was rotated or that it had expired.
                replaced_at INTEGER
            );
            CREATE UNIQUE INDEX api_key_name ON api_key (account_id, name) WHERE replaced_at IS NULL;
            CREATE INDEX api_key_newest ON api_key (account_id, created_at DESC, id DESC);
            CREATE INDEX api_key_organisation ON api_key (organisation_id);
            CREATE INDEX api_key_expiry ON api_key (expires_at);
            """,
        postgres: """
            CREATE TABLE api_key (
                id uuid PRIMARY KEY,
                account_id uuid NOT NULL REFERENCES account (id) ON DELETE CASCADE,
                organisation_id uuid REFERENCES organisation (id) ON DELETE CASCADE,
                name text NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
                prefix text NOT NULL CHECK (length(prefix) = 8),
                hash bytea NOT NULL UNIQUE,
                permissions jsonb NOT NULL CHECK (jsonb_typeof(permissions) = 'array'),
                created_at timestamptz NOT NULL,
                expires_at timestamptz NOT NULL,
                last_used_at timestamptz,
                -- When another key took its name, be it that it was rotated or that it had expired.
                replaced_at timestamptz
            );
            CREATE UNIQUE INDEX api_key_name ON api_key (account_id, name) WHERE replaced_at IS NULL;
            CREATE INDEX api_key_newest ON api_key (account_id, created_at DESC, id DESC);
            CREATE INDEX api_key_organisation ON api_key (organisation_id);
            CREATE INDEX api_key_expiry ON api_key (expires_at);
            """)
]
