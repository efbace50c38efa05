import Foundation
import MartletContract
import MartletCore
import MartletIdentityAPI
import MartletStorage

/// The SQL of one organisation and its members. Every statement names the organisation of the membership that the store is made with.
struct MemberStore: Sendable {
    private let database: any Queries
    private let organisation: Identifier<Organisation>

    init(_ database: any Queries, in membership: Membership) {
        (self.database, organisation) = (database, membership.organisationID)
    }

    private static let columns: SQL = "membership.account_id, account.username, account.name, membership.role, membership.joined_at"

    func rename(_ name: OrganisationName, at now: Date) async throws {
        try await database.change(
            "UPDATE organisation SET name = \(name.raw), updated_at = \(now) WHERE id = \(organisation)", else: OrganisationStore.notFound)
    }

    /// With everything that is the organisation's: each row refers to it, and goes with it.
    func deleteOrganisation() async throws {
        try await database.change("DELETE FROM organisation WHERE id = \(organisation)", else: OrganisationStore.notFound)
    }

    func find(_ account: Identifier<Account>) async throws -> OrganisationMember {
        try await database.one(OrganisationMember.self, "\(select) AND membership.account_id = \(account)", else: Self.notFound)
    }

    /// Newest first.
    func page(_ filter: OrganisationFilter) async throws -> Page<OrganisationMember> {
        let limit = filter.limit?.raw ?? PageLimit.standard
        let after: SQL = try filter.cursor.map { try Self.after($0) } ?? ""
        let rows = try await database.all(
            OrganisationMember.self,
            "\(select)\(after) ORDER BY membership.joined_at DESC, membership.account_id DESC LIMIT \(limit + 1)")
        return Page(rows, limit) { Cursor(after: $0.joinedAt, $0.accountId) }
    }

    private static func after(_ cursor: Cursor) throws(Failure) -> SQL {
        let position = try cursor.position(of: Account.self)
        return " AND (membership.joined_at, membership.account_id) < (\(position.moment), \(position.identifier))"
    }

    private var select: SQL {
        """
        SELECT \(Self.columns) FROM membership JOIN account ON account.id = membership.account_id
        WHERE membership.organisation_id = \(organisation)
        """
    }

    func accounts() async throws -> [Identifier<Account>] {
        try await database.all(Identifier<Account>.self, "SELECT account_id FROM membership WHERE organisation_id = \(organisation)")
    }

    func change(_ account: Identifier<Account>, to role: OrganisationRole) async throws {
        try await database.change(
            "UPDATE membership SET role = \(role) WHERE organisation_id = \(organisation) AND account_id = \(account)", else: Self.notFound)
    }

    func remove(_ account: Identifier<Account>) async throws {
        try await database.change(
            "DELETE FROM membership WHERE organisation_id = \(organisation) AND account_id = \(account)", else: Self.notFound)
    }

    /// Throws `conflict` when nobody is left who owns the organisation; to be asked, in the transaction, after an owner has gone.
    func requireOwner() async throws {
        let role = OrganisationRole.owner
        let owner = try await database.first(
            Int.self, "SELECT 1 FROM membership WHERE organisation_id = \(organisation) AND role = \(role) LIMIT 1")
        guard owner != nil else {
            throw Failure.conflict("last_owner", "This is the last owner of the organisation: make another member one first, or delete it.")
        }
    }

    private static let notFound = Failure.notFound("member_not_found", "The organisation has no such member.")
}
