import Foundation
import MartletAudit
import MartletAuditAPI
import MartletContract
public import MartletCore
public import MartletHTTP
public import MartletIdentityAPI
import MartletStorage

// Everybody's accounts, in the hands of those who administer them.
extension IdentityService {
    var userRoutes: [Route] {
        [
            serve(UsersAPI.list) { filter, _ in try await UserStore(database).page(filter) },
            serve(UsersAPI.find) { reference, _ in try await UserStore(database).find(reference.id) },
            serve(UsersAPI.create) { new, caller in try await create(new, by: caller) },
            serve(UsersAPI.disable) { reference, caller in try await disable(reference.id, by: caller) },
            serve(UsersAPI.enable) { reference, caller in try await enable(reference.id, by: caller) },
            serve(UsersAPI.resetMFA) { reference, caller in
                try await resetMFA(of: reference.id, by: caller)
                return NoContent()
            },
            serve(UsersAPI.endSessions) { reference, caller in
                try await endSessions(of: reference.id, by: caller)
                return NoContent()
            },
        ]
    }
}

// MARK: Creating

extension IdentityService {
    /// Creates an account for somebody, as `POST /api/v1/admin/users` does.
    ///
    /// Without a password a mail leads its owner to a page where they choose one; where no mail is sent that throws `unavailable`. Throws
    /// `invalid` for a password that is refused and for roles that there are not, `conflict` when the address or the username is taken.
    ///
    /// - Parameter caller: Who cannot give what they do not have; `nil` for whoever is at the machine.
    public func create(_ new: NewUser, by caller: Caller? = nil) async throws -> ManagedUser {
        guard new.password != nil || mail != nil else { throw AccountMail.unavailable }
        let hash = try await hash(new)
        // Serializable: what the caller may give is read, and has to hold.
        return try await database.transaction { transaction in
            if let roles = new.roles { try await require(giving: roles, of: caller, in: transaction) }
            let user = try await AccountStore(transaction).insert(new.email, new.username, new.name, passwordHash: hash, at: clock.now)
            if let names = new.roles { try await RoleStore(transaction, roles).assign(names, to: user.id) }
            try await mail?.enqueue(
                hash == nil ? .resetPassword : .verifyEmail, to: user.id, isInvitation: hash == nil, at: clock.now, in: transaction)
            let created = try await UserStore(transaction).find(user.id)
            try await audit.record(.user(.userCreated, created), in: transaction)
            return created
        }
    }

    private func hash(_ new: NewUser) async throws -> String? {
        guard let password = new.password else { return nil }
        try PasswordRules.check(password, ofOwner: new.email, new.username, new.name, at: "/password")
        return try await hasher.hash(password.raw)
    }

    private func require(giving names: RoleNames, of caller: Caller?, in transaction: any Transaction) async throws {
        let given = try await RoleStore(transaction, roles).permissions(of: names).values.reduce(into: Set()) { $0.formUnion($1) }
        if let caller { try await require(given.union([RolesAPI.assignment]), of: caller, in: transaction) }
    }
}

// MARK: Disabling, enabling

extension IdentityService {
    /// Ends sessions with the change and once more after it: a login that was under way may have begun one that the change did not see. Those
    /// that come later find the account disabled.
    private func disable(_ id: Identifier<Account>, by caller: Caller) async throws -> ManagedUser {
        let (user, ended) = try await denylist.changingPermissions { transaction in
            let roles = try await requirePower(over: id, of: caller, in: transaction)
            guard id != caller.id else { throw Self.ownAccount("Nobody disables their own account.") }
            let isNew = try await UserStore(transaction).disable(id, at: clock.now)
            if roles.all.contains(RoleName(.admin)) { try await RoleStore(transaction, self.roles).requireAdministrator() }
            let ended = try await endLogins(of: id, except: nil, in: transaction)
            let user = try await UserStore(transaction).find(id)
            if isNew { try await audit.record(AuditEvent(.userDisabled, on: .account(id)), in: transaction) }
            return ((user, ended), [id])
        }
        let late = try await database.transaction(isolation: .readCommitted) { try await endLogins(of: id, except: nil, in: $0) }
        (ended + late).forEach(denylist.apply)
        return user
    }

    private func enable(_ id: Identifier<Account>, by caller: Caller) async throws -> ManagedUser {
        try await database.transaction { transaction in
            try await requirePower(over: id, of: caller, in: transaction)
            let isNew = try await UserStore(transaction).enable(id)
            let user = try await UserStore(transaction).find(id)
            if isNew { try await audit.record(AuditEvent(.userEnabled, on: .account(id)), in: transaction) }
            return user
        }
    }

    /// Throws `notFound` when there is no such account, and `forbidden` unless the caller has all permissions that it has, each by their own
    /// roles; returns the account's.
    @discardableResult
    private func requirePower(
        over id: Identifier<Account>, of caller: Caller, in transaction: any Transaction
    ) async throws -> RoleNames {
        try await AccountStore(transaction).requireAccount(id)
        let held = try await RoleStore(transaction, roles).roles(of: id)
        try await require(Set(held.permissions.all), of: caller, in: transaction)
        return held.roles
    }

    private static func ownAccount(_ message: String) -> Failure { .conflict("own_account", message) }
}

// MARK: Second factors, sessions

extension IdentityService {
    /// Guesses are forgotten, too: who has lost the authenticator has often guessed.
    private func resetMFA(of id: Identifier<Account>, by caller: Caller) async throws {
        try await database.transaction { transaction in
            try await requirePower(over: id, of: caller, in: transaction)
            guard id != caller.id else { throw Self.ownAccount("One's own second factor is turned off at /api/v1/auth/mfa/disable.") }
            let wasOn = try await SecondFactorStore.isOn(for: id, in: transaction)
            try await SecondFactorStore(transaction, secrets).remove(from: id)
            try await RememberedDeviceStore(transaction).forgetAll(of: id)
            try await GuessStore.forget(of: id, in: transaction)
            if wasOn { try await audit.record(AuditEvent(.userMFAReset, on: .account(id)), in: transaction) }
        }
    }

    private func endSessions(of id: Identifier<Account>, by caller: Caller) async throws {
        let ended = try await database.transaction { transaction in
            try await requirePower(over: id, of: caller, in: transaction)
            let ended = try await endSessions(of: id, except: nil, in: transaction)
            try await audit.record(
                AuditEvent(.userSessionsEnded, on: .account(id), before: ["sessions": .number(ended.count)]), in: transaction)
            return ended
        }
        ended.forEach(denylist.apply)
    }
}

extension AuditEvent {
    /// What was made, without the names of whom it was made for: they may have to be forgotten.
    static func user(_ action: AuditAction, _ user: ManagedUser) -> AuditEvent {
        AuditEvent(action, on: .account(user.id), after: ["roles": .texts(user.roles.all.map(\.raw))])
    }
}
