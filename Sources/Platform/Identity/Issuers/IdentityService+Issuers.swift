import Logging
import MartletAudit
import MartletContract
import MartletCore
import MartletStorage

extension IdentityService {
    /// What checks tokens of other issuers; `nil` where there are none.
    static func externalTokens(
        _ policy: IdentityPolicy, _ database: any Database, _ roles: RoleCatalogue, _ audit: AuditLog, clock: WallClock,
        logger: Logger
    ) -> ExternalTokens? {
        guard !policy.issuers.isEmpty else { return nil }
        return ExternalTokens(
            policy.issuers, accounts: ExternalAccounts(database, audit, clock: clock), keySets: KeySetFetching(clock: clock, logger: logger)
        ) { permissions(ofRoles: $0, roles) }
    }

    /// What callers may do whose issuer gives them these roles, by the names of the built-in ones: that, and what everyone may who signs up.
    /// Other names mean nothing.
    static func permissions(ofRoles names: Set<String>, _ roles: RoleCatalogue) -> Set<Permission> {
        names.compactMap(BuiltInRole.init).reduce(into: roles.permissions(of: .member)) { $0.formUnion(roles.permissions(of: $1)) }
    }
}

extension IdentityPolicy {
    /// How long any access token lives at most.
    var longestAccess: Duration {
        issuers.isEmpty ? tokens.lifetime : max(tokens.lifetime, .seconds(ExternalTokens.longestLifetime))
    }
}
