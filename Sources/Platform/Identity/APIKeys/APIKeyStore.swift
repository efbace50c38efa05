import Crypto
import Foundation
import MartletContract
import MartletCore
import MartletIdentityAPI
import MartletStorage

/// The SQL of API keys. Only a hash of each is stored.
struct APIKeyStore: Sendable {
    /// How many keys that have not expired an account may have.
    static let most = 100
    private let database: any Queries

    init(_ database: any Queries) {
        self.database = database
    }

    private static let columns: SQL =
        "id, name, prefix, permissions, organisation_id, created_at, expires_at, last_used_at, replaced_at"
    private static let notFound = Failure.notFound("api_key_not_found", "There is no such API key.")
}

// MARK: What its owner sees

extension APIKeyStore {
    /// Those that have not expired, the newest first.
    func usable(of account: Identifier<Account>, at now: Date) async throws -> [OwnAPIKey] {
        try await database.all(
            OwnAPIKey.self,
            """
            SELECT \(Self.columns) FROM api_key WHERE account_id = \(account) AND expires_at > \(now)
            ORDER BY created_at DESC, id DESC LIMIT \(Self.most)
            """)
    }

    /// Also those that have expired.
    func all(of account: Identifier<Account>) async throws -> [OwnAPIKey] {
        try await database.all(OwnAPIKey.self, "SELECT \(Self.columns) FROM api_key WHERE account_id = \(account) ORDER BY id")
    }

    /// Throws `conflict` when the account has as many keys as it may; in a transaction, where others who add one wait.
    func requireRoom(of account: Identifier<Account>, at now: Date) async throws {
        _ = try await database.one(
            Identifier<Account>.self, "SELECT id FROM account WHERE id = \(account)\(SQL.locked)", else: AccountStore.gone)
        let count = try await database.first(
            Int.self, "SELECT count(*) FROM api_key WHERE account_id = \(account) AND expires_at > \(now)")
        guard count ?? 0 < Self.most else {
            throw Failure.conflict("too_many_api_keys", "There are \(Self.most) API keys that have not expired: revoke one first.")
        }
    }

    /// Stores a key by its hash; throws `conflict` when another one that can be used has the name.
    func insert(_ key: OwnAPIKey, _ secret: APIKeySecret, of account: Identifier<Account>) async throws {
        let now = key.createdAt
        try await database.change(
            """
            UPDATE api_key SET replaced_at = \(now)
            WHERE account_id = \(account) AND name = \(key.name.raw) AND replaced_at IS NULL AND expires_at <= \(now)
            """)
        try await database.change(
            """
            INSERT INTO api_key (id, account_id, organisation_id, name, prefix, hash, permissions, created_at, expires_at)
            VALUES (\(key.id), \(account), \(key.organisationId), \(key.name.raw), \(key.prefix), \(secret.hash),
                \(json: key.permissions.all.map(\.raw)), \(now), \(key.expiresAt))
            ON CONFLICT DO NOTHING
            """, else: .conflict("api_key_exists", "There is an API key of this name that can be used."))
    }

    /// Takes a key's name from it for its successor, and has it expire by a moment at the latest; returns it as it was. Throws `notFound` for
    /// one that is another's or has expired, and `conflict` for one that has a successor.
    func retire(_ id: Identifier<APIKey>, of account: Identifier<Account>, by last: Date, at now: Date) async throws -> OwnAPIKey {
        let old = try await database.one(
            OwnAPIKey.self,
            "SELECT \(Self.columns) FROM api_key WHERE id = \(id) AND account_id = \(account) AND expires_at > \(now)\(SQL.locked)",
            else: Self.notFound)
        guard old.replacedAt == nil else { throw Failure.conflict("api_key_replaced", "This API key has been replaced already.") }
        try await database.change(
            """
            UPDATE api_key SET replaced_at = \(now), expires_at = \(min(old.expiresAt, last)) WHERE id = \(id) AND account_id = \(account)
            """, else: Self.notFound)
        return old
    }

    /// Removes a key, and returns it as it was; throws `notFound` for one that is another's.
    func delete(_ id: Identifier<APIKey>, of account: Identifier<Account>) async throws -> OwnAPIKey {
        try await database.one(
            OwnAPIKey.self, "DELETE FROM api_key WHERE id = \(id) AND account_id = \(account) RETURNING \(Self.columns)",
            else: Self.notFound)
    }

    /// Notes that keys were used at a moment, unless a later one is known.
    func noteUsed(_ keys: some Sequence<Identifier<APIKey>>, at moment: Date) async throws {
        try await database.change(
            "UPDATE api_key SET last_used_at = \(moment) WHERE id IN \(list: keys) AND (last_used_at IS NULL OR last_used_at < \(moment))")
    }
}

// MARK: What it opens

/// A key that was shown, as it is stored.
struct ShownKey: Decodable, Sendable {
    let id: Identifier<APIKey>
    let accountID: Identifier<Account>
    let organisationID: Identifier<Organisation>?
    let permissions: [Permission]
    let expiresAt: Date
}

extension APIKeyStore {
    /// The key with a hash; `nil` when there is none, or it has expired.
    func shown(_ hash: [UInt8], at now: Date) async throws -> ShownKey? {
        try await database.first(
            ShownKey.self,
            """
            SELECT api_key.id, account_id, organisation_id, permissions, expires_at FROM api_key JOIN account ON account.id = account_id
            WHERE hash = \(hash) AND expires_at > \(now) AND disabled_at IS NULL
            """)
    }
}

extension APIKeySecret {
    /// 32 bytes always make a key.
    static func random() -> APIKeySecret {
        do throws(Fault) {
            return try APIKeySecret(bytes: SymmetricKey(size: .bits256).withUnsafeBytes { Array($0) })
        } catch {
            preconditionFailure("An API key is made of 32 bytes: \(error.message)")
        }
    }

    /// What is stored: a key has 256 bits of chance, so a plain hash keeps it.
    var hash: [UInt8] { Array(SHA256.hash(data: Data(raw.utf8))) }
}
