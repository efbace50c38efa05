public import MartletCore

/// What a caller may be allowed to do: an area and a verb, `bookmarks:read`. Stored, signed into tokens and published: names are for ever.
///
/// Each part is 1 to 40 lower-case letters and `_`, and begins with a letter. A literal that is none traps: it is a mistake in a declaration,
/// found by whatever first touches it.
public struct Permission: Parsed, Comparable, ExpressibleByStringLiteral, CustomStringConvertible {
    public static let schema = Schema.string(
        length: 3...81, pattern: "^[a-z][a-z_]{0,39}:[a-z][a-z_]{0,39}$", "An area and a verb, such as bookmarks:read.")
    public static let example = "bookmarks:read"
    public let raw: String

    public init(_ raw: String) throws(Fault) {
        guard Self.isPermission(raw) else {
            throw Fault(code: "invalid_permission", message: "This must be an area and a verb, such as bookmarks:read.")
        }
        self.raw = raw
    }

    public init(stringLiteral raw: String) {
        precondition(Self.isPermission(raw), "\(raw) is no permission: it must be an area and a verb, such as bookmarks:read.")
        self.raw = raw
    }

    public var description: String { raw }

    public static func < (left: Permission, right: Permission) -> Bool { left.raw < right.raw }

    private static func isPermission(_ text: String) -> Bool {
        let parts = text.utf8.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
        return parts.count == 2
            && parts.allSatisfy { part in
                (1...40).contains(part.count) && part.first != UInt8(ascii: "_")
                    && part.allSatisfy { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0) || $0 == UInt8(ascii: "_") }
            }
    }
}

/// A set of permissions that the program itself names. Stored names are for ever.
public enum BuiltInRole: String, Codable, Sendable, CaseIterable {
    /// Has every permission that there is.
    case admin
    case analyst, viewer
    case apiUser = "api_user"
    /// Whoever signs up.
    case member
}

/// A permission, as the service that asks for it declares it: which of the built-in roles have it.
public struct PermissionGrant: Sendable, Hashable {
    public let permission: Permission
    /// Those that have it. The ``BuiltInRole/admin`` has it always.
    public let roles: Set<BuiltInRole>
    /// Whether it is about what an organisation can own. Its owners and administrators have it there, and a role in it can give it; all other
    /// permissions, over the system and over what is one's own, come from the account's own roles alone.
    public let isShared: Bool

    private init(_ permission: Permission, _ roles: [BuiltInRole], isShared: Bool) {
        (self.permission, self.roles, self.isShared) = (permission, Set(roles).union([.admin]), isShared)
    }

    /// A permission over the system, or over what is one's own.
    public static func own(_ permission: Permission, to roles: BuiltInRole...) -> PermissionGrant {
        PermissionGrant(permission, roles, isShared: false)
    }

    /// A permission over what an organisation can own.
    public static func shared(_ permission: Permission, to roles: BuiltInRole...) -> PermissionGrant {
        PermissionGrant(permission, roles, isShared: true)
    }
}

extension Failure {
    /// The caller lacks a permission; its name is a member of the Problem, too.
    public static func forbidden(_ code: String, _ message: String, lacking permission: Permission) -> Failure {
        var failure = Failure.forbidden(code, message)
        failure.permission = permission.raw
        return failure
    }
}
