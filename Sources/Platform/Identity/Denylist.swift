public import Foundation
public import MartletCore
import MartletStorage
import Synchronization

/// Ends access before its tokens expire, on every instance: at once on the one that ends it, on the others when they read the outbox.
///
/// A revocation is a row and an entry of the outbox in one transaction. Each instance holds those that are not over in memory, so that a
/// request is checked without a database read. They are over when the last token concerned has expired.
public final class Denylist: Sendable {
    let database: any Database
    private let tail: OutboxTail
    let clock: WallClock
    private let lifetime: TimeInterval
    private let revoked = Mutex(RevokedAccess())

    /// - Parameters:
    ///   - tail: Where it hears what others revoke; it must not run yet.
    ///   - lifetime: How long a token is accepted after it was issued, with every leeway.
    init(_ database: any Database, tail: OutboxTail, lifetime: Duration, clock: WallClock) {
        (self.database, self.tail, self.clock) = (database, tail, clock)
        self.lifetime = lifetime / .seconds(1)
        tail.subscribe(Revocation.topic) { [weak self] in self?.hear($0) }
    }

    /// Reads what was revoked before this instance began; to be called, while the tail runs, before anything is served. Safe to repeat.
    public func load() async throws {
        // What is revoked from then on comes by the tail: there is no gap between the two.
        await tail.hasBegun()
        try await Revocation.each(in: database, after: clock.now) { [self] in $0.forEach(apply) }
    }

    /// Ends a session: tokens that were issued for it are refused from now on.
    public func revoke(session: Identifier<LoginSession>) async throws {
        let revocation = revocation(of: session)
        try await database.transaction { try await revocation.store(in: $0) }
        apply(revocation)
    }

    /// Ends the access of an account by the tokens that were issued before a moment, as after a change of the password. Its refresh tokens are
    /// not touched: end its sessions, too.
    public func revoke(account: Identifier<Account>, issuedBefore moment: Date) async throws {
        let revocation = revocation(of: account, before: moment)
        try await database.transaction { try await revocation.store(in: $0) }
        apply(revocation)
    }
}

extension Denylist {
    /// For callers with a transaction of their own: store it there, and apply it after the commit.
    func revocation(of session: Identifier<LoginSession>) -> Revocation {
        Revocation(kind: .session, subjectID: session.uuid, issuedBefore: nil, expiresAt: clock.now.addingTimeInterval(lifetime))
    }

    /// The same for the access of an account by the tokens that were issued before a moment.
    func revocation(of account: Identifier<Account>, before moment: Date) -> Revocation {
        Revocation(kind: .account, subjectID: account.uuid, issuedBefore: moment, expiresAt: moment.addingTimeInterval(lifetime))
    }

    /// The same for what instances have read of a key.
    ///
    /// It is stored as if the key were an account: both end what is older, no identifier is two things', and the release before this one, which
    /// may run beside it, reads it.
    func revocation(of key: Identifier<APIKey>) -> Revocation {
        revocation(of: Identifier<Account>(key.uuid), before: clock.now)
    }

    /// Refuses the tokens concerned, in this process.
    func apply(_ revocation: Revocation) {
        let now = clock.now
        revoked.withLock { $0.add(revocation, at: now) }
    }

    func holds(_ token: TokenIdentity) -> Bool { revoked.withLock { $0.holds(token) } }
    func holds(_ reading: KeyReading) -> Bool { revoked.withLock { $0.holds(reading) } }

    /// How many revocations are held. For tests.
    var count: Int { revoked.withLock { $0.count } }

    private func hear(_ entry: OutboxEntry) {
        do {
            apply(try entry.payload(as: Revocation.self))
        } catch {
            // Another release's: the key says whom it is about. To refuse too much costs a login, to refuse too little is a leak.
            guard let subject = Identifier<LoginSession>(entry.key[...]) else { return }
            apply(revocation(of: subject))
            apply(revocation(of: Identifier<Account>(subject.uuid), before: entry.createdAt))
        }
    }
}
