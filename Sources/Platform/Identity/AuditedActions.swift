import MartletContract
import MartletAudit
import MartletAuditAPI
import MartletCore
import MartletIdentityAPI
import MartletStorage

// What of accounts is in the audit log.

extension AuditAction {
    static let registered = AuditAction("auth.registered")
    static let accountDeleted = AuditAction("account.deleted")
    static let profileChanged = AuditAction("account.profile_changed")
    static let loggedIn = AuditAction("auth.logged_in")
    static let loginFailed = AuditAction("auth.login_failed")
    static let loggedOut = AuditAction("auth.logged_out")
    /// A refresh token was used a second time: somebody else has it, too. All that descends from the login ended.
    static let refreshTokenReused = AuditAction("auth.refresh_token_reused")
    static let operatorAppointed = AuditAction("operator.appointed")
    static let operatorDismissed = AuditAction("operator.dismissed")
}

extension AuditEvent {
    /// Whoever fails to log in is nobody yet. What was typed as a login is not kept: people type passwords there.
    static func loginFailed(as account: Identifier<Account>?) -> AuditEvent {
        AuditEvent(.loginFailed, on: account.map { .account($0) }, outcome: .failed)
    }

    /// `nil` when nothing changed. What a name was stays untold: it may be removed because it should not be known.
    static func profile(from old: User, to new: User) -> AuditEvent? {
        var (before, after): (AuditFacts, AuditFacts) = ([:], [:])
        if old.username != new.username {
            (before, after) = (["username": .text(old.username.raw)], ["username": .text(new.username.raw)])
        } else if old.name == new.name {
            return nil
        }
        return AuditEvent(.profileChanged, on: .account(new.id), before: before, after: after)
    }

    static func roles(
        of account: Identifier<Account>, _ action: AuditAction, from old: Set<RoleName>, to new: Set<RoleName>
    ) -> AuditEvent {
        func facts(_ names: Set<RoleName>) -> AuditFacts { ["roles": .texts(names.map(\.raw).sorted())] }
        return AuditEvent(action, on: .account(account), before: facts(old), after: facts(new))
    }

    /// An end of a session, by whoever has its refresh token.
    static func ended(
        _ session: Identifier<LoginSession>, _ action: AuditAction, _ outcome: AuditOutcome = .succeeded, in transaction: any Transaction
    ) async throws -> AuditEvent {
        let account = try await transaction.first(Identifier<Account>.self, "SELECT account_id FROM session WHERE id = \(session)")
        return AuditEvent(action, on: account.map { .account($0) }, outcome: outcome, after: ["session": .text("\(session)")])
    }
}
