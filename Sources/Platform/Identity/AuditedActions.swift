import MartletAudit
import MartletAuditAPI
import MartletContract
import MartletCore
import MartletIdentityAPI
import MartletStorage

// What of accounts is in the audit log.

extension AuditAction {
    static let registered = AuditAction("auth.registered")
    static let loggedIn = AuditAction("auth.logged_in")
    static let loginFailed = AuditAction("auth.login_failed")
    /// Somebody has to wait, who failed too often.
    static let loginDelayed = AuditAction("auth.login_delayed")
    static let loggedOut = AuditAction("auth.logged_out")
    /// A refresh token was used a second time: somebody else has it, too. All that descends from the login ended.
    static let refreshTokenReused = AuditAction("auth.refresh_token_reused")
    static let sessionEnded = AuditAction("auth.session_ended")
    static let sessionsEnded = AuditAction("auth.sessions_ended")

    static let apiKeyCreated = AuditAction("api_key.created")
    static let apiKeyRotated = AuditAction("api_key.rotated")
    static let apiKeyRevoked = AuditAction("api_key.revoked")

    static let passwordChanged = AuditAction("auth.password_changed")
    static let passwordResetRequested = AuditAction("auth.password_reset_requested")
    static let passwordReset = AuditAction("auth.password_reset")
    static let emailVerified = AuditAction("auth.email_verified")

    static let mfaEnabled = AuditAction("mfa.enabled")
    static let mfaDisabled = AuditAction("mfa.disabled")
    static let recoveryCodesReplaced = AuditAction("mfa.recovery_codes_replaced")
    static let deviceForgotten = AuditAction("mfa.device_forgotten")
    /// Somebody has proven again who they are.
    static let steppedUp = AuditAction("mfa.stepped_up")
    /// Somebody has to wait, who has guessed too often.
    static let guessesLimited = AuditAction("mfa.guesses_limited")

    static let profileChanged = AuditAction("account.profile_changed")
    static let accountDeleted = AuditAction("account.deleted")
    static let accountsImported = AuditAction("account.imported")
    static let externalAccountCreated = AuditAction("account.created_by_issuer")
    static let externalAccountLinked = AuditAction("account.linked_to_issuer")

    static let userCreated = AuditAction("user.created")
    static let userDisabled = AuditAction("user.disabled")
    static let userEnabled = AuditAction("user.enabled")
    static let userMFAReset = AuditAction("user.mfa_reset")
    static let userSessionsEnded = AuditAction("user.sessions_ended")
    /// Somebody has become the first administrator by the link that the server printed.
    static let setupCompleted = AuditAction("setup.completed")

    static let operatorAppointed = AuditAction("operator.appointed")
    static let operatorDismissed = AuditAction("operator.dismissed")
    static let roleCreated = AuditAction("role.created")
    static let roleChanged = AuditAction("role.changed")
    static let roleDeleted = AuditAction("role.deleted")
    static let rolesAssigned = AuditAction("role.assigned")

    static let organisationCreated = AuditAction("organisation.created")
    static let organisationRenamed = AuditAction("organisation.renamed")
    static let organisationDeleted = AuditAction("organisation.deleted")
    static let memberJoined = AuditAction("organisation.member_joined")
    static let memberChanged = AuditAction("organisation.member_changed")
    static let memberRemoved = AuditAction("organisation.member_removed")
    static let memberLeft = AuditAction("organisation.member_left")
    static let invited = AuditAction("organisation.invited")
    static let invitationRevoked = AuditAction("organisation.invitation_revoked")
}

extension AuditEvent {
    /// Whoever fails to log in is nobody yet. What was typed as a login is not kept: people type passwords there.
    static func loginFailed(as account: Identifier<Account>?) -> AuditEvent {
        AuditEvent(.loginFailed, on: account.map { .account($0) }, outcome: .failed)
    }

    /// Somebody knows the password, or the second factor, of an account that is disabled.
    static func loginRefused(to account: Identifier<Account>) -> AuditEvent {
        AuditEvent(.loginFailed, on: .account(account), outcome: .refused, after: ["account": "disabled"])
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

extension AuditEvent {
    static func role(_ action: AuditAction, from old: Role? = nil, to new: Role? = nil) -> AuditEvent {
        func facts(_ role: Role) -> AuditFacts { ["permissions": .texts(role.permissions.all.map(\.raw))] }
        let target = (new ?? old).map { AuditTarget(kind: "role", id: $0.name.raw) }
        return AuditEvent(action, on: target, before: old.map(facts), after: new.map(facts))
    }

    /// Something about a key, in the chain of its organisation. Nothing of the key itself is told, and not its name, which is anything.
    static func apiKey(_ action: AuditAction, from old: OwnAPIKey? = nil, to new: OwnAPIKey? = nil) -> AuditEvent {
        func facts(_ key: OwnAPIKey) -> AuditFacts {
            [
                "key": .text("\(key.id)"), "permissions": .texts(key.permissions.all.map(\.raw)),
                "expires_at": .text(Timestamp.text(key.expiresAt)),
            ]
        }
        let key = old ?? new
        return AuditEvent(
            action, on: key.map { .of("api_key", $0.id) }, in: key?.organisationId?.uuid, before: old.map(facts), after: new.map(facts))
    }

    /// Something in an organisation, whose own chain it belongs to.
    static func organisation(
        _ action: AuditAction, _ organisation: Identifier<Organisation>, before: AuditFacts? = nil, after: AuditFacts? = nil
    ) -> AuditEvent {
        AuditEvent(action, on: .of("organisation", organisation), in: organisation.uuid, before: before, after: after)
    }

    static func member(
        _ action: AuditAction, _ account: Identifier<Account>, of organisation: Identifier<Organisation>,
        from old: OrganisationRole? = nil, to new: OrganisationRole? = nil
    ) -> AuditEvent {
        func facts(_ role: OrganisationRole) -> AuditFacts { ["role": .text(role.rawValue)] }
        return AuditEvent(action, on: .account(account), in: organisation.uuid, before: old.map(facts), after: new.map(facts))
    }
}
