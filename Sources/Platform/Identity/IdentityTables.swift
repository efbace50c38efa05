public import MartletStorage

extension IdentityService {
    /// What it stores, for copies of the data. A migration that adds a column to a table adds it here.
    public static var tables: [StoredTable] {
        [
            StoredTable(
                "account", key: ["id"],
                [
                    .uuid("id"), .text("email"), .text("username"), .text("name"), .text("password_hash"), .timestamp("created_at"),
                    .bool("is_operator"),
                ]),
            StoredTable("session", key: ["id"], [.uuid("id"), .uuid("account_id"), .timestamp("created_at"), .timestamp("revoked_at")]),
            StoredTable(
                "refresh_token", key: ["hash"],
                [.bytes("hash"), .uuid("session_id"), .timestamp("created_at"), .timestamp("expires_at"), .timestamp("used_at")]),
            StoredTable(
                "revoked_access", key: ["kind", "subject_id"],
                [.text("kind"), .uuid("subject_id"), .timestamp("issued_before"), .timestamp("expires_at")]),
        ]
    }
}
