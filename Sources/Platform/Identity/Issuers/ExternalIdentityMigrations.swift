import MartletStorage

/// The schema of accounts of other issuers.
let externalIdentityMigrations: [Migration] = [
    // On SQLite a column is made nullable by another in its place. Releases before this one fail for accounts without a password alone.
    Migration(
        "identity/0010-password-optional",
        sqlite: """
            ALTER TABLE account ADD COLUMN password_hash_or_none TEXT;
            UPDATE account SET password_hash_or_none = password_hash;
            ALTER TABLE account DROP COLUMN password_hash;
            ALTER TABLE account RENAME COLUMN password_hash_or_none TO password_hash;
            """,
        postgres: "ALTER TABLE account ALTER COLUMN password_hash DROP NOT NULL;"),
    Migration(
        "identity/0011-external-identity",
        sqlite: """
            CREATE TABLE external_identity (
                issuer TEXT NOT NULL CHECK (length(issuer) BETWEEN 1 AND 255),
                subject TEXT NOT NULL CHECK (length(subject) BETWEEN 1 AND 255),
                account_id TEXT NOT NULL REFERENCES account (id) ON DELETE CASCADE,
                created_at INTEGER NOT NULL,
                PRIMARY KEY (issuer, subject)
            );
            CREATE INDEX external_identity_account ON external_identity (account_id);
            """,
        postgres: """
            CREATE TABLE external_identity (
                issuer text NOT NULL CHECK (length(issuer) BETWEEN 1 AND 255),
                subject text NOT NULL CHECK (length(subject) BETWEEN 1 AND 255),
                account_id uuid NOT NULL REFERENCES account (id) ON DELETE CASCADE,
                created_at timestamptz NOT NULL,
                PRIMARY KEY (issuer, subject)
            );
            CREATE INDEX external_identity_account ON external_identity (account_id);
            """),
]
