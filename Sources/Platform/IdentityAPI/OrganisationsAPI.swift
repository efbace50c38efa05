public import MartletContract
import MartletCore

/// People who own things together.
///
/// What of an organisation one is not a member of is not found, as if there were none. What a member may do in it depends on their role there.
public struct OrganisationsAPI: API {
    public static let shared = OrganisationsAPI()
    public static let name = "organisations"

    public let create = Endpoint<NewOrganisation, OrganisationProfile>.post(
        "/api/v1/organisations", "Create an organisation, and own it", allow: .loggedIn, returns: .created)

    public let list = Endpoint<MembershipFilter, Page<OrganisationProfile>>.get(
        "/api/v1/organisations", "List the organisations that one is a member of, newest membership first", allow: .loggedIn)

    public let find = Endpoint<OrganisationReference, OrganisationProfile>.get(
        "/api/v1/organisations/{id}", "See an organisation", allow: .loggedIn, failures: [.notFound])

    public let rename = Endpoint<OrganisationRenaming, OrganisationProfile>.patch(
        "/api/v1/organisations/{id}", "Rename an organisation", details: "For its owners and administrators.", allow: .loggedIn,
        failures: [.notFound, .forbidden])

    public let delete = Endpoint<OrganisationReference, NoContent>.delete(
        "/api/v1/organisations/{id}", "Delete an organisation and everything in it", details: "For its owners.", allow: .loggedIn,
        failures: [.notFound, .forbidden])

    public let `switch` = Endpoint<OrganisationChoice, AccessGrant>.post(
        "/api/v1/auth/organisation", "Choose the organisation that one acts for",
        details: """
            `null` is for oneself alone; a body without the field chooses nothing anew. The choice belongs to the session, whose next access \
            tokens carry it, too: the claim `org`, and the permissions of one's own roles together with those of the role in the organisation. \
            Access tokens that were given out before stay what they are.
            """,
        allow: .loggedIn, failures: [.notFound])

    // MARK: Members

    public let members = Endpoint<OrganisationFilter, Page<OrganisationMember>>.get(
        "/api/v1/organisations/{id}/members", "List an organisation's members, newest first", allow: .loggedIn, failures: [.notFound])

    public let changeMember = Endpoint<MemberChange, OrganisationMember>.patch(
        "/api/v1/organisations/{id}/members/{account_id}", "Change a member's role",
        details: """
            For owners; administrators can change those who are not owners, and make nobody one. The last owner stays. The member's access \
            tokens end within a second.
            """,
        allow: .loggedIn, failures: [.notFound, .forbidden, .conflict])

    public let removeMember = Endpoint<MemberReference, NoContent>.delete(
        "/api/v1/organisations/{id}/members/{account_id}", "Remove a member",
        details: """
            For owners; administrators can remove those who are not owners. The last owner stays. The member's access tokens end within a \
            second.
            """,
        allow: .loggedIn, failures: [.notFound, .forbidden, .conflict])

    public let leave = Endpoint<OrganisationReference, NoContent>.post(
        "/api/v1/organisations/{id}/leave", "Leave an organisation",
        details: "The last owner stays. One's access tokens end within a second.", allow: .loggedIn, returns: .noContent,
        failures: [.notFound, .conflict])

    // MARK: Invitations

    public let invite = Endpoint<NewInvitation, IssuedInvitation>.post(
        "/api/v1/organisations/{id}/invitations", "Invite somebody by their e-mail address",
        details: """
            For owners and administrators; only owners invite owners. The token that accepts it, once, within seven days and only by the \
            account with this address, is mailed there. With `by_mail` false, or where no mail is sent, the answer holds it. An earlier \
            invitation of the address is replaced.
            """,
        allow: .loggedIn, returns: .created, failures: [.notFound, .forbidden, .conflict])

    public let invitations = Endpoint<OrganisationFilter, Page<Invitation>>.get(
        "/api/v1/organisations/{id}/invitations", "List the invitations that can be accepted, newest first",
        details: "For owners and administrators.", allow: .loggedIn, failures: [.notFound, .forbidden])

    public let revokeInvitation = Endpoint<InvitationReference, NoContent>.delete(
        "/api/v1/organisations/{id}/invitations/{invitation_id}", "Take an invitation back", details: "For owners and administrators.",
        allow: .loggedIn, failures: [.notFound, .forbidden])

    public let join = Endpoint<InvitationAcceptance, OrganisationProfile>.post(
        "/api/v1/organisations/join", "Accept an invitation", allow: .loggedIn, limit: .login, failures: [.notFound, .conflict])
}
