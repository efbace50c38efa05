import Foundation
import MartletContract
import MartletCore
import MartletIdentityAPI
import MartletStorage

/// The SQL of organisations as one account sees them. Every statement joins its memberships: what of an organisation it is not in is not found.
struct OrganisationStore: Sendable {
    private let database: any Queries
    private let account: Identifier<Account>

    init(_ database: any Queries, of account: Identifier<Account>) {
        (self.database, self.account) = (database, account)
    }

    private static let columns: SQL = "organisation.id, organisation.name, membership.role, organisation.created_at, membership.joined_at"

    /// Creates an organisation that the account owns; in a transaction.
    func create(_ name: OrganisationName, at now: Date) async throws -> OrganisationProfile {
        let id = Identifier<Organisation>()
        try await database.change(
            "INSERT INTO organisation (id, name, created_at, updated_at) VALUES (\(id), \(name.raw), \(now), \(now))")
        try await join(id, as: .owner, at: now)
        return OrganisationProfile(id: id, name: name, role: .owner, createdAt: now, joinedAt: now)
    }

    /// Makes the account a member; throws `conflict` when it is one.
    func join(_ organisation: Identifier<Organisation>, as role: OrganisationRole, at now: Date) async throws {
        do {
            try await database.change(
                """
                INSERT INTO membership (organisation_id, account_id, role, joined_at) VALUES (\(organisation), \(account), \(role), \(now))
                ON CONFLICT DO NOTHING
                """, else: .conflict("already_member", "This account is a member of the organisation."))
        } catch let failure as SQLFailure where failure.kind == .foreignKey {
            // A token outlives its account by up to its lifetime.
            throw Failure.unauthenticated("account_gone", "The account of this token does not exist any more.")
        }
    }

    func find(_ id: Identifier<Organisation>) async throws -> OrganisationProfile {
        try await database.one(
            OrganisationProfile.self, "\(select) AND organisation.id = \(id)", else: Self.notFound)
    }

    /// Newest membership first.
    func page(_ filter: MembershipFilter) async throws -> Page<OrganisationProfile> {
        let limit = filter.limit?.raw ?? PageLimit.standard
        let after: SQL = try filter.cursor.map { try Self.after($0) } ?? ""
        let rows = try await database.all(
            OrganisationProfile.self, "\(select)\(after) ORDER BY membership.joined_at DESC, organisation.id DESC LIMIT \(limit + 1)")
        return Page(rows, limit) { Cursor(after: $0.joinedAt, $0.id) }
    }

    private static func after(_ cursor: Cursor) throws(Failure) -> SQL {
        let position = try cursor.position(of: Organisation.self)
        return " AND (membership.joined_at, organisation.id) < (\(position.moment), \(position.identifier))"
    }

    private var select: SQL {
        """
        SELECT \(Self.columns) FROM membership JOIN organisation ON organisation.id = membership.organisation_id
        WHERE membership.account_id = \(account)
        """
    }

    /// Notes what a session acts for; `nil` for the account alone. Throws `notFound` unless the account is a member.
    func choose(_ organisation: Identifier<Organisation>?, for session: Identifier<LoginSession>) async throws {
        if let organisation { _ = try await Membership.of(account, in: organisation, database) }
        try await database.change(
            "UPDATE session SET organisation_id = \(organisation) WHERE id = \(session) AND account_id = \(account) AND revoked_at IS NULL",
            else: .unauthenticated("token_revoked", "The session of this access token has ended."))
    }

    static let notFound = Failure.notFound("organisation_not_found", "There is no such organisation, or the caller is not a member.")
}

extension Page {
    /// A page of rows, of which one more was read than it holds.
    init(_ rows: [Item], _ limit: Int, cursor: (Item) -> Cursor) {
        let items = Array(rows.prefix(limit))
        self.init(items: items, next: rows.count > limit ? items.last.map(cursor) : nil)
    }
}
