public import MartletContract
public import MartletCore

/// Who may do what: roles, and who has them.
public struct RolesAPI: API {
    public static let shared = RolesAPI()
    public static let name = "roles"

    public let list = Endpoint<NoContent, RoleList>.get(
        "/api/v1/admin/roles", "List the roles, and every permission that there is", allow: .permission(Self.read))

    public let create = Endpoint<NewRole, Role>.post(
        "/api/v1/admin/roles", "Create a role", details: "Nobody can put into a role what they may not do by their own roles.",
        allow: .permission(Self.write), returns: .created, failures: [.conflict])

    public let change = Endpoint<RoleChange, Role>.patch(
        "/api/v1/admin/roles/{name}", "Change a role",
        details: """
            Of the built-in ones nothing can be changed. Permissions that are given replace those of before, and hold for everyone who has \
            the role: their access tokens end within a second, and the next ones say what holds. Nobody can add or remove what they may not do \
            by their own roles.
            """,
        allow: .permission(Self.write), failures: [.notFound])

    public let delete = Endpoint<RoleReference, NoContent>.delete(
        "/api/v1/admin/roles/{name}", "Delete a role that nobody has", allow: .permission(Self.write), failures: [.notFound, .conflict])

    public let held = Endpoint<AccountReference, RolesOfAccount>.get(
        "/api/v1/admin/users/{id}/roles", "See somebody's roles", allow: .permission(Self.read), failures: [.notFound])

    public let assign = Endpoint<RoleAssignment, RolesOfAccount>.put(
        "/api/v1/admin/users/{id}/roles", "Choose somebody's roles",
        details: """
            These and no others. The account's access tokens end within a second, and the next ones say what holds. Nobody can give or take a \
            role with permissions that they have not by their own roles, and the last account with the role `admin` keeps it.
            """,
        allow: .permission(Self.assignment), failures: [.notFound, .conflict])

    public static let read: Permission = "roles:read"
    public static let write: Permission = "roles:write"
    public static let assignment: Permission = "roles:assign"
    public static let permissions = [PermissionGrant.own(read), .own(write), .own(assignment)]
}

/// What a role is called: 2 to 40 lower-case letters, digits and `_`, beginning with a letter.
public struct RoleName: Parsed {
    public static let schema = Schema.string(length: 2...40, pattern: "^[a-z][a-z0-9_]{1,39}$", "Lower-case letters, digits and _.")
    public static let example = "release_manager"
    public let raw: String

    public init(_ raw: String) throws(Fault) {
        let isLetter: (UInt8) -> Bool = { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0) }
        let isDigit: (UInt8) -> Bool = { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        guard (2...40).contains(raw.utf8.count), raw.utf8.first.map(isLetter) == true,
            raw.utf8.allSatisfy({ isLetter($0) || isDigit($0) || $0 == UInt8(ascii: "_") })
        else { throw Fault(code: "invalid_role_name", message: "This must be 2 to 40 lower-case letters, digits and _, a letter first.") }
        self.raw = raw
    }

    /// The name of a role that the program itself names.
    public init(_ role: BuiltInRole) {
        raw = role.rawValue
    }
}

/// What permissions a role has; each once, in order.
public struct PermissionList: Codable, Sendable, Equatable, CountBounded {
    public static let count = 0...200
    public let all: [Permission]

    public init(_ permissions: some Sequence<Permission>) {
        all = Set(permissions).sorted()
    }

    public init(from decoder: any Decoder) throws {
        self.init(try [Permission](from: decoder))
    }

    public func encode(to encoder: any Encoder) throws {
        try all.encode(to: encoder)
    }
}

public enum RoleSummaryLimits: TextLimits {
    public static let length = 1...200
    public static let example = "Those who decide about releases"
}
public typealias RoleSummary = Text<RoleSummaryLimits>

/// A named set of permissions.
public struct Role: Codable, Sendable, Equatable {
    public var name: RoleName
    public var summary: RoleSummary?
    public var permissions: PermissionList
    /// Whether the program itself names it: such a role cannot be changed.
    public var isBuiltIn: Bool

    public init(name: RoleName, summary: RoleSummary?, permissions: PermissionList, isBuiltIn: Bool) {
        (self.name, self.summary, self.permissions, self.isBuiltIn) = (name, summary, permissions, isBuiltIn)
    }
}

/// Every role, the built-in ones first, and every permission that a role can have.
public struct RoleList: Codable, Sendable {
    public var roles: [Role]
    public var permissions: [Permission]

    public init(roles: [Role], permissions: [Permission]) {
        (self.roles, self.permissions) = (roles, permissions)
    }
}

public struct NewRole: Codable, Sendable {
    public var name: RoleName
    public var summary: RoleSummary?
    public var permissions: PermissionList

    public init(name: RoleName, summary: RoleSummary? = nil, permissions: PermissionList) {
        (self.name, self.summary, self.permissions) = (name, summary, permissions)
    }
}

public struct RoleChange: Codable, Sendable {
    public var name: RoleName
    public var summary: Change<RoleSummary>
    public var permissions: PermissionList?

    public init(name: RoleName, summary: Change<RoleSummary> = .unchanged, permissions: PermissionList? = nil) {
        (self.name, self.summary, self.permissions) = (name, summary, permissions)
    }
}

public struct RoleReference: Codable, Sendable {
    public var name: RoleName

    public init(name: RoleName) { self.name = name }
}

public struct AccountReference: Codable, Sendable {
    public var id: Identifier<Account>

    public init(id: Identifier<Account>) { self.id = id }
}

/// The names of one to twenty roles; each once, in order.
public struct RoleNames: Codable, Sendable, Equatable, CountBounded {
    public static let count = 1...20
    public let all: [RoleName]

    public init(_ names: some Sequence<RoleName>) {
        all = Set(names).sorted { $0.raw < $1.raw }
    }

    public init(from decoder: any Decoder) throws {
        self.init(try [RoleName](from: decoder))
    }

    public func encode(to encoder: any Encoder) throws {
        try all.encode(to: encoder)
    }
}

/// The roles that an account is to have.
public struct RoleAssignment: Codable, Sendable {
    public var id: Identifier<Account>
    public var roles: RoleNames

    public init(id: Identifier<Account>, roles: RoleNames) {
        (self.id, self.roles) = (id, roles)
    }
}

/// What an account may do, apart from what it may in an organisation.
public struct RolesOfAccount: Codable, Sendable, Equatable {
    public var roles: RoleNames
    public var permissions: PermissionList

    public init(roles: RoleNames, permissions: PermissionList) {
        (self.roles, self.permissions) = (roles, permissions)
    }
}
