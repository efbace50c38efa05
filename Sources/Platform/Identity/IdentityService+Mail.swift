import MartletAudit
import MartletAuditAPI
import MartletContract
import MartletCore
import MartletHTTP
import MartletIdentityAPI
import MartletJobs
import MartletStorage

// Passwords that are changed or were forgotten, and addresses that are verified.
extension IdentityService {
    var passwordRoutes: [Route] {
        [
            serve(PasswordsAPI.change) { change, caller in
                try await changePassword(change, of: caller)
                return NoContent()
            },
            serve(open: PasswordsAPI.forgot) { forgotten, call in
                // Not together with logins: who guessed in vain is the one who needs this.
                try await call.limit(account: "password/forgot \(forgotten.email.raw)")
                try await sendReset(to: forgotten.email)
                return Reply(NoContent())
            },
            serve(open: PasswordsAPI.reset) { reset, _ in
                try await resetPassword(reset)
                return Reply(NoContent())
            },
        ]
    }

    var emailRoutes: [Route] {
        [
            serve(open: EmailsAPI.verify) { verification, _ in
                try await verifyEmail(verification.token)
                return Reply(NoContent())
            },
            serve(EmailsAPI.resend) { _, caller in
                try await send(.verifyEmail, to: caller.id)
                return NoContent()
            },
        ]
    }

    /// An instance that sends no mail leaves such jobs to others.
    var mailJobs: [JobHandler] {
        mail == nil ? [] : [perform(SendAccountMail.self, with: self), perform(SendInvitation.self, with: self)]
    }
}

extension IdentityService {
    private func changePassword(_ change: PasswordChange, of caller: Caller) async throws {
        let old = try await check(change.currentPassword, of: caller.id)
        try PasswordRules.check(change.newPassword, of: try await AccountStore(database).find(caller.id), at: "/new_password")
        let hash = try await hasher.hash(change.newPassword.raw)
        let ended = try await database.transaction(isolation: .readCommitted) { transaction in
            guard try await AccountStore(transaction).replaceHash(of: caller.id, old, by: hash) else {
                throw Failure.conflict("password_changed", "The password was changed meanwhile.")
            }
            try await MailTokenStore(transaction).discard(.resetPassword, of: caller.id)
            let ended = try await endLogins(of: caller.id, except: caller.session, in: transaction)
            try await audit.record(AuditEvent(.passwordChanged, on: .account(caller.id)), in: transaction)
            return ended
        }
        ended.forEach(denylist.apply)
    }

    /// The hash of somebody's password, who is to give it once more. Throws `forbidden` for another one, and where there is none; whoever
    /// guesses has to wait, as at a login.
    func check(_ password: GivenPassword, of id: Identifier<Account>) async throws -> String {
        let hash = try await AccountStore(database).credentials(of: id).passwordHash
        @Sendable func verify() async throws -> String {
            guard try await hasher.verify(password.raw, against: hash), let hash else {
                throw Failure.forbidden("wrong_password", "The password is wrong.")
            }
            return hash
        }
        guard let delays else { return try await verify() }
        return try await delays.attempt("\(id)", from: nil, verify) {
            audit.note(AuditEvent(.loginDelayed, on: .account(id), outcome: .refused))
        }
    }

    /// The same work whether there is such an account or not: who asks learns nothing from the answer or from how long it takes.
    private func sendReset(to email: EmailAddress) async throws {
        let account = try await AccountStore(database).owner(of: email)
        audit.note(AuditEvent(.passwordResetRequested, on: account.map { .account($0) }))
        try await send(.resetPassword, to: account ?? Identifier())
    }

    private func send(_ purpose: MailPurpose, to account: Identifier<Account>) async throws {
        guard let mail else { throw AccountMail.unavailable }
        try await database.transaction(isolation: .readCommitted) {
            try await mail.enqueue(purpose, to: account, at: clock.now, in: $0)
        }
    }

    private func resetPassword(_ reset: PasswordReset) async throws {
        // Asked for first, so that a token that is none costs no hash, and a password that is refused no token.
        guard let holder = try await MailTokenStore(database).holder(of: reset.token, .resetPassword, at: clock.now) else {
            throw MailToken.refused
        }
        try PasswordRules.check(reset.newPassword, of: try await AccountStore(database).find(holder.accountID), at: "/new_password")
        let hash = try await hasher.hash(reset.newPassword.raw)
        let ended = try await database.transaction(isolation: .readCommitted) { transaction in
            let holder = try await redeem(reset.token, .resetPassword, in: transaction)
            try await AccountStore(transaction).setHash(of: holder.accountID, to: hash)
            // The mail has reached its owner, which is what a verified address says.
            _ = try await AccountStore(transaction).verify(holder.email, of: holder.accountID, at: clock.now)
            let ended = try await endLogins(of: holder.accountID, except: nil, in: transaction)
            try await audit.record(AuditEvent(.passwordReset, on: .account(holder.accountID)), in: transaction)
            return ended
        }
        ended.forEach(denylist.apply)
    }

    /// Ends what a password has opened: sessions, logins that wait for a second factor, devices that need none.
    func endLogins(
        of account: Identifier<Account>, except kept: Identifier<LoginSession>?, in transaction: any Transaction
    ) async throws -> [Revocation] {
        try await MFAChallengeStore(transaction).discardAll(of: account)
        try await RememberedDeviceStore(transaction).forgetAll(of: account)
        return try await endSessions(of: account, except: kept, in: transaction)
    }

    private func verifyEmail(_ token: MailToken) async throws {
        try await database.transaction(isolation: .readCommitted) { transaction in
            let holder = try await redeem(token, .verifyEmail, in: transaction)
            guard try await AccountStore(transaction).verify(holder.email, of: holder.accountID, at: clock.now) else {
                throw MailToken.refused
            }
            try await audit.record(AuditEvent(.emailVerified, on: .account(holder.accountID)), in: transaction)
        }
    }

    private func redeem(
        _ token: MailToken, _ purpose: MailPurpose, in transaction: any Transaction
    ) async throws -> MailTokenStore.Holder {
        guard let holder = try await MailTokenStore(transaction).redeem(token, purpose, at: clock.now) else { throw MailToken.refused }
        return holder
    }
}
