import Foundation
import MartletContract
import MartletCore
import MartletIdentityAPI
import MartletStorage

/// The SQL of accounts, as those see and change them who administer them.
struct UserStore: Sendable {
    private let database: any Queries

    init(_ database: any Queries) {
        self.database = database
    }

    func find(_ id: Identifier<Account>) async throws -> ManagedUser {
        let found = try await database.all(Row.self, "SELECT \(Self.columns) FROM account WHERE id = \(id)")
        guard let user = try await complete(found).first else { throw AccountStore.notFound }
        return user
    }

    /// Newest first.
    func page(_ filter: UserFilter) async throws -> Page<ManagedUser> {
        let limit = filter.limit?.raw ?? PageLimit.standard
        let conditions = try Self.conditions(filter)
        let matching: SQL = conditions.isEmpty ? "" : " WHERE \(SQL.joined(conditions, by: " AND "))"
        let rows = try await database.all(
            Row.self, "SELECT \(Self.columns) FROM account\(matching) ORDER BY created_at DESC, id DESC LIMIT \(limit + 1)")
        return Page(try await complete(rows), limit) { Cursor(after: $0.createdAt, $0.id) }
    }

    /// Says since when the account is disabled, unless that is said; returns whether it was not.
    func disable(_ id: Identifier<Account>, at now: Date) async throws -> Bool {
        try await database.change("UPDATE account SET disabled_at = \(now) WHERE id = \(id) AND disabled_at IS NULL") > 0
    }

    /// Returns whether it was disabled.
    func enable(_ id: Identifier<Account>) async throws -> Bool {
        try await database.change("UPDATE account SET disabled_at = NULL WHERE id = \(id) AND disabled_at IS NOT NULL") > 0
    }
}

// MARK: What is listed

extension UserStore {
    private static func conditions(_ filter: UserFilter) throws -> [SQL] {
        var conditions: [SQL] = []
        if let beginning = filter.query?.raw {
            let (username, email) = (
                SQL.startsIgnoringCase("username", with: beginning), SQL.startsIgnoringCase("email", with: beginning)
            )
            conditions.append("(\(username) OR \(email))")
        }
        if let role = filter.role { conditions.append(Self.have(role)) }
        if let status = filter.status { conditions.append(status == .disabled ? "disabled_at IS NOT NULL" : "disabled_at IS NULL") }
        if let position = try filter.cursor?.position(of: Account.self) {
            conditions.append("(created_at, id) < (\(position.moment), \(position.identifier))")
        }
        return conditions
    }

    /// Whoever has no rows is a member.
    private static func have(_ role: RoleName) -> SQL {
        let named: SQL = "EXISTS (SELECT 1 FROM account_role WHERE account_id = account.id AND role = \(role.raw))"
        guard role == RoleName(.member) else { return named }
        return "(\(named) OR NOT EXISTS (SELECT 1 FROM account_role WHERE account_id = account.id))"
    }

    private static let columns: SQL = """
        \(AccountStore.columns), disabled_at, password_hash IS NOT NULL AS has_password,
        EXISTS (SELECT 1 FROM totp WHERE account_id = account.id AND confirmed_at IS NOT NULL) AS has_second_factor,
        (SELECT max(COALESCE(seen_at, session.created_at)) FROM session WHERE account_id = account.id) AS last_seen_at
        """

    /// A user without what is in other tables many times.
    private struct Row: Decodable, Sendable {
        let user: User
        let disabledAt: Date?
        let lastSeenAt: Date?
        let hasSecondFactor: Bool
        let hasPassword: Bool

        enum CodingKeys: String, CodingKey { case disabledAt, lastSeenAt, hasSecondFactor, hasPassword }

        init(from decoder: any Decoder) throws {
            let row = try decoder.container(keyedBy: CodingKeys.self)
            user = try User(from: decoder)
            disabledAt = try row.decodeIfPresent(Date.self, forKey: .disabledAt)
            lastSeenAt = try row.decodeIfPresent(Date.self, forKey: .lastSeenAt)
            hasSecondFactor = try row.decode(Bool.self, forKey: .hasSecondFactor)
            hasPassword = try row.decode(Bool.self, forKey: .hasPassword)
        }
    }

    /// Adds roles and issuers, by two statements for all rows.
    private func complete(_ rows: [Row]) async throws -> [ManagedUser] {
        let ids = rows.map(\.user.id)
        let roles = try await texts("SELECT account_id, role AS text FROM account_role WHERE account_id IN \(list: ids)")
        let issuers = try await texts("SELECT account_id, issuer AS text FROM external_identity WHERE account_id IN \(list: ids)")
        return try rows.map { row in
            let names = try roles[row.user.id]?.map { try RoleName($0) } ?? [RoleName(.member)]
            return ManagedUser(
                row.user, disabledAt: row.disabledAt, lastSeenAt: row.lastSeenAt, hasSecondFactor: row.hasSecondFactor,
                hasPassword: row.hasPassword, roles: RoleNames(names), issuers: Set(issuers[row.user.id] ?? []).sorted())
        }
    }

    private struct Owned: Decodable, Sendable {
        let accountID: Identifier<Account>
        let text: String
    }

    private func texts(_ sql: SQL) async throws -> [Identifier<Account>: [String]] {
        let rows = try await database.all(Owned.self, sql)
        return Dictionary(grouping: rows, by: \.accountID).mapValues { $0.map(\.text) }
    }
}
