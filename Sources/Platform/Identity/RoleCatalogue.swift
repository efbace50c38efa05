public import MartletContract
import MartletCore
public import MartletIdentityAPI

/// What the roles may do that the program itself names, composed of what the services declare.
public struct RoleCatalogue: Sendable {
    private let grants: [PermissionGrant]

    /// Traps when a permission is declared twice: two services would decide who has it.
    public init(_ grants: [PermissionGrant]) {
        precondition(Set(grants.map(\.permission)).count == grants.count, "A permission is declared twice.")
        self.grants = grants
    }

    /// Every permission that there is.
    public var declared: Set<Permission> { Set(grants.map(\.permission)) }

    public func permissions(of role: BuiltInRole) -> Set<Permission> {
        permissions { $0.roles.contains(role) }
    }

    /// What a role in an organisation adds to one's own: permissions over what organisations own, and no others. Else whoever founds an
    /// organisation could do more elsewhere.
    public func sharedPermissions(of role: OrganisationRole) -> Set<Permission> {
        permissions { $0.isShared && (role.isAdministrator || $0.roles.contains { $0.rawValue == role.rawValue }) }
    }

    private func permissions(where isGiven: (PermissionGrant) -> Bool) -> Set<Permission> {
        Set(grants.filter(isGiven).map(\.permission))
    }
}

extension RoleCatalogue {
    /// The built-in roles, as they are listed.
    var builtIn: [Role] {
        BuiltInRole.allCases.map { role in
            Role(name: RoleName(role), summary: nil, permissions: PermissionList(permissions(of: role)), isBuiltIn: true)
        }
    }

    func isBuiltIn(_ name: RoleName) -> Bool { BuiltInRole(rawValue: name.raw) != nil }

    /// Throws `invalid` for permissions that no service declares.
    func check(_ permissions: PermissionList) throws(Failure) {
        let faults = permissions.all.filter { !declared.contains($0) }.map { permission in
            Fault(pointer: "/permissions", code: "unknown_permission", message: "There is no permission \(permission).")
        }
        guard faults.isEmpty else { throw .invalid(faults) }
    }
}

extension OrganisationRole {
    /// Whether it may manage members and invitations.
    var isAdministrator: Bool { self == .owner || self == .admin }
}
