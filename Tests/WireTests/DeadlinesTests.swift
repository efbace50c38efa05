import NIOCore
import Testing

@testable import MartletWire

@Suite final class KeepingDeadlines {
    private var deadlines = Deadlines(limits: WireLimits(), opened: at(0))

    @Test func aConnectionThatSaysNothingIsIdleAfterTheHeaderTimeout() {
        #expect(verdict(9.9) == nil)
        #expect(verdict(10) == .idle)
    }

    @Test func theFirstHeadIsTimedFromTheOpening() {
        deadlines.headBegan(at: at(9))
        #expect(verdict(10) == .headTooSlow)
    }

    @Test func droppingBytesIntoAHeadMovesNothing() {
        deadlines.exchangeEnded(at: at(0))
        for second in 20..<30 { deadlines.headBegan(at: at(Double(second))) }
        #expect(verdict(29.9) == nil)
        #expect(verdict(30) == .headTooSlow)
    }

    @Test func betweenRequestsTheIdleTimeRuns() {
        deadlines.exchangeEnded(at: at(5))
        #expect(verdict(64.9) == nil)
        #expect(verdict(65) == .idle)
    }

    @Test func aBodyMustKeepItsRateAfterTheGrace() {
        deadlines.bodyBegan()
        deadlines.waits(true, at: at(0))
        #expect(verdict(5) == nil)
        #expect(verdict(5.5) == .bodyTooSlow)
        deadlines.bodyArrived(10 * 1_024)
        #expect(verdict(14.9) == nil)
        #expect(verdict(15.1) == .bodyTooSlow)
    }

    @Test func aFastBodyStillEndsAtTheCap() {
        deadlines.bodyBegan()
        deadlines.waits(true, at: at(0))
        deadlines.bodyArrived(1 << 30)
        #expect(verdict(119.9) == nil)
        #expect(verdict(120) == .bodyTooSlow)
    }

    @Test func timeTheEndpointTakesIsNotThePeers() {
        deadlines.bodyBegan()
        deadlines.waits(true, at: at(0))
        deadlines.waits(false, at: at(1))
        #expect(verdict(500) == nil)
        deadlines.waits(true, at: at(500))
        #expect(verdict(504) == nil)
        #expect(verdict(505) == .bodyTooSlow)
    }

    @Test func anEndpointHasNoDeadlineHere() {
        deadlines.requestEnded()
        #expect(verdict(10_000) == nil)
    }

    @Test func aPeerThatReadsNothingIsCutOff() {
        deadlines.requestEnded()
        #expect(verdict(0, pending: 100_000, accepted: 5) == nil)
        #expect(verdict(19.9, pending: 100_000, accepted: 5) == nil)
        #expect(verdict(20, pending: 100_000, accepted: 5) == .writeStalled)
    }

    @Test func aPeerThatSipsIsCutOff() {
        deadlines.requestEnded()
        #expect(verdict(0, pending: 100_000, accepted: 0) == nil)
        #expect(verdict(20, pending: 99_000, accepted: 1_000) == .writeStalled)
    }

    @Test func aPeerThatReadsSteadilyIsNot() {
        deadlines.requestEnded()
        for step in 0..<20 { #expect(verdict(Double(step * 20), pending: 1_000_000, accepted: step * 30_000) == nil) }
    }

    @Test func theCloseLingersForAMoment() {
        deadlines.lingering(at: at(3))
        #expect(verdict(3.9) == nil)
        #expect(verdict(4) == .lingered)
    }

    private func verdict(_ second: Double, pending: Int = 0, accepted: Int = 0) -> Deadlines.Verdict? {
        deadlines.verdict(at: at(second), pending: pending, accepted: accepted)
    }
}

private func at(_ second: Double) -> NIODeadline { .uptimeNanoseconds(1_000_000_000 + UInt64(second * 1e9)) }
