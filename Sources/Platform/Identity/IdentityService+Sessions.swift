import MartletAudit
import MartletAuditAPI
import MartletContract
import MartletCore
import MartletHTTP
import MartletIdentityAPI
import MartletStorage

// Where people are logged in, and how that ends.
extension IdentityService {
    var sessionRoutes: [Route] {
        [
            serve(SessionsAPI.list) { _, caller in
                ActiveSessions(
                    sessions: try await SessionStore(database).active(of: caller.id, current: caller.session, at: clock.now))
            },
            serve(SessionsAPI.end) { reference, caller in
                try await end(reference.id, of: caller.id)
                return NoContent()
            },
            serve(SessionsAPI.endAll) { wanted, caller in
                try await endAll(of: caller.id, except: wanted.all == .yes ? nil : caller.session)
                return NoContent()
            },
        ]
    }

    /// Begins the session of a login. Where an account has too many, the oldest end with the same commit.
    ///
    /// Whoever changes how an account is proven waits for this, or this for them: then its sessions are ended, or none begins.
    ///
    /// - Parameters:
    ///   - event: What the audit log is to say of it. Logins meet at its end: each waits its turn there, where a serializable one would be run
    ///     again.
    ///   - prove: Takes what proved who it is, with a lock that keeps it from changing until the commit.
    func beginSession(
        with token: RefreshToken, of account: Identifier<Account>, from origin: SessionOrigin, recording event: AuditEvent?,
        _ prove: @Sendable (any Transaction) async throws -> Authentication
    ) async throws -> Identifier<LoginSession> {
        let (session, ended) = try await database.transaction(isolation: .readCommitted) { transaction in
            let (store, proof) = (SessionStore(transaction), try await prove(transaction))
            let session = try await store.open(
                token, account: account, from: origin, provenBy: proof, at: clock.now, lifetime: policy.refreshLifetime)
            let oldest =
                policy.sessionsPerAccount > 0
                ? try await store.endOldest(of: account, beyond: policy.sessionsPerAccount, at: clock.now) : []
            let ended = try await endAccess(by: oldest, in: transaction)
            if let event { try await audit.record(event, in: transaction) }
            return (session, ended)
        }
        ended.forEach(denylist.apply)
        return session
    }

    private func end(_ session: Identifier<LoginSession>, of account: Identifier<Account>) async throws {
        let revocation = try await database.transaction(isolation: .readCommitted) { transaction in
            guard try await SessionStore(transaction).end(session, of: account, at: clock.now) else {
                throw Failure.notFound("session_not_found", "There is no such session.")
            }
            let revocation = try await endAccess(by: session, in: transaction)
            try await audit.record(
                AuditEvent(.sessionEnded, on: .account(account), before: ["session": .text("\(session)")]), in: transaction)
            return revocation
        }
        denylist.apply(revocation)
    }

    private func endAll(of account: Identifier<Account>, except kept: Identifier<LoginSession>?) async throws {
        let ended = try await database.transaction(isolation: .readCommitted) { transaction in
            let ended = try await endSessions(of: account, except: kept, in: transaction)
            try await audit.record(
                AuditEvent(.sessionsEnded, on: .account(account), before: ["sessions": .number(ended.count)]), in: transaction)
            return ended
        }
        ended.forEach(denylist.apply)
    }

    /// Ends the sessions of an account, but for one. What it returns is to be applied after the commit.
    func endSessions(
        of account: Identifier<Account>, except kept: Identifier<LoginSession>?, in transaction: any Transaction
    ) async throws -> [Revocation] {
        try await endAccess(
            by: try await SessionStore(transaction).endAll(of: account, except: kept, at: clock.now), in: transaction)
    }

    private func endAccess(by sessions: [Identifier<LoginSession>], in transaction: any Transaction) async throws -> [Revocation] {
        var revocations: [Revocation] = []
        for session in sessions { revocations.append(try await endAccess(by: session, in: transaction)) }
        return revocations
    }
}
