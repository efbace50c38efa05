import MartletStorage

/// What second factors store, for copies of the data. Sealed secrets are copied as they are: both sides need the same `SECRET_KEY`.
let mfaTables = [
    StoredTable(
        "totp", key: ["account_id"],
        [.uuid("account_id"), .bytes("secret"), .timestamp("created_at"), .timestamp("confirmed_at"), .int("last_step")]),
    StoredTable(
        "recovery_code", key: ["account_id", "hash"],
        [.uuid("account_id"), .bytes("hash"), .timestamp("created_at"), .timestamp("used_at")]),
    StoredTable("mfa_challenge", key: ["hash"], [.bytes("hash"), .uuid("account_id"), .timestamp("expires_at")]),
    StoredTable(
        "remembered_device", key: ["id"],
        [
            .uuid("id"), .uuid("account_id"), .bytes("hash"), .text("name"), .timestamp("created_at"), .timestamp("last_used_at"),
            .timestamp("expires_at"),
        ]),
    StoredTable("proof_guess", key: ["account_id"], [.uuid("account_id"), .int("failures"), .timestamp("blocked_until")]),
]
