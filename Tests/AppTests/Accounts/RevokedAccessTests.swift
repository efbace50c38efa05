import Foundation
import MartletCore
import Testing

@testable import MartletIdentity

@Suite("Revocations in memory") struct RevocationsInMemory {
    private let start = Date(timeIntervalSince1970: 1_900_000_000)
    private let account = Identifier<Account>()
    private let session = Identifier<LoginSession>()

    private func token(_ session: Identifier<LoginSession>?, at seconds: TimeInterval = 0) -> TokenIdentity {
        TokenIdentity(account: account, session: session, issuedAt: start + seconds)
    }

    private func ended(before seconds: TimeInterval) -> Revocation {
        Revocation(kind: .account, subjectID: account.uuid, issuedBefore: start + seconds, expiresAt: start + seconds + 100)
    }

    @Test func aSessionEndsWithAllItsTokens() {
        var revoked = RevokedAccess()
        revoked.add(Revocation(kind: .session, subjectID: session.uuid, issuedBefore: nil, expiresAt: start + 100), at: start)
        #expect(revoked.holds(token(session, at: 50)))
        #expect(!revoked.holds(token(Identifier())))
        #expect(!revoked.holds(token(nil)), "Nobody knows its session.")
    }

    @Test func anAccountEndsWithTheTokensIssuedBefore() {
        var revoked = RevokedAccess()
        revoked.add(ended(before: 10), at: start)
        #expect(revoked.holds(token(session, at: 9.999)))
        #expect(revoked.holds(token(nil, at: 0)))
        #expect(!revoked.holds(token(session, at: 10)))
    }

    @Test func theLaterMomentCountsInWhateverOrder() {
        for moments in [[10, 20], [20, 10]] as [[TimeInterval]] {
            var revoked = RevokedAccess()
            for moment in moments { revoked.add(ended(before: moment), at: start) }
            #expect(revoked.holds(token(session, at: 15)))
            #expect(revoked.count == 1)
        }
    }

    @Test func whatIsOverIsForgottenWithinAMinute() {
        var revoked = RevokedAccess()
        revoked.add(ended(before: 0), at: start)
        for seconds in [30, 100, 161] as [TimeInterval] {
            revoked.add(
                Revocation(kind: .session, subjectID: UUID(), issuedBefore: nil, expiresAt: start + 1_000), at: start + seconds)
        }
        #expect(revoked.count == 3)
        #expect(!revoked.holds(token(session, at: -1)))
    }
}
