import MartletStorage

/// Roles that were created here, who has which role, and organisations.
let roleMigrations = [
    Migration(
        "identity/0012-role",
        sqlite: """
            CREATE TABLE role (
                name TEXT PRIMARY KEY NOT NULL CHECK (length(name) BETWEEN 2 AND 40),
                summary TEXT CHECK (length(summary) BETWEEN 1 AND 200),
                permissions TEXT NOT NULL CHECK (json_type(permissions) = 'array'),
                created_at INTEGER NOT NULL,
                updated_at INTEGER NOT NULL
            );
            CREATE TABLE account_role (
                account_id TEXT NOT NULL REFERENCES account (id) ON DELETE CASCADE,
                role TEXT NOT NULL CHECK (length(role) BETWEEN 2 AND 40),
                -- The same, where the role is none that the program itself names.
                custom_role TEXT REFERENCES role (name) CHECK (custom_role = role),
                PRIMARY KEY (account_id, role)
            );
            CREATE INDEX account_role_role ON account_role (role);
            CREATE INDEX account_role_custom ON account_role (custom_role);
            -- The column is_operator stays, since the previous release reads it while this one begins to serve.
            INSERT INTO account_role (account_id, role) SELECT id, 'admin' FROM account WHERE is_operator = 1;
            INSERT INTO account_role (account_id, role) SELECT id, 'member' FROM account WHERE is_operator = 1;
            """,
        postgres: """
            CREATE TABLE role (
                name text PRIMARY KEY CHECK (length(name) BETWEEN 2 AND 40),
                summary text CHECK (length(summary) BETWEEN 1 AND 200),
                permissions jsonb NOT NULL CHECK (jsonb_typeof(permissions) = 'array'),
                created_at timestamptz NOT NULL,
                updated_at timestamptz NOT NULL
            );
            CREATE TABLE account_role (
                account_id uuid NOT NULL REFERENCES account (id) ON DELETE CASCADE,
                role text NOT NULL CHECK (length(role) BETWEEN 2 AND 40),
                -- The same, where the role is none that the program itself names.
                custom_role text REFERENCES role (name) CHECK (custom_role = role),
                PRIMARY KEY (account_id, role)
            );
            CREATE INDEX account_role_role ON account_role (role);
            CREATE INDEX account_role_custom ON account_role (custom_role);
            -- The column is_operator stays, since the previous release reads it while this one begins to serve.
            INSERT INTO account_role (account_id, role) SELECT id, 'admin' FROM account WHERE is_operator;
            INSERT INTO account_role (account_id, role) SELECT id, 'member' FROM account WHERE is_operator;
            """),
    Migration(
        "identity/0013-organisation",
        sqlite: """
            CREATE TABLE organisation (
                id TEXT PRIMARY KEY NOT NULL,
                name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 120),
                created_at INTEGER NOT NULL,
                updated_at INTEGER NOT NULL
            );
            CREATE TABLE membership (
                organisation_id TEXT NOT NULL REFERENCES organisation (id) ON DELETE CASCADE,
                account_id TEXT NOT NULL REFERENCES account (id) ON DELETE CASCADE,
                role TEXT NOT NULL CHECK (role IN ('owner', 'admin', 'analyst', 'viewer', 'api_user', 'member')),
                joined_at INTEGER NOT NULL,
                PRIMARY KEY (organisation_id, account_id)
            );
            CREATE INDEX membership_newest ON membership (organisation_id, joined_at DESC, account_id DESC);
            CREATE INDEX membership_account ON membership (account_id, joined_at DESC, organisation_id DESC);
            CREATE TABLE invitation (
                id TEXT PRIMARY KEY NOT NULL,
                organisation_id TEXT NOT NULL REFERENCES organisation (id) ON DELETE CASCADE,
                email TEXT NOT NULL COLLATE NOCASE CHECK (length(email) BETWEEN 3 AND 254),
                role TEXT NOT NULL CHECK (role IN ('owner', 'admin', 'analyst', 'viewer', 'api_user', 'member')),
                token_hash BLOB NOT NULL UNIQUE,
                created_at INTEGER NOT NULL,
                expires_at INTEGER NOT NULL,
                UNIQUE (organisation_id, email)
            );
            CREATE INDEX invitation_newest ON invitation (organisation_id, created_at DESC, id DESC);
            """,
        postgres: """
            CREATE TABLE organisation (
                id uuid PRIMARY KEY,
                name text NOT NULL CHECK (length(name) BETWEEN 1 AND 120),
                created_at timestamptz NOT NULL,
                updated_at timestamptz NOT NULL
            );
            CREATE TABLE membership (
                organisation_id uuid NOT NULL REFERENCES organisation (id) ON DELETE CASCADE,
                account_id uuid NOT NULL REFERENCES account (id) ON DELETE CASCADE,
                role text NOT NULL CHECK (role IN ('owner', 'admin', 'analyst', 'viewer', 'api_user', 'member')),
                joined_at timestamptz NOT NULL,
                PRIMARY KEY (organisation_id, account_id)
            );
            CREATE INDEX membership_newest ON membership (organisation_id, joined_at DESC, account_id DESC);
            CREATE INDEX membership_account ON membership (account_id, joined_at DESC, organisation_id DESC);
            CREATE TABLE invitation (
                id uuid PRIMARY KEY,
                organisation_id uuid NOT NULL REFERENCES organisation (id) ON DELETE CASCADE,
                email text NOT NULL CHECK (length(email) BETWEEN 3 AND 254),
                role text NOT NULL CHECK (role IN ('owner', 'admin', 'analyst', 'viewer', 'api_user', 'member')),
                token_hash bytea NOT NULL UNIQUE,
                created_at timestamptz NOT NULL,
                expires_at timestamptz NOT NULL
            );
            CREATE UNIQUE INDEX invitation_email ON invitation (organisation_id, lower(email COLLATE "C"));
            CREATE INDEX invitation_newest ON invitation (organisation_id, created_at DESC, id DESC);
            """),
    Migration(
        "identity/0014-session-organisation",
        sqlite: """
            ALTER TABLE session ADD COLUMN organisation_id TEXT REFERENCES organisation (id) ON DELETE SET NULL;
            CREATE INDEX session_organisation ON session (organisation_id);
            """,
        postgres: """
            ALTER TABLE session ADD COLUMN organisation_id uuid REFERENCES organisation (id) ON DELETE SET NULL;
            CREATE INDEX session_organisation ON session (organisation_id);
            """),
]
