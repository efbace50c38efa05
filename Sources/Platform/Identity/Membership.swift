import MartletCore
import MartletIdentityAPI
import MartletStorage

/// That somebody is in an organisation, and as what: the proof that stores of what an organisation owns are made with.
///
/// It comes from the database only, and a store names its organisation in each of its statements. So no statement can be written, or be called,
/// that would find what is another organisation's.
struct Membership: Decodable, Sendable {
    let organisationID: Identifier<Organisation>
    let accountID: Identifier<Account>
    let role: OrganisationRole

    /// Throws `notFound` for whoever is not a member: whether there is such an organisation is not told.
    static func of(
        _ account: Identifier<Account>, in organisation: Identifier<Organisation>, _ queries: any Queries
    ) async throws -> Membership {
        try await queries.one(
            Membership.self,
            "SELECT organisation_id, account_id, role FROM membership WHERE organisation_id = \(organisation) AND account_id = \(account)",
            else: OrganisationStore.notFound)
    }

    /// In the organisation that a session has chosen.
    static func chosen(
        by session: Identifier<LoginSession>, of account: Identifier<Account>, _ queries: any Queries
    ) async throws -> Membership? {
        try await queries.first(
            Membership.self,
            """
            SELECT membership.organisation_id, membership.account_id, membership.role FROM session
            JOIN membership ON membership.organisation_id = session.organisation_id AND membership.account_id = session.account_id
            WHERE session.id = \(session) AND session.account_id = \(account)
            """)
    }
}

extension Membership {
    /// For what owners and administrators do.
    func requireAdministrator() throws(Failure) {
        guard role.isAdministrator else { throw Self.refusal }
    }

    /// For what owners do.
    func requireOwner() throws(Failure) {
        guard role == .owner else { throw Self.refusal }
    }

    /// For what is done with somebody's role, or with one that somebody is to have: owners manage everybody, administrators all but owners.
    func requirePower(over other: OrganisationRole) throws(Failure) {
        guard role == .owner || (role == .admin && other != .owner) else { throw Self.refusal }
    }

    private static let refusal = Failure.forbidden("organisation_role_missing", "One's role in this organisation does not allow that.")
}
