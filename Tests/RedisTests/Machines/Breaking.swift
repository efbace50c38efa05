import Testing

@testable import MartletRedis

@Suite struct Breaking {
    @Test func anOverdueAnswerEndsTheConnectionAndNobodyWaitsForTheNext() {
        var test = serving()
        _ = test.ask(1)
        test.flush(1)
        #expect(test.nextLook == 1000)
        #expect(test.tick(after: 999) == [])
        #expect(test.tick(after: 1) == ["fail 1 no answer came in time", "close 1", "away"])
        #expect(test.ask(2) == ["fail 2 there is no connection"])
        #expect(test.nextLook == 1050)
        #expect(test.tick(after: 50) == ["open 2"])
        #expect(test.ask(3) == ["fail 3 there is no connection"])
        #expect(test.greet(2) == ["available"])
        #expect(test.ask(4) == ["flush 2"])
    }

    @Test func aPausedServerIsTriedOnceAtATime() {
        var test = serving()
        _ = test.ask(1)
        _ = test.tick(after: 1000)
        #expect(test.tick(after: 50) == ["open 2"])
        _ = test.opened(2)
        #expect(test.tick(after: 1999) == [])
        #expect(test.tick(after: 1) == ["close 2"])
        #expect(test.tick(after: 99) == [])
        #expect(test.tick(after: 1) == ["open 3"])
        #expect(test.ask(2) == ["fail 2 there is no connection"])
    }

    @Test func aLostConnectionIsOpenedAtOnceAndCallersWait() {
        var test = serving()
        _ = test.ask(1)
        #expect(test.ended(1) == ["fail 1 the connection was lost or refused", "close 1", "open 2"])
        #expect(test.ask(2) == [])
        #expect(test.ended(2) == ["close 2", "fail 2 the connection was lost or refused", "away"])
        #expect(test.ask(3) == ["fail 3 there is no connection"])
    }

    @Test func whoWaitsForTheFirstConnectionWaitsNoLongerThanForAnAnswer() {
        var test = TestCore()
        _ = test.ask(1)
        #expect(test.nextLook == 1000)
        #expect(test.tick(after: 1000) == ["fail 1 no answer came in time"])
        #expect(test.tick(after: 1000) == ["close 1", "away"])
    }

    @Test func aSilentConnectionMakesTheOthersDoubtfulUntilTheyAreHeardOf() {
        var test = TestCore(connections: 2)
        _ = test.ask(0)
        _ = test.greet(1)
        _ = test.greet(2)
        for id: UInt64 in [1, 2] { test.flush(id) }
        _ = test.hear(1, .integer(0))
        test.milliseconds = 100
        #expect(test.ask(1) == ["flush 1"])
        test.flush(1)
        #expect(test.tick(after: 1000) == ["fail 1 no answer came in time", "close 1", "flush 2", "away"])
        #expect(test.ask(2) == ["fail 2 there is no connection"])
        test.flush(2)
        #expect(test.hear(2, .text("PONG")) == ["available"])
        #expect(test.ask(3) == ["flush 2"])
    }

    @Test func aConnectionThatOpensTooLateIsClosed() {
        var test = TestCore()
        _ = test.ask(1)
        _ = test.tick(after: 2000)
        #expect(test.opened(1) == ["close 1"])
        #expect(test.ended(1) == [])
    }

    @Test func aPreparationThatTakesTooLongIsGivenUp() {
        var test = TestCore(isPrepared: true)
        _ = test.ask(1)
        _ = test.greet(1)
        _ = test.tick(after: 1000)
        #expect(test.tick(after: 1000) == ["close 1", "away"])
    }

    private func serving() -> TestCore {
        var test = TestCore()
        _ = test.ask(0)
        _ = test.greet(1)
        test.flush(1)
        _ = test.hear(1, .integer(0))
        return test
    }
}
