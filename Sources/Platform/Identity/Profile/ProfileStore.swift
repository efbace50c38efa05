import MartletContract
import MartletCore
import MartletIdentityAPI
import MartletStorage

/// The SQL of what people do with their own account.
struct ProfileStore: Sendable {
    private let database: any Queries

    init(_ database: any Queries) {
        self.database = database
    }

    func change(_ change: ProfileChange, of id: Identifier<Account>) async throws -> User {
        let assignments = change.assignments
        guard !assignments.isEmpty else { return try await AccountStore(database).find(id) }
        do {
            return try await database.one(
                User.self,
                "UPDATE account SET \(SQL.joined(assignments, by: ", ")) WHERE id = \(id) RETURNING \(AccountStore.columns)",
                else: AccountStore.gone)
        } catch let failure as SQLFailure where failure.kind == .unique {
            throw AccountStore.conflict(failure)
        }
    }

    /// Deletes the account, and what foreign keys say belongs to it, unless its password has been changed meanwhile.
    func delete(_ id: Identifier<Account>, passwordHash: String) async throws {
        try await database.change("DELETE FROM account WHERE id = \(id) AND password_hash = \(passwordHash)", else: AccountStore.gone)
    }

    /// Deletes the organisations that have no other member. Throws `conflict` when others are in one that nobody else owns.
    func deleteOrganisations(ofNobodyBut id: Identifier<Account>) async throws {
        let others: SQL =
            "SELECT 1 FROM membership AS other WHERE other.organisation_id = membership.organisation_id AND other.account_id <> \(id)"
        let owner = OrganisationRole.owner
        let orphaned = try await database.first(
            Int.self,
            """
            SELECT 1 FROM membership WHERE account_id = \(id) AND role = \(owner)
                AND EXISTS (\(others)) AND NOT EXISTS (\(others) AND other.role = \(owner)) LIMIT 1
            """)
        guard orphaned == nil else {
            throw Failure.conflict("last_owner", "An organisation has no other owner: make another member one first, or delete it.")
        }
        try await database.change(
            """
            DELETE FROM organisation WHERE id IN (
                SELECT organisation_id FROM membership WHERE account_id = \(id) AND NOT EXISTS (\(others)))
            """)
    }

    /// Those of some usernames that are taken, in small letters.
    func taken(among usernames: [Username]) async throws -> Set<String> {
        let matches = usernames.map { SQL.equalIgnoringCase("username", $0.raw) }
        let found = try await database.all(String.self, "SELECT username FROM account WHERE \(SQL.joined(matches, by: " OR "))")
        return Set(found.map { $0.lowercased() })
    }

    /// The login sessions that follow one, without their tokens.
    func sessions(of id: Identifier<Account>, after last: KeptSession?, limit: Int) async throws -> [KeptSession] {
        let after: SQL = last.map { " AND id > \($0.id)" } ?? ""
        return try await database.all(
            KeptSession.self,
            """
            SELECT id, device, address, created_at, seen_at, revoked_at FROM session
            WHERE account_id = \(id)\(after) ORDER BY id LIMIT \(limit)
            """)
    }
}

// MARK: What is kept

extension ProfileStore {
    func roles(of id: Identifier<Account>) async throws -> [KeptRole] {
        try await database.all(KeptRole.self, "SELECT role FROM account_role WHERE account_id = \(id) ORDER BY role")
    }

    func memberships(of id: Identifier<Account>) async throws -> [KeptMembership] {
        try await database.all(
            KeptMembership.self,
            """
            SELECT organisation_id, name, role, joined_at FROM membership JOIN organisation ON organisation.id = organisation_id
            WHERE account_id = \(id) ORDER BY organisation_id
            """)
    }

    func externalIdentities(of id: Identifier<Account>) async throws -> [KeptIdentity] {
        try await database.all(
            KeptIdentity.self, "SELECT issuer, subject, created_at FROM external_identity WHERE account_id = \(id) ORDER BY issuer, subject"
        )
    }

    /// Also those whose time is over.
    func devices(of id: Identifier<Account>) async throws -> [RememberedDevice] {
        try await database.all(
            RememberedDevice.self,
            "SELECT id, name, created_at, last_used_at, expires_at FROM remembered_device WHERE account_id = \(id) ORDER BY id")
    }
}

extension ProfileChange {
    fileprivate var assignments: [SQL] {
        let username = username.map { "username = \($0.raw)" as SQL }
        let name: SQL? =
            switch name {
            case .unchanged: nil
            case .cleared: "name = NULL"
            case .set(let name): "name = \(name.raw)"
            }
        return [username, name].compactMap { $0 }
    }
}
