import Testing

@testable import MartletJobs

/// With a period of 60 s: renewed at 20 s, given up at 54 s, pauses of 1, 2, 4, 8 and 10 s.
struct LeaseKeeperTests {
    private let start = ContinuousClock.now

    @Test func aLeaseIsRenewedAtAThirdCountedFromTheSending() {
        var keeper = holding()
        #expect(keeper.next(at: at(5)) == .wait(until: at(20)))
        #expect(keeper.next(at: at(20)) == .renew)
        #expect(keeper.next(at: at(21)) == .wait(until: at(40)))
        keeper.renewed(sentAt: at(20))
        #expect(keeper.heldUntil == at(74))
        #expect(keeper.next(at: at(23)) == .wait(until: at(40)))
        #expect(keeper.next(at: at(40)) == .renew)
    }

    @Test func workIsGivenUpBeforeTheLeaseEndsAndANewIdentityIsTaken() {
        var keeper = holding()
        #expect(keeper.next(at: at(20)) == .renew)
        #expect(keeper.next(at: at(40)) == .renew)
        #expect(keeper.next(at: at(41)) == .wait(until: at(54)))
        #expect(keeper.isHeld(at: at(53.9)) && !keeper.isHeld(at: at(54)))
        #expect(keeper.next(at: at(54)) == .abandon)
        #expect(keeper.next(at: at(54)) == .acquire)
        #expect(!keeper.isHeld(at: at(54)))
    }

    @Test func answersForAnIdentityThatIsGoneAreIgnored() {
        var keeper = holding()
        #expect(keeper.next(at: at(20)) == .renew)
        #expect(keeper.next(at: at(54)) == .abandon)
        keeper.renewed(sentAt: at(20))
        #expect(keeper.heldUntil == nil)
        #expect(keeper.next(at: at(55)) == .acquire)
        keeper.renewed(sentAt: at(20))
        keeper.failed(sentAt: at(20), at: at(56))
        keeper.acquired(sentAt: at(0))
        #expect(keeper.next(at: at(56)) == .wait(until: at(109)))
        keeper.acquired(sentAt: at(55))
        keeper.refused(sentAt: at(20))
        keeper.failed(sentAt: at(20), at: at(57))
        #expect(keeper.next(at: at(57)) == .wait(until: at(75)))
    }

    @Test func renewalsThatFailAreSentAgainWithGrowingPauses() {
        var keeper = holding()
        var (now, pauses) = (20.0, [Double]())
        for _ in 0..<6 {
            #expect(keeper.next(at: at(now)) == .renew)
            keeper.failed(sentAt: at(now), at: at(now))
            guard case .wait(let until) = keeper.next(at: at(now)) else { break }
            pauses.append((until - at(now)) / .seconds(1))
            now += pauses.last ?? 0
        }
        #expect(pauses == [1, 2, 4, 8, 10, 9])
        #expect(keeper.next(at: at(now)) == .abandon)
    }

    @Test func aRenewalThatWasAnsweredLateStillCountsFromItsSending() {
        var keeper = holding()
        #expect(keeper.next(at: at(20)) == .renew)
        #expect(keeper.next(at: at(40)) == .renew)
        keeper.renewed(sentAt: at(40))
        keeper.renewed(sentAt: at(20))
        keeper.failed(sentAt: at(20), at: at(50))
        #expect(keeper.heldUntil == at(94))
        #expect(keeper.next(at: at(50)) == .wait(until: at(60)))
    }

    @Test func aLeaseThatIsRefusedIsLostAtOnce() {
        var keeper = holding()
        #expect(keeper.next(at: at(20)) == .renew)
        keeper.refused(sentAt: at(20))
        #expect(!keeper.isHeld(at: at(21)))
        #expect(keeper.next(at: at(21)) == .abandon)
        #expect(keeper.next(at: at(21)) == .acquire)
    }

    @Test func aFailureToTakeALeaseIsFollowedByAPause() {
        var keeper = LeaseKeeper(period: .seconds(60))
        #expect(keeper.next(at: at(0)) == .acquire)
        keeper.failed(sentAt: at(0), at: at(3))
        #expect(keeper.next(at: at(3)) == .wait(until: at(4)))
        #expect(keeper.next(at: at(4)) == .acquire)
        keeper.failed(sentAt: at(4), at: at(4))
        #expect(keeper.next(at: at(4)) == .wait(until: at(6)))
    }

    @Test func aRequestForALeaseThatIsNotAnsweredIsForgottenWhenItWouldEnd() {
        var keeper = LeaseKeeper(period: .seconds(60))
        #expect(keeper.next(at: at(0)) == .acquire)
        #expect(keeper.next(at: at(10)) == .wait(until: at(54)))
        #expect(keeper.next(at: at(54)) == .wait(until: at(55)))
        keeper.acquired(sentAt: at(0))
        #expect(keeper.heldUntil == nil)
        #expect(keeper.next(at: at(55)) == .acquire)
    }

    @Test func aLeaseIsGivenBackAtTheEnd() {
        var keeper = holding()
        keeper.shutDown()
        #expect(keeper.next(at: at(5)) == .release)
        #expect(!keeper.isHeld(at: at(5)))
        #expect(keeper.next(at: at(5)) == .stop)
        #expect(keeper.next(at: at(500)) == .stop)
    }

    @Test func oneThatEndsWithoutALeaseReleasesNothing() {
        var fresh = LeaseKeeper(period: .seconds(60))
        fresh.shutDown()
        #expect(fresh.next(at: at(0)) == .stop)
        var asking = LeaseKeeper(period: .seconds(60))
        #expect(asking.next(at: at(0)) == .acquire)
        asking.shutDown()
        #expect(asking.next(at: at(1)) == .stop)
        asking.acquired(sentAt: at(0))
        #expect(!asking.isHeld(at: at(1)) && asking.next(at: at(1)) == .stop)
    }

    @Test func workOfALostLeaseIsCancelledEvenAtTheEnd() {
        var late = holding()
        late.shutDown()
        #expect([late.next(at: at(54)), late.next(at: at(54))] == [.abandon, .stop])
        var refused = holding()
        #expect(refused.next(at: at(20)) == .renew)
        refused.refused(sentAt: at(20))
        refused.shutDown()
        #expect([refused.next(at: at(21)), refused.next(at: at(21))] == [.abandon, .stop])
    }

    private func holding() -> LeaseKeeper {
        var keeper = LeaseKeeper(period: .seconds(60))
        #expect(keeper.next(at: at(0)) == .acquire)
        keeper.acquired(sentAt: at(0))
        return keeper
    }

    private func at(_ seconds: Double) -> ContinuousClock.Instant { start + .milliseconds(Int(seconds * 1_000)) }
}
