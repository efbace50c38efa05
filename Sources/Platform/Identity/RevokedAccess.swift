import Foundation
import MartletCore

/// The revocations that are not over, in memory: as many as there were within the lifetime of a token.
struct RevokedAccess {
    private var sessions: [UUID: Date] = [:]
    private var accounts: [UUID: (issuedBefore: Date, expiresAt: Date, heardAt: Date)] = [:]
    private var nextSweep = Date.distantPast

    /// How many are held.
    var count: Int { sessions.count + accounts.count }

    /// Adds what was told, perhaps again or late; a later moment counts. Once a minute those that are over are forgotten.
    mutating func add(_ revocation: Revocation, at now: Date) {
        sweep(at: now)
        guard revocation.expiresAt > now else { return }
        let (subject, expiry) = (revocation.subjectID, revocation.expiresAt)
        switch revocation.kind {
        case .session: sessions[subject] = max(sessions[subject] ?? expiry, expiry)
        case .account:
            let (known, moment) = (accounts[subject], revocation.issuedBefore ?? .distantFuture)
            accounts[subject] = (
                issuedBefore: max(known?.issuedBefore ?? moment, moment), expiresAt: max(known?.expiresAt ?? expiry, expiry),
                heardAt: max(known?.heardAt ?? now, now)
            )
        }
    }

    /// Whether a token's access was ended. A token without a session, of an earlier release, ends with its account's.
    func holds(_ token: TokenIdentity) -> Bool {
        if let session = token.session, sessions[session.uuid] != nil { return true }
        guard let account = accounts[token.account.uuid] else { return false }
        return token.issuedAt < account.issuedBefore
    }

    /// Whether what was read of a key no longer need be so, since something about the key or its account was heard after that. Both moments
    /// are of this instance's clock, so that it does not matter how far another one's is ahead.
    func holds(_ reading: KeyReading) -> Bool {
        [reading.key.uuid, reading.account.uuid].contains { accounts[$0].map { reading.at <= $0.heardAt } ?? false }
    }

    mutating func sweep(at now: Date) {
        guard now >= nextSweep else { return }
        nextSweep = now.addingTimeInterval(60)
        sessions = sessions.filter { $0.value > now }
        accounts = accounts.filter { $0.value.expiresAt > now }
    }
}

/// What of a token a revocation can be about.
struct TokenIdentity: Sendable {
    let account: Identifier<Account>
    let session: Identifier<LoginSession>?
    let issuedAt: Date
}

/// When, at the latest, it was read what a key may do.
struct KeyReading: Sendable {
    let key: Identifier<APIKey>
    let account: Identifier<Account>
    let at: Date
}
