public import Foundation
public import MartletContract
public import MartletCore

/// An account, as those see it who administer accounts.
public struct ManagedUser: Codable, Sendable, Equatable {
    public var id: Identifier<Account>
    public var email: EmailAddress
    public var username: Username
    public var name: PersonName?
    public var createdAt: Date
    /// When its owner proved that mail to the address reaches them; absent until then.
    public var emailVerifiedAt: Date?
    /// Since when nobody can log in to it; absent while it is enabled.
    public var disabledAt: Date?
    /// When one of its sessions was last used, to within a minute or two; absent when that is not known.
    public var lastSeenAt: Date?
    /// Whether its logins need a second factor.
    public var hasSecondFactor: Bool
    /// Whether it can be logged in to with a password.
    public var hasPassword: Bool
    public var roles: RoleNames
    /// The issuers whose tokens open it, too.
    public var issuers: [String]

    public init(
        _ user: User, disabledAt: Date?, lastSeenAt: Date?, hasSecondFactor: Bool, hasPassword: Bool, roles: RoleNames, issuers: [String]
    ) {
        (id, email, username, name) = (user.id, user.email, user.username, user.name)
        (createdAt, emailVerifiedAt) = (user.createdAt, user.emailVerifiedAt)
        (self.disabledAt, self.lastSeenAt) = (disabledAt, lastSeenAt)
        (self.hasSecondFactor, self.hasPassword) = (hasSecondFactor, hasPassword)
        (self.roles, self.issuers) = (roles, issuers)
    }
}

/// Which accounts to list.
public struct UserFilter: Codable, Sendable {
    public enum Status: String, Codable, Sendable, CaseIterable {
        case active, disabled
    }

    /// The beginning of a username or of an e-mail address.
    public var query: LoginName?
    public var role: RoleName?
    public var status: Status?
    public var cursor: Cursor?
    public var limit: PageLimit?

    public init(
        query: LoginName? = nil, role: RoleName? = nil, status: Status? = nil, cursor: Cursor? = nil, limit: PageLimit? = nil
    ) {
        (self.query, self.role, self.status, self.cursor, self.limit) = (query, role, status, cursor, limit)
    }
}

/// An account that is made for somebody.
public struct NewUser: Codable, Sendable {
    public var email: EmailAddress
    public var username: Username
    public var name: PersonName?
    /// Left out: its owner chooses one by a link that is mailed to them.
    public var password: Password?
    /// Left out: that of whoever signs up.
    public var roles: RoleNames?

    public init(
        email: EmailAddress, username: Username, name: PersonName? = nil, password: Password? = nil, roles: RoleNames? = nil
    ) {
        (self.email, self.username, self.name) = (email, username, name)
        (self.password, self.roles) = (password, roles)
    }
}
