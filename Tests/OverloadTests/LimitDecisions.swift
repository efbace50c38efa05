import Testing

@testable import MartletOverload

@Suite("How many may be worked on")
struct LimitDecisions {
    private let limits = AdmissionLimits(floor: 4, ceiling: 1000)

    @Test func itGrowsWhileItIsUsedUpAndNothingWaits() {
        var limit = ConcurrencyLimit(limits)
        let before = limit.value
        limit.look(running: before, times: 20)
        #expect(limit.value > before * 2)
        limit.look(running: 1000, times: 1000)
        #expect(limit.value == 1000)
    }

    @Test func itStaysWhenItIsNotUsedUp() {
        var limit = ConcurrencyLimit(limits)
        let before = limit.value
        limit.look(running: 3, isWanted: false, times: 50)
        #expect(limit.value == before)
    }

    @Test func workThatWaitsForAThreadLowersItToItsFloor() {
        var limit = ConcurrencyLimit(limits)
        limit.look(lag: .milliseconds(30), running: 64, times: 1)
        #expect(limit.value == 44)
        limit.look(lag: .milliseconds(30), running: 44, times: 30)
        #expect(limit.value == 4)
    }

    @Test func onePauseOfTheMachineIsNoQueue() {
        var limit = ConcurrencyLimit(limits)
        for tick in 0..<50 {
            limit.note(
                LoadSample(lag: tick % 10 == 0 ? .milliseconds(300) : .zero, waiting: 0, interval: .milliseconds(10)), running: 3,
                ended: tick,
                isWanted: false)
        }
        #expect(limit.value == 64)
    }

    @Test func aCutBeginsFromWhatIsWorkedOnAndNotFromALimitThatNobodyReached() {
        var limit = ConcurrencyLimit(limits)
        limit.look(lag: .milliseconds(6), running: 20, times: 1)
        #expect(limit.value == 16)
    }

    @Test func waitingForTheDatabaseLowersItToWhatTheDatabaseServes() {
        var limit = ConcurrencyLimit(limits)
        // Ten connections serve; all others wait.
        for _ in 0..<100 { limit.look(waiting: max(0, limit.value - 10), running: limit.value, ended: 0, times: 1) }
        #expect((10...20).contains(limit.value))
    }

    @Test func aSlowerDatabaseThatMakesNobodyWaitChangesNothing() {
        var limit = ConcurrencyLimit(limits)
        limit.look(running: 60, isWanted: false, ended: 0, times: 100)
        #expect(limit.value == 64)
    }

    @Test func waitsOfMicrosecondsAreNone() {
        var limit = ConcurrencyLimit(limits)
        limit.look(waiting: 50, running: 60, isWanted: false, ended: 10_000, times: 20)
        #expect(limit.value == 64)
    }

    @Test func longWaitsOfAFewInAQueueLowerItThoughTheAverageIsShort() {
        var limit = ConcurrencyLimit(limits)
        // Of 100 requests in a window 30 wait, for 10 ms each.
        limit.look(waiting: 3, queued: 3, running: 9, ended: 100, times: 1)
        #expect(limit.value < 9)
    }

    @Test func writesThatGoTogetherMayWaitAsLong() {
        var limit = ConcurrencyLimit(limits)
        limit.look(waiting: 3, queued: 0, running: 9, isWanted: false, ended: 100, times: 20)
        #expect(limit.value == 64)
    }

    @Test func itBeginsWhereItIsToldToWithinItsBounds() {
        #expect(ConcurrencyLimit(AdmissionLimits(floor: 4, ceiling: 1000, start: 16)).value == 16)
        #expect(ConcurrencyLimit(AdmissionLimits(floor: 4, ceiling: 10, start: 16)).value == 10)
        #expect(ConcurrencyLimit(AdmissionLimits(floor: 20, ceiling: 1000, start: 16)).value == 20)
    }

    @Test func itGrowsSlowlyAfterACut() {
        var limit = ConcurrencyLimit(limits)
        limit.look(lag: .milliseconds(6), running: 64, times: 1)
        let cut = limit.value
        limit.look(running: 64, times: 5)
        #expect(limit.value == cut + 5)
    }

    @Test func theFloorIsNeverAboveTheCeiling() {
        #expect(AdmissionLimits(floor: 8, ceiling: 2).floor == 2)
        #expect(ConcurrencyLimit(AdmissionLimits(floor: 0, ceiling: 0)).value == 1)
    }
}

@Suite("What is told of refusing")
struct SheddingNews {
    @Test func itsBeginAndItsEndAreToldOnce() {
        let start = ContinuousClock.now
        var shedding = Shedding()
        #expect(shedding.look(refused: 0, now: start) == nil)
        #expect(shedding.look(refused: 3, now: start) == .began)
        #expect(shedding.look(refused: 9, now: start + .seconds(3)) == nil)
        #expect(shedding.look(refused: 9, now: start + .seconds(7)) == nil)
        #expect(shedding.isOn)
        #expect(shedding.look(refused: 9, now: start + .seconds(8)) == .ended(refused: 9))
        #expect(shedding.look(refused: 9, now: start + .seconds(20)) == nil)
        #expect(shedding.look(refused: 10, now: start + .seconds(21)) == .began)
        #expect(shedding.look(refused: 10, now: start + .seconds(30)) == .ended(refused: 1))
    }
}

extension ConcurrencyLimit {
    /// So many windows in which the same was seen.
    ///
    /// - Parameter ended: In each window.
    mutating func look(
        lag: Duration = .zero, waiting: Int = 0, queued: Int = 0, running: Int, isWanted: Bool = true, ended: Int = 10, times: Int
    ) {
        for tick in 0..<times * 10 {
            let sample = LoadSample(lag: lag, waiting: waiting, queued: queued, interval: .milliseconds(10))
            note(sample, running: running, ended: tick * ended / 10, isWanted: isWanted)
        }
    }
}
