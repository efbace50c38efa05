import MartletAudit
import MartletAuditAPI
import MartletContract
import MartletCore
import MartletHTTP
import MartletIdentityAPI
import MartletStorage

extension IdentityService {
    var roleRoutes: [Route] {
        [
            serve(RolesAPI.list) { _, _ in
                RoleList(
                    roles: roles.builtIn + (try await RoleStore(database, roles).custom()), permissions: roles.declared.sorted())
            },
            serve(RolesAPI.create) { new, caller in try await create(new, by: caller) },
            serve(RolesAPI.change) { change, caller in try await apply(change, by: caller) },
            serve(RolesAPI.delete) { reference, caller in
                try await delete(reference.name, by: caller)
                return NoContent()
            },
            serve(RolesAPI.held) { reference, _ in
                try await AccountStore(database).requireAccount(reference.id)
                return try await RoleStore(database, roles).roles(of: reference.id)
            },
            serve(RolesAPI.assign) { assignment, caller in try await assign(assignment, by: caller) },
        ]
    }
}

// MARK: The work

extension IdentityService {
    private func create(_ new: NewRole, by caller: Caller) async throws -> Role {
        try roles.check(new.permissions)
        guard !roles.isBuiltIn(new.name) else { throw RoleStore.exists }
        return try await database.transaction { transaction in
            try await require(Set(new.permissions.all), of: caller, in: transaction)
            let role = try await RoleStore(transaction, roles).insert(new, at: clock.now)
            try await audit.record(.role(.roleCreated, to: role), in: transaction)
            return role
        }
    }

    private func apply(_ change: RoleChange, by caller: Caller) async throws -> Role {
        if let permissions = change.permissions { try roles.check(permissions) }
        try requireCustom(change.name)
        return try await denylist.changingPermissions { transaction in
            let store = RoleStore(transaction, roles)
            let old = try await store.find(change.name)
            var new = old
            new.summary = change.summary.applied(to: old.summary)
            new.permissions = change.permissions ?? old.permissions
            let difference = Set(new.permissions.all).symmetricDifference(old.permissions.all)
            try await require(difference, of: caller, in: transaction)
            let holders = difference.isEmpty ? [] : try await store.holders(of: change.name)
            let changed = try await store.update(new, at: clock.now)
            try await audit.record(.role(.roleChanged, from: old, to: changed), in: transaction)
            return (changed, Set(holders))
        }
    }

    private func delete(_ name: RoleName, by caller: Caller) async throws {
        try requireCustom(name)
        try await database.transaction { transaction in
            let store = RoleStore(transaction, roles)
            let role = try await store.find(name)
            try await require(Set(role.permissions.all), of: caller, in: transaction)
            try await store.delete(name)
            try await audit.record(.role(.roleDeleted, from: role), in: transaction)
        }
    }

    private func assign(_ assignment: RoleAssignment, by caller: Caller) async throws -> RolesOfAccount {
        try await denylist.changingPermissions { transaction in
            try await AccountStore(transaction).requireAccount(assignment.id)
            let store = RoleStore(transaction, roles)
            let (old, new) = (try await store.roles(of: assignment.id).roles, assignment.roles)
            let permissions = try await store.permissions(of: RoleNames(old.all + new.all))
            let changed = Set(old.all).symmetricDifference(new.all)
            try await require(changed.reduce(into: Set()) { $0.formUnion(permissions[$1] ?? []) }, of: caller, in: transaction)
            try await store.assign(new, to: assignment.id)
            if changed.contains(RoleName(.admin)) { try await store.requireAdministrator() }
            let held = try await store.roles(of: assignment.id)
            try await audit.record(.roles(of: assignment.id, .rolesAssigned, from: Set(old.all), to: Set(new.all)), in: transaction)
            return (held, changed.isEmpty ? [] : [assignment.id])
        }
    }

    private func requireCustom(_ name: RoleName) throws(Failure) {
        guard !roles.isBuiltIn(name) else { throw .conflict("role_built_in", "The roles that the program names cannot be changed.") }
    }

    /// Throws `forbidden` unless the caller has all of them by their own roles, as they are now: what a role in an organisation gives is no
    /// one's to give away. A key gives no more than it may do.
    func require(_ permissions: Set<Permission>, of caller: Caller, in transaction: any Transaction) async throws {
        var own = Set(try await RoleStore(transaction, roles).roles(of: caller.id).permissions.all)
        if caller.apiKey != nil { own.formIntersection(caller.permissions) }
        guard let missing = permissions.subtracting(own).min() else { return }
        throw Failure.forbidden(
            "permission_not_held", "Nobody can give or take what they may not do by their own roles: \(missing).", lacking: missing)
    }
}
