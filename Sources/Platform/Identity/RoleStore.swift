import Foundation
import MartletContract
import MartletCore
import MartletIdentityAPI
import MartletStorage

/// The SQL of roles, and of who has them. An account whose roles nobody has chosen has no rows: it is a `member`.
struct RoleStore: Sendable {
    private let database: any Queries
    private let catalogue: RoleCatalogue

    init(_ database: any Queries, _ catalogue: RoleCatalogue) {
        (self.database, self.catalogue) = (database, catalogue)
    }

    private static let columns: SQL = "name, summary, permissions"
}

// MARK: Roles

extension RoleStore {
    /// A role that was created here, rather than named by the program.
    private struct Stored: Decodable, Sendable {
        let name: RoleName
        let summary: RoleSummary?
        let permissions: [Permission]
    }

    /// Those that were created here.
    func custom() async throws -> [Role] {
        try await database.all(Stored.self, "SELECT \(Self.columns) FROM role ORDER BY name").map(role)
    }

    func find(_ name: RoleName) async throws -> Role {
        role(
            try await database.one(Stored.self, "SELECT \(Self.columns) FROM role WHERE name = \(name.raw)", else: Self.notFound))
    }

    func insert(_ new: NewRole, at now: Date) async throws -> Role {
        let stored = try await database.first(
            Stored.self,
            """
            INSERT INTO role (name, summary, permissions, created_at, updated_at)
            VALUES (\(new.name.raw), \(new.summary?.raw), \(json: new.permissions.all.map(\.raw)), \(now), \(now))
            ON CONFLICT DO NOTHING RETURNING \(Self.columns)
            """)
        guard let stored else { throw Self.exists }
        return role(stored)
    }

    func update(_ role: Role, at now: Date) async throws -> Role {
        self.role(
            try await database.one(
                Stored.self,
                """
                UPDATE role SET summary = \(role.summary?.raw), permissions = \(json: role.permissions.all.map(\.raw)), updated_at = \(now)
                WHERE name = \(role.name.raw) RETURNING \(Self.columns)
                """, else: Self.notFound))
    }

    func delete(_ name: RoleName) async throws {
        do {
            try await database.change("DELETE FROM role WHERE name = \(name.raw)", else: Self.notFound)
        } catch let failure as SQLFailure where failure.kind == .foreignKey {
            throw Failure.conflict("role_in_use", "Somebody has this role: take it from them first.")
        }
    }

    /// What a service no longer declares is not a permission any more.
    private func role(_ stored: Stored) -> Role {
        let permissions = PermissionList(catalogue.declared.intersection(stored.permissions))
        return Role(name: stored.name, summary: stored.summary, permissions: permissions, isBuiltIn: false)
    }

    static let exists = Failure.conflict("role_exists", "There is a role of this name.")
    private static let notFound = Failure.notFound("role_not_found", "There is no such role.")
}

// MARK: Who has them

extension RoleStore {
    private struct Held: Decodable, Sendable {
        let role: RoleName
        /// Of a role that was created here.
        let permissions: [Permission]?
    }

    /// What an account may do by its own roles.
    func roles(of account: Identifier<Account>) async throws -> RolesOfAccount {
        let held = try await database.all(
            Held.self,
            """
            SELECT role, permissions FROM account_role LEFT JOIN role ON role.name = account_role.custom_role
            WHERE account_id = \(account)
            """)
        guard !held.isEmpty else { return Self.unchosen(catalogue) }
        let permissions = held.map { catalogue.permissions(of: $0.role, storing: $0.permissions) }
        return RolesOfAccount(
            roles: RoleNames(held.map(\.role)), permissions: PermissionList(permissions.reduce(into: Set()) { $0.formUnion($1) }))
    }

    private static func unchosen(_ catalogue: RoleCatalogue) -> RolesOfAccount {
        RolesOfAccount(roles: RoleNames([RoleName(.member)]), permissions: PermissionList(catalogue.permissions(of: .member)))
    }

    /// What the roles of these names may do, each; throws `invalid` for names that no role has.
    func permissions(of names: RoleNames) async throws -> [RoleName: Set<Permission>] {
        let custom = Dictionary(try await self.custom().map { ($0.name, Set($0.permissions.all)) }, uniquingKeysWith: { $1 })
        var found: [RoleName: Set<Permission>] = [:]
        for name in names.all {
            let builtIn = BuiltInRole(rawValue: name.raw).map { catalogue.permissions(of: $0) }
            guard let permissions = builtIn ?? custom[name] else {
                throw Failure.invalid([Fault(pointer: "/roles", code: "unknown_role", message: "There is no role \(name.raw).")])
            }
            found[name] = permissions
        }
        return found
    }

    /// Gives an account these roles and no others; in a transaction.
    func assign(_ names: RoleNames, to account: Identifier<Account>) async throws {
        try await database.change("DELETE FROM account_role WHERE account_id = \(account)")
        for name in names.all {
            let custom = catalogue.isBuiltIn(name) ? nil : name.raw
            try await database.change(
                "INSERT INTO account_role (account_id, role, custom_role) VALUES (\(account), \(name.raw), \(custom))")
        }
    }

    /// Whether there is an account with the role `admin`, disabled or not.
    func hasAdministrator() async throws -> Bool {
        let role = BuiltInRole.admin
        return try await database.first(Int.self, "SELECT 1 FROM account_role WHERE role = \(role) LIMIT 1") != nil
    }

    func holders(of name: RoleName) async throws -> [Identifier<Account>] {
        try await database.all(Identifier<Account>.self, "SELECT account_id FROM account_role WHERE role = \(name.raw)")
    }

    /// Throws `conflict` when nobody is left who may do everything, and can log in; to be asked, in a serializable transaction, after somebody
    /// lost the role or was disabled.
    func requireAdministrator() async throws {
        let role = BuiltInRole.admin
        let administrator = try await database.first(
            Int.self,
            """
            SELECT 1 FROM account_role JOIN account ON account.id = account_id WHERE role = \(role) AND disabled_at IS NULL LIMIT 1
            """)
        guard administrator != nil else {
            throw Failure.conflict("last_administrator", "This is the last account with the role admin: give it to another one first.")
        }
    }
}

extension RoleCatalogue {
    /// - Parameter stored: What a role may do that was created here.
    fileprivate func permissions(of name: RoleName, storing stored: [Permission]?) -> Set<Permission> {
        if let stored { return declared.intersection(stored) }
        return BuiltInRole(rawValue: name.raw).map { permissions(of: $0) } ?? []
    }
}
