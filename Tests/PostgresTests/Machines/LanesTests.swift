import Testing

@testable import MartletPostgres

struct LanesTests {
    private var lanes = Lanes<Int>(count: 2, depth: 4)

    /// One lane with a connection, and nothing to carry.
    private mutating func openOne() {
        #expect(lanes.submit(0)?.words == "open 0")
        #expect(lanes.opened(0)?.words == "send [0] 0")
        #expect(lanes.finished(0)?.words == nil)
        #expect(lanes.isIdle(0))
    }

    @Test mutating func oneAloneIsSentAtOnce() {
        openOne()
        #expect(lanes.submit(1)?.words == "send [1] 0")
        #expect(!lanes.isIdle(0))
        #expect(lanes.waitingCount == 0)
    }

    @Test mutating func whatComesMeanwhileGoesTogether() {
        lanes = Lanes(count: 1, depth: 4)
        openOne()
        #expect((1...4).map { lanes.submit($0)?.words } == ["send [1] 0", nil, nil, nil])
        #expect(lanes.waitingCount == 3)
        #expect(lanes.finished(0)?.words == "send [2, 3, 4] 0")
        #expect(lanes.finished(0)?.words == nil)
    }

    @Test mutating func aBatchIsBoundedAndTheRestKeepsItsOrder() {
        lanes = Lanes(count: 1, depth: 4)
        openOne()
        for job in 1...10 { _ = lanes.submit(job) }
        #expect(lanes.finished(0)?.words == "send [2, 3, 4, 5] 0")
        #expect(lanes.submit(11) == nil)
        #expect(lanes.finished(0)?.words == "send [6, 7, 8, 9] 0")
        #expect(lanes.finished(0)?.words == "send [10, 11] 0")
        #expect(lanes.waitingCount == 0)
    }

    @Test mutating func anotherLaneIsOpenedWhenTheFirstIsBusy() {
        openOne()
        #expect(lanes.submit(1)?.words == "send [1] 0")
        #expect(lanes.submit(2)?.words == "open 1")
        #expect(lanes.submit(3) == nil, "one is being opened already")
        #expect(lanes.opened(1)?.words == "send [2, 3] 1")
        #expect(lanes.submit(4) == nil, "there are no more lanes")
        #expect(lanes.finished(1)?.words == "send [4] 1")
    }

    @Test mutating func theFirstMayBeFreeBeforeTheSecondIsOpen() {
        openOne()
        _ = lanes.submit(1)
        #expect(lanes.submit(2)?.words == "open 1")
        #expect(lanes.finished(0)?.words == "send [2] 0")
        #expect(lanes.opened(1) == nil)
        #expect(lanes.isIdle(1))
    }

    @Test mutating func whoWaitsForAClosedLaneGoesWithTheNext() {
        openOne()
        _ = lanes.submit(1)
        _ = lanes.submit(2)
        #expect(lanes.closed(0) == nil, "lane 1 is being opened")
        #expect(lanes.opened(1)?.words == "send [2] 1")
        #expect(lanes.submit(3)?.words == "open 0")
        #expect(lanes.closed(1) == nil)
        #expect(lanes.opened(0)?.words == "send [3] 0")
    }

    @Test mutating func aClosedLaneIsOpenedAgainForWhoWaits() {
        lanes = Lanes(count: 1, depth: 4)
        openOne()
        _ = lanes.submit(1)
        _ = lanes.submit(2)
        #expect(lanes.closed(0)?.words == "open 0")
        #expect(lanes.opened(0)?.words == "send [2] 0")
        #expect(lanes.closed(0) == nil, "nobody waits")
        #expect(lanes.submit(3)?.words == "open 0")
    }

    @Test mutating func withoutAnyLaneTheWaitersAreTold() {
        #expect((1...3).map { lanes.submit($0)?.words } == ["open 0", nil, nil])
        #expect(lanes.failed(0) == [1, 2, 3])
        #expect(lanes.waitingCount == 0)
        #expect(lanes.submit(4)?.words == "open 0")
        #expect(lanes.failed(0) == [4])
    }

    @Test mutating func aLaneThatCannotBeOpenedHurtsNobodyWhileAnotherCarries() {
        openOne()
        _ = lanes.submit(1)
        #expect(lanes.submit(2)?.words == "open 1")
        #expect(lanes.failed(1) == [])
        #expect(lanes.finished(0)?.words == "send [2] 0")
    }

    @Test mutating func whoLeavesIsNotSent() {
        lanes = Lanes(count: 1, depth: 2)
        openOne()
        for job in 1...6 { _ = lanes.submit(job) }
        for job in [3, 6, 99] { lanes.leave { $0 == job } }
        #expect(lanes.waitingCount == 3)
        #expect(lanes.finished(0)?.words == "send [2, 4] 0")
        lanes.leave { $0 == 2 }
        lanes.leave { $0 == 5 }
        #expect(lanes.waitingCount == 0)
        #expect(lanes.finished(0) == nil)
        #expect(lanes.submit(7)?.words == "send [7] 0")
    }

    @Test mutating func whatWasSentIsNotKeptWhileOthersWait() {
        openOne()
        for job in 0..<15_000 {
            _ = lanes.submit(job)
            if job % 5 == 0 { _ = lanes.finished(0) }
        }
        #expect(lanes.waitingCount > 2000)
        #expect(lanes.keptCount <= 2 * lanes.waitingCount + 1024)
    }

    @Test mutating func laneAfterLaneGoneTheLastTellsTheWaiters() {
        openOne()
        _ = lanes.submit(1)
        #expect(lanes.submit(2)?.words == "open 1")
        #expect(lanes.failed(1) == [])
        #expect(lanes.closed(0)?.words == "open 0")
        #expect(lanes.failed(0) == [2])
    }
}

extension Lanes.Action {
    fileprivate var words: String {
        switch self {
        case .open(let lane): "open \(lane)"
        case .send(let jobs, let lane): "send \(jobs) \(lane)"
        }
    }
}
