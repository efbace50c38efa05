import Testing

@testable import MartletRedis

@Suite struct Intervals {
    private let start = ContinuousClock.now

    @Test func growAndEndAtASecond() {
        var machine = Reconnecting()
        machine.want(now: start, jitter: 1)
        #expect(machine.due == start)
        var pauses: [Duration] = []
        for _ in 0..<8 {
            machine.begin()
            machine.failed(now: start, jitter: 1)
            pauses.append(start.duration(to: machine.due ?? start))
        }
        #expect(pauses == [50, 100, 200, 400, 800, 1000, 1000, 1000].map { .milliseconds($0) })
        #expect(!machine.isPatient)
    }

    @Test func jitterShortensThem() {
        var machine = Reconnecting()
        machine.begin()
        machine.failed(now: start, jitter: 0.5)
        #expect(machine.due == start + .milliseconds(25))
    }

    @Test func theFirstAttemptAfterALossBeginsAtOnceAndCallersWait() {
        var machine = served()
        machine.lost(silent: false, lived: .seconds(1), now: start, jitter: 1)
        #expect(machine.due == start)
        #expect(machine.isPatient)
    }

    @Test func nobodyWaitsForAServerThatFellSilent() {
        var machine = served()
        machine.lost(silent: true, lived: .seconds(100), now: start, jitter: 1)
        #expect(!machine.isPatient)
        #expect(machine.due == start + .milliseconds(50))
    }

    @Test func connectionsThatEndBeforeAnyAnswerAreOpenedEverMoreSlowly() {
        var machine = served()
        var pauses: [Duration] = []
        for _ in 0..<4 {
            machine.lost(silent: false, lived: .milliseconds(1), now: start, jitter: 1)
            pauses.append(start.duration(to: machine.due ?? start))
            machine.begin()
            machine.succeeded()
        }
        #expect(pauses == [0, 50, 100, 200].map { .milliseconds($0) })
    }

    @Test func anAnswerOrALongLifeMakesThemShortAgain() {
        var machine = served()
        machine.begin()
        machine.failed(now: start, jitter: 1)
        machine.answered(now: start)
        #expect(machine.due == start)
        machine.begin()
        machine.failed(now: start, jitter: 1)
        machine.begin()
        machine.succeeded()
        machine.lost(silent: false, lived: .seconds(5), now: start, jitter: 1)
        #expect(machine.due == start && machine.isPatient)
    }

    private func served() -> Reconnecting {
        var machine = Reconnecting()
        machine.want(now: start, jitter: 1)
        machine.begin()
        machine.succeeded()
        return machine
    }
}
