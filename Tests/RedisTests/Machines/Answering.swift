import Testing

@testable import MartletRedis

@Suite struct Answering {
    @Test func theFirstCallOpensAConnectionAndWaitsForIt() {
        var test = TestCore()
        #expect(test.ask(1) == ["open 1"])
        #expect(test.ask(2) == [])
        #expect(test.greet(1) == ["flush 1"])
        test.flush(1)
        #expect(test.hear(1, .integer(1), .integer(2)) == ["answer 1 1", "answer 2 2"])
    }

    @Test func answersGoToTheCallsInTheirOrderHoweverManyEachHas() {
        var test = serving()
        #expect(test.ask(1, count: 2) == ["flush 1"])
        #expect(test.ask(2) == [])
        test.flush(1)
        #expect(test.hear(1, .integer(1)) == [])
        #expect(test.hear(1, .error(RedisError(text: "ERR x")), .integer(3)) == ["answer 1 1,ERR", "answer 2 3"])
    }

    @Test func anAnswerWithoutAQuestionEndsTheConnection() {
        var test = serving()
        _ = test.ask(1)
        test.flush(1)
        #expect(test.hear(1, .integer(1), .integer(2)) == ["answer 1 1", "close 1", "open 2"])
    }

    @Test func bytesThatAreNotRESPFailWhatIsInFlight() {
        var test = serving()
        _ = test.ask(1)
        #expect(test.garbled(1) == ["fail 1 the server does not speak RESP: malformedLine", "close 1", "open 2"])
        #expect(test.hear(1, .integer(1)) == [])
        #expect(test.ended(1) == [])
    }

    @Test func moreThanMayWaitIsRefusedAtOnce() {
        var test = serving(waiting: 3)
        _ = test.ask(1, count: 2)
        #expect(test.ask(2, count: 2) == ["fail 2 too many commands are waiting"])
        #expect(test.ask(3) == [])
        test.flush(1)
        _ = test.hear(1, .integer(1), .integer(1))
        #expect(test.ask(4, count: 2) == ["flush 1"])
    }

    @Test func anotherConnectionFollowsTheFirstAndTheLeastBusyIsAsked() {
        var test = TestCore(connections: 2)
        _ = test.ask(1)
        #expect(test.greet(1) == ["flush 1", "open 2"])
        #expect(test.greet(2) == [])
        #expect(test.ask(2) == ["flush 2"])
    }

    @Test func aConnectionIsPreparedBeforeItServesAnybody() {
        var test = TestCore(isPrepared: true)
        _ = test.ask(1)
        #expect(test.greet(1) == ["prepare 1"])
        #expect(test.ask(2, on: 1) == ["flush 1"])
        test.flush(1)
        #expect(test.hear(1, .integer(7)) == ["answer 2 7"])
        #expect(test.prepared(1) == ["flush 1"])
        test.flush(1)
        #expect(test.hear(1, .integer(8)) == ["answer 1 8"])
    }

    @Test func aConnectionThatCannotBePreparedIsGivenUp() {
        var test = TestCore(isPrepared: true)
        _ = test.ask(1)
        _ = test.greet(1)
        #expect(test.unprepared(1) == ["close 1", "fail 1 a new connection could not be prepared", "away"])
        #expect(test.nextLook == 50)
    }

    @Test func aServerThatIsNoLongerTheOneToWriteToIsLeft() {
        var test = serving()
        _ = test.ask(1)
        _ = test.ask(2)
        test.flush(1)
        let told = test.hear(1, .error(RedisError(text: "READONLY You can't write against a read only replica.")))
        #expect(told == ["answer 1 READONLY", "fail 2 the server refused the connection: READONLY", "close 1", "open 2"])
    }

    @Test func closingFailsWhatWaitsAndEndsWhenTheLastConnectionHasEnded() {
        var test = serving()
        _ = test.ask(1)
        #expect(test.close() == ["fail 1 the client is closed", "close 1", "away"])
        #expect(test.ask(2) == ["fail 2 the client is closed"])
        #expect(test.ended(1) == ["ended"])
        var unused = TestCore()
        #expect(unused.close() == ["away", "ended"])
    }

    private func serving(waiting: Int = 100) -> TestCore {
        var test = TestCore(waiting: waiting)
        _ = test.ask(0)
        _ = test.greet(1)
        test.flush(1)
        _ = test.hear(1, .integer(0))
        return test
    }
}
