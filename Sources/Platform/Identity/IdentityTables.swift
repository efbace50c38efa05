public import MartletStorage

extension IdentityService {
    /// What it stores, for copies of the data. A migration that adds a column to a table adds it here.
    public static var tables: [StoredTable] {
        [
            StoredTable(
                "account", key: ["id"],
                [
                    .uuid("id"), .text("email"), .text("username"), .text("name"), .text("password_hash"), .timestamp("created_at"),
                    .bool("is_operator"), .timestamp("email_verified_at"), .timestamp("disabled_at"),
                ]),
            StoredTable(
                "mail_token", key: ["account_id", "purpose"],
                [
                    .uuid("account_id"), .text("purpose"), .bytes("hash"), .text("email"), .timestamp("created_at"),
                    .timestamp("expires_at"), .timestamp("sent_at"),
                ]),
            StoredTable(
                "session", key: ["id"],
                [
                    .uuid("id"), .uuid("account_id"), .timestamp("created_at"), .timestamp("revoked_at"), .text("device"), .text("address"),
                    .timestamp("seen_at"), .uuid("organisation_id"), .timestamp("authenticated_at"), .text("authentication_methods"),
                ]),
            StoredTable(
                "external_identity", key: ["issuer", "subject"],
                [.text("issuer"), .text("subject"), .uuid("account_id"), .timestamp("created_at")]),
            StoredTable(
                "role", key: ["name"],
                [.text("name"), .text("summary"), .json("permissions"), .timestamp("created_at"), .timestamp("updated_at")]),
            StoredTable("account_role", key: ["account_id", "role"], [.uuid("account_id"), .text("role"), .text("custom_role")]),
            StoredTable(
                "organisation", key: ["id"], [.uuid("id"), .text("name"), .timestamp("created_at"), .timestamp("updated_at")]),
            StoredTable(
                "membership", key: ["organisation_id", "account_id"],
                [.uuid("organisation_id"), .uuid("account_id"), .text("role"), .timestamp("joined_at")]),
            StoredTable(
                "invitation", key: ["id"],
                [
                    .uuid("id"), .uuid("organisation_id"), .text("email"), .text("role"), .bytes("token_hash"), .timestamp("created_at"),
                    .timestamp("expires_at"),
                ]),
            StoredTable(
                "api_key", key: ["id"],
                [
                    .uuid("id"), .uuid("account_id"), .uuid("organisation_id"), .text("name"), .text("prefix"), .bytes("hash"),
                    .json("permissions"), .timestamp("created_at"), .timestamp("expires_at"), .timestamp("last_used_at"),
                    .timestamp("replaced_at"),
                ]),
            StoredTable(
                "refresh_token", key: ["hash"],
                [.bytes("hash"), .uuid("session_id"), .timestamp("created_at"), .timestamp("expires_at"), .timestamp("used_at")]),
            StoredTable(
                "revoked_access", key: ["kind", "subject_id"],
                [.text("kind"), .uuid("subject_id"), .timestamp("issued_before"), .timestamp("expires_at")]),
            StoredTable(
                "setup_token", key: ["id"], [.int("id"), .bytes("hash"), .timestamp("created_at"), .timestamp("expires_at")]),
        ] + mfaTables
    }
}
