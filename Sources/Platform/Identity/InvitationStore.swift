import Foundation
import MartletContract
import MartletCore
import MartletIdentityAPI
import MartletStorage

/// The SQL of one organisation's invitations. Every statement names the organisation of the membership that the store is made with.
struct InvitationStore: Sendable {
    /// How long an invitation can be accepted.
    static let lifetime: TimeInterval = 7 * 86_400

    private let database: any Queries
    private let organisation: Identifier<Organisation>

    init(_ database: any Queries, in membership: Membership) {
        (self.database, organisation) = (database, membership.organisationID)
    }

    private static let columns: SQL = "id, email, role, created_at, expires_at"

    /// Replaces an earlier one of the address, and clears away what has expired; in a transaction.
    func insert(_ new: NewInvitation, token: InvitationToken, at now: Date) async throws -> Invitation {
        let sameAddress = SQL.equalIgnoringCase("email", new.email.raw)
        try await database.change(
            "DELETE FROM invitation WHERE organisation_id = \(organisation) AND (expires_at <= \(now) OR \(sameAddress))")
        let invitation = Invitation(
            id: Identifier(), email: new.email, role: new.role, createdAt: now, expiresAt: now.addingTimeInterval(Self.lifetime))
        try await database.change(
            """
            INSERT INTO invitation (id, organisation_id, email, role, token_hash, created_at, expires_at)
            VALUES (\(invitation.id), \(organisation), \(new.email.raw), \(new.role), \(token.hash), \(now), \(invitation.expiresAt))
            """)
        return invitation
    }

    /// Those that can be accepted, newest first.
    func page(_ filter: OrganisationFilter, at now: Date) async throws -> Page<Invitation> {
        let limit = filter.limit?.raw ?? PageLimit.standard
        let after: SQL = try filter.cursor.map { try Self.after($0) } ?? ""
        let rows = try await database.all(
            Invitation.self,
            """
            SELECT \(Self.columns) FROM invitation WHERE organisation_id = \(organisation) AND expires_at > \(now)\(after)
            ORDER BY created_at DESC, id DESC LIMIT \(limit + 1)
            """)
        return Page(rows, limit) { Cursor(after: $0.createdAt, $0.id) }
    }

    private static func after(_ cursor: Cursor) throws(Failure) -> SQL {
        let position = try cursor.position(of: Invitation.self)
        return " AND (created_at, id) < (\(position.moment), \(position.identifier))"
    }

    func delete(_ id: Identifier<Invitation>) async throws {
        try await database.change("DELETE FROM invitation WHERE id = \(id) AND organisation_id = \(organisation)", else: Self.notFound)
    }

    /// Gives an invitation that can still be accepted another token, and returns whose it is; `nil` when there is none any more.
    static func renew(
        _ id: Identifier<Invitation>, with token: InvitationToken, at now: Date, _ queries: any Queries
    ) async throws -> EmailAddress? {
        try await queries.first(
            EmailAddress.self,
            "UPDATE invitation SET token_hash = \(token.hash) WHERE id = \(id) AND expires_at > \(now) RETURNING email")
    }

    /// Whether the address is that of a member.
    func isMember(_ email: EmailAddress) async throws -> Bool {
        try await database.first(
            Int.self,
            """
            SELECT 1 FROM membership JOIN account ON account.id = membership.account_id
            WHERE membership.organisation_id = \(organisation) AND \(SQL.equalIgnoringCase("account.email", email.raw))
            """) != nil
    }

    fileprivate static let notFound = Failure.notFound(
        "invitation_not_found", "There is no such invitation, or it has been used, taken back or has expired.")
}

/// What an invitation gives.
struct AcceptedInvitation: Decodable, Sendable {
    let organisationID: Identifier<Organisation>
    let role: OrganisationRole

    /// Uses an invitation up, by one statement: of those who race, one gets it. Throws `notFound` for a token that is not for this address, just
    /// as for one that nobody gave out.
    static func taking(
        _ token: InvitationToken, for email: EmailAddress, at now: Date, _ queries: any Queries
    ) async throws -> AcceptedInvitation {
        try await queries.one(
            AcceptedInvitation.self,
            """
            DELETE FROM invitation WHERE token_hash = \(token.hash) AND expires_at > \(now) AND \(SQL.equalIgnoringCase("email", email.raw))
            RETURNING organisation_id, role
            """, else: InvitationStore.notFound)
    }
}
