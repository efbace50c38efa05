import MartletContract
import MartletCore
import MartletIdentityAPI
import MartletStorage

/// What an access token says that its bearer may do.
struct Entitlements: Sendable {
    var permissions: Set<Permission>
    /// The organisation that the session acts for.
    var organisation: Identifier<Organisation>?
    /// Whether there are no permissions since the account has to turn a second factor on first.
    var lacksSecondFactor = false

    /// The account's own permissions, and those of its role in the organisation that the session has chosen. The choice counts for as long as
    /// there is a membership.
    ///
    /// Where the policy says that the account must have a second factor, nothing is permitted before it has one.
    static func of(
        _ account: Identifier<Account>, in session: Identifier<LoginSession>, _ catalogue: RoleCatalogue,
        _ policy: IdentityPolicy, _ database: any Queries
    ) async throws -> Entitlements {
        try await of(account, as: try await Membership.chosen(by: session, of: account, database), catalogue, policy, database)
    }

    /// The same for an organisation that is named, or for the account alone. Throws `notFound` when it is not a member.
    static func of(
        _ account: Identifier<Account>, for organisation: Identifier<Organisation>?, _ catalogue: RoleCatalogue,
        _ policy: IdentityPolicy, _ database: any Queries
    ) async throws -> Entitlements {
        guard let organisation else { return try await of(account, as: nil, catalogue, policy, database) }
        return try await of(account, as: try await Membership.of(account, in: organisation, database), catalogue, policy, database)
    }

    private static func of(
        _ account: Identifier<Account>, as membership: Membership?, _ catalogue: RoleCatalogue, _ policy: IdentityPolicy,
        _ database: any Queries
    ) async throws -> Entitlements {
        let held = try await RoleStore(database, catalogue).roles(of: account)
        if policy.requiresSecondFactor(held.roles), try await !SecondFactorStore.isOn(for: account, in: database) {
            return Entitlements(permissions: [], lacksSecondFactor: true)
        }
        let own = held.permissions.all
        guard let membership else { return Entitlements(permissions: Set(own)) }
        return Entitlements(
            permissions: catalogue.sharedPermissions(of: membership.role).union(own), organisation: membership.organisationID)
    }
}
