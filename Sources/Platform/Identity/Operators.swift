import MartletAudit
import MartletAuditAPI
public import MartletContract
import MartletCore
import MartletIdentityAPI
import MartletStorage

/// Those who may do everything: accounts with the role `admin`, chosen at the machine, since at first there is nobody who could give it.
public struct Operators: Sendable {
    private let denylist: Denylist
    private let catalogue: RoleCatalogue
    private let audit: AuditLog

    init(_ denylist: Denylist, _ catalogue: RoleCatalogue, _ audit: AuditLog) {
        (self.denylist, self.catalogue, self.audit) = (denylist, catalogue, audit)
    }

    /// Gives the account of a login, an e-mail address or a username, the role `admin`. Its access tokens end, and the next ones say so. Safe
    /// to repeat; throws `notFound` when there is no such account.
    public func appoint(_ login: String) async throws {
        try await change(login, .operatorAppointed, onlyGiving: true) { $0.union([RoleName(.admin)]) }
    }

    /// Takes the role back; access tokens with its permissions end within a second. Safe to repeat; throws `conflict` when nobody else has it.
    public func dismiss(_ login: String) async throws {
        try await change(login, .operatorDismissed, onlyGiving: false) { roles in
            let others = roles.subtracting([RoleName(.admin)])
            return others.isEmpty ? [RoleName(.member)] : others
        }
    }

    private func change(
        _ login: String, _ action: AuditAction, onlyGiving: Bool,
        _ change: @escaping @Sendable (Set<RoleName>) -> Set<RoleName>
    ) async throws {
        try await denylist.changingPermissions(onlyGiving: onlyGiving) { transaction in
            let account = try await AccountStore(transaction).id(of: login)
            let store = RoleStore(transaction, catalogue)
            let old = Set(try await store.roles(of: account).roles.all)
            let new = change(old)
            guard new != old else { return ((), []) }
            try await store.assign(RoleNames(new), to: account)
            try await store.requireAdministrator()
            try await audit.record(.roles(of: account, action, from: old, to: new), in: transaction)
            return ((), [account])
        }
    }
}
