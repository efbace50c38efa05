import MartletClient
import MartletContract
import MartletCore
import MartletIdentityAPI
import MartletTestKit
import Testing

extension Somebody {
    @discardableResult
    func found(_ name: String) async throws -> OrganisationProfile {
        try await client.send(OrganisationsAPI.create, NewOrganisation(name: try OrganisationName(name)))
    }

    func organisations() async throws -> [OrganisationProfile] {
        try await client.send(OrganisationsAPI.list, MembershipFilter()).items
    }

    @discardableResult
    func invite(
        _ name: String, as role: OrganisationRole = .member, to organisation: Identifier<Organisation>, byMail: Bool? = false
    ) async throws -> IssuedInvitation {
        let new = NewInvitation(id: organisation, email: try EmailAddress("\(name)@example.org"), role: role, byMail: byMail)
        return try await client.send(OrganisationsAPI.invite, new)
    }

    @discardableResult
    func accept(_ token: InvitationToken) async throws -> OrganisationProfile {
        try await client.send(OrganisationsAPI.join, InvitationAcceptance(token: token))
    }

    /// Makes somebody a member by an invitation.
    func add(_ other: Somebody, _ name: String, as role: OrganisationRole = .member, to organisation: Identifier<Organisation>) async throws
    {
        try await other.accept(try await invite(name, as: role, to: organisation).handedOver)
    }

    func members(of organisation: Identifier<Organisation>) async throws -> [OrganisationMember] {
        try await client.send(OrganisationsAPI.members, OrganisationFilter(id: organisation)).items
    }

    func change(_ account: Identifier<Account>, to role: OrganisationRole, in organisation: Identifier<Organisation>) async throws {
        _ = try await client.send(OrganisationsAPI.changeMember, MemberChange(id: organisation, accountId: account, role: role))
    }

    func remove(_ account: Identifier<Account>, from organisation: Identifier<Organisation>) async throws {
        _ = try await client.send(OrganisationsAPI.removeMember, MemberReference(id: organisation, accountId: account))
    }

    func leave(_ organisation: Identifier<Organisation>) async throws {
        _ = try await client.send(OrganisationsAPI.leave, OrganisationReference(id: organisation))
    }
}

extension IssuedInvitation {
    /// What accepts it, of one that was not mailed.
    var handedOver: InvitationToken { get throws { try #require(token) } }
}
