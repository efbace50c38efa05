public import Foundation
public import MartletContract
public import MartletCore

/// What a member may do in an organisation. Stored names are for ever.
public enum OrganisationRole: String, Codable, Sendable, CaseIterable {
    /// May do everything in it, also delete it.
    case owner
    /// May do everything but what touches its owners.
    case admin
    case analyst, viewer
    case apiUser = "api_user"
    case member
}

public enum OrganisationNameLimits: TextLimits {
    public static let length = 1...120
    public static let example = "Analytical Engines"
}
public typealias OrganisationName = Text<OrganisationNameLimits>

/// An organisation, as one of its members sees it.
public struct OrganisationProfile: Codable, Sendable, Equatable {
    public var id: Identifier<Organisation>
    public var name: OrganisationName
    /// The caller's.
    public var role: OrganisationRole
    public var createdAt: Date
    /// Since when the caller is a member.
    public var joinedAt: Date

    public init(id: Identifier<Organisation>, name: OrganisationName, role: OrganisationRole, createdAt: Date, joinedAt: Date) {
        (self.id, self.name, self.role) = (id, name, role)
        (self.createdAt, self.joinedAt) = (createdAt, joinedAt)
    }
}

/// Somebody in an organisation.
public struct OrganisationMember: Codable, Sendable, Equatable {
    public var accountId: Identifier<Account>
    public var username: Username
    public var name: PersonName?
    public var role: OrganisationRole
    public var joinedAt: Date

    public init(accountId: Identifier<Account>, username: Username, name: PersonName?, role: OrganisationRole, joinedAt: Date) {
        (self.accountId, self.username, self.name, self.role, self.joinedAt) = (accountId, username, name, role, joinedAt)
    }
}

public struct NewOrganisation: Codable, Sendable {
    public var name: OrganisationName

    public init(name: OrganisationName) { self.name = name }
}

public struct OrganisationReference: Codable, Sendable {
    public var id: Identifier<Organisation>

    public init(id: Identifier<Organisation>) { self.id = id }
}

public struct OrganisationRenaming: Codable, Sendable {
    public var id: Identifier<Organisation>
    public var name: OrganisationName

    public init(id: Identifier<Organisation>, name: OrganisationName) { (self.id, self.name) = (id, name) }
}

public struct MembershipFilter: Codable, Sendable {
    public var cursor: Cursor?
    public var limit: PageLimit?

    public init(cursor: Cursor? = nil, limit: PageLimit? = nil) { (self.cursor, self.limit) = (cursor, limit) }
}

public struct OrganisationFilter: Codable, Sendable {
    public var id: Identifier<Organisation>
    public var cursor: Cursor?
    public var limit: PageLimit?

    public init(id: Identifier<Organisation>, cursor: Cursor? = nil, limit: PageLimit? = nil) {
        (self.id, self.cursor, self.limit) = (id, cursor, limit)
    }
}

public struct MemberReference: Codable, Sendable {
    public var id: Identifier<Organisation>
    public var accountId: Identifier<Account>

    public init(id: Identifier<Organisation>, accountId: Identifier<Account>) { (self.id, self.accountId) = (id, accountId) }
}

public struct MemberChange: Codable, Sendable {
    public var id: Identifier<Organisation>
    public var accountId: Identifier<Account>
    public var role: OrganisationRole

    public init(id: Identifier<Organisation>, accountId: Identifier<Account>, role: OrganisationRole) {
        (self.id, self.accountId, self.role) = (id, accountId, role)
    }
}

/// The organisation to act for.
public struct OrganisationChoice: Codable, Sendable {
    public var organisationId: Change<Identifier<Organisation>>

    public init(organisationId: Change<Identifier<Organisation>>) { self.organisationId = organisationId }
}

/// An access token of the session that there is.
public struct AccessGrant: Codable, Sendable {
    /// For the `Authorization: Bearer` header.
    public var accessToken: String
    public var tokenType: String
    /// Seconds until it expires.
    public var expiresIn: Int
    /// The organisation that it acts for, if any.
    public var organisationId: Identifier<Organisation>?

    public init(accessToken: String, expiresIn: Int, organisationId: Identifier<Organisation>?) {
        (self.accessToken, tokenType, self.expiresIn) = (accessToken, "Bearer", expiresIn)
        self.organisationId = organisationId
    }
}

/// Somebody who can become a member. The entity of an invitation's identifier, too.
public struct Invitation: Codable, Sendable, Equatable {
    public var id: Identifier<Invitation>
    public var email: EmailAddress
    public var role: OrganisationRole
    public var createdAt: Date
    public var expiresAt: Date

    public init(id: Identifier<Invitation>, email: EmailAddress, role: OrganisationRole, createdAt: Date, expiresAt: Date) {
        (self.id, self.email, self.role, self.createdAt, self.expiresAt) = (id, email, role, createdAt, expiresAt)
    }
}

/// A new invitation, and what accepts it, unless that is mailed: it is shown this once.
public struct IssuedInvitation: Codable, Sendable {
    public var id: Identifier<Invitation>
    public var email: EmailAddress
    public var role: OrganisationRole
    public var createdAt: Date
    public var expiresAt: Date
    public var token: InvitationToken?

    public init(_ invitation: Invitation, token: InvitationToken?) {
        (id, email, role) = (invitation.id, invitation.email, invitation.role)
        (createdAt, expiresAt) = (invitation.createdAt, invitation.expiresAt)
        self.token = token
    }
}

public struct NewInvitation: Codable, Sendable {
    public var id: Identifier<Organisation>
    public var email: EmailAddress
    public var role: OrganisationRole
    /// Whether what accepts it is mailed to the address, or else answered to the caller; by default as the server can.
    public var byMail: Bool?

    public init(id: Identifier<Organisation>, email: EmailAddress, role: OrganisationRole, byMail: Bool? = nil) {
        (self.id, self.email, self.role, self.byMail) = (id, email, role, byMail)
    }
}

public struct InvitationReference: Codable, Sendable {
    public var id: Identifier<Organisation>
    public var invitationId: Identifier<Invitation>

    public init(id: Identifier<Organisation>, invitationId: Identifier<Invitation>) {
        (self.id, self.invitationId) = (id, invitationId)
    }
}

public struct InvitationAcceptance: Codable, Sendable {
    public var token: InvitationToken

    public init(token: InvitationToken) { self.token = token }
}

/// What accepts an invitation, once: 32 random bytes in base64url.
public struct InvitationToken: Parsed, Concealed {
    public static let schema = Schema.string(length: 43...43, pattern: "^[A-Za-z0-9_-]{43}$")
    public static let example = "aW52aXRhdGlvbi10b2tlbi1vZi0zMi1ieXRlcy1sb24"
    public let raw: String

    public init(_ raw: String) throws(Fault) {
        guard raw.utf8.count == 43, Base64URL.decode(raw) != nil else {
            throw Fault(code: "invalid_format", message: "This is not the token of an invitation.")
        }
        self.raw = raw
    }
}
