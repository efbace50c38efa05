public import MartletContract
import MartletCore

/// Administration: everybody's accounts.
///
/// Nobody administers those who may do more: each change asks whether the caller has, by their own roles, all permissions that the account
/// has by its own. Roles are ``RolesAPI``'s.
public struct UsersAPI: API {
    public static let shared = UsersAPI()
    public static let name = "users"

    public let list = Endpoint<UserFilter, Page<ManagedUser>>.get(
        "/api/v1/admin/users", "List accounts, the newest first",
        details: "`query` is the beginning of a username or of an e-mail address, in whatever case.", allow: .permission(Self.read))

    public let find = Endpoint<AccountReference, ManagedUser>.get(
        "/api/v1/admin/users/{id}", "See an account", allow: .permission(Self.read), failures: [.notFound])

    public let create = Endpoint<NewUser, ManagedUser>.post(
        "/api/v1/admin/users", "Create an account",
        details: """
            Without a password its owner is sent a mail that leads to a page where they choose one. Without roles it is a `member`; to name \
            roles takes `roles:assign`, too, and every permission that they have.
            """,
        allow: .permission(Self.write), returns: .created, failures: [.conflict, .unavailable])

    public let disable = Endpoint<AccountReference, ManagedUser>.post(
        "/api/v1/admin/users/{id}/disable", "Disable an account",
        details: """
            Nobody logs in to it any more, its sessions end, and its access ends on every instance within a second. What it has stays, and its \
            jobs go on. Safe to repeat. Nobody disables themselves, or the last account with the role `admin`.
            """,
        allow: .permission(Self.write), failures: [.notFound, .conflict])

    public let enable = Endpoint<AccountReference, ManagedUser>.post(
        "/api/v1/admin/users/{id}/enable", "Enable an account", details: "Its owner logs in anew. Safe to repeat.",
        allow: .permission(Self.write), failures: [.notFound])

    public let resetMFA = Endpoint<AccountReference, NoContent>.delete(
        "/api/v1/admin/users/{id}/mfa", "Remove somebody's second factor",
        details: """
            For those who have lost it: the authenticator, the recovery codes, the remembered devices and logins under way are removed, and the \
            password alone is enough again. Make sure whom you do it for. One's own is turned off at `/api/v1/auth/mfa/disable`.
            """,
        allow: .permission(Self.write), failures: [.notFound, .conflict])

    public let endSessions = Endpoint<AccountReference, NoContent>.delete(
        "/api/v1/admin/users/{id}/sessions", "End somebody's sessions",
        details: "Their access ends on every instance within a second; they can log in again.", allow: .permission(Self.write),
        failures: [.notFound])

    public static let read: Permission = "users:read"
    public static let write: Permission = "users:write"
    public static let permissions = [PermissionGrant.own(read), .own(write)]
}
