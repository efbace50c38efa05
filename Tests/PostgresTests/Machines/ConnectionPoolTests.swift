import Testing

@testable import MartletPostgres

/// What the pool decides, call by call, at instants of the tests' own.
struct ConnectionPoolTests {
    @Test func aConnectionIsOpenedForTheFirstAndLentToTheNext() {
        var pool = TestPool()
        #expect(pool.borrow("a") == ["open 1"])
        #expect(pool.opened(1) == ["lend 1 a"])
        #expect(pool.giveBack(1) == [])
        #expect(pool.borrow("b") == ["lend 1 b"])
    }

    @Test func waitersAreServedInTheOrderTheyCame() {
        var pool = TestPool(size: 1)
        #expect(["a", "b", "c"].flatMap { pool.borrow($0) } == ["open 1"])
        #expect(pool.opened(1) == ["lend 1 a"])
        #expect(pool.giveBack(1) == ["lend 1 b"])
        #expect(pool.borrow("d") == [])
        #expect(pool.giveBack(1) == ["lend 1 c"])
        #expect(pool.giveBack(1) == ["lend 1 d"])
    }

    @Test func whoLeavesIsPassedOverAndHoldsUpNobody() {
        var pool = TestPool(size: 1)
        #expect(["a", "b", "c", "d"].flatMap { pool.borrow($0) } == ["open 1"])
        #expect(pool.leave("a") == "a")
        #expect(pool.leave("c") == "c")
        #expect(pool.leave("c") == nil)
        #expect(pool.opened(1) == ["lend 1 b"])
        #expect(pool.leave("b") == nil, "its turn has come already")
        #expect(pool.giveBack(1) == ["lend 1 d"])
        #expect(pool.machine.waitingCount == 0)
    }

    @Test func aConnectionWhoseWaiterLeftIsKeptForTheNext() {
        var pool = TestPool()
        #expect(pool.borrow("a") == ["open 1"])
        #expect(pool.leave("a") == "a")
        #expect(pool.opened(1) == [])
        #expect(pool.borrow("b") == ["lend 1 b"])
    }

    @Test func beyondTheBoundIsFullAtOnce() {
        var pool = TestPool(size: 1, waiting: 2)
        #expect(["a", "b"].flatMap { pool.borrow($0) } == ["open 1"])
        #expect(pool.borrow("c") == ["refuse c full"])
        #expect(pool.opened(1) == ["lend 1 a"])
        #expect(pool.borrow("d") == [])
        #expect(pool.borrow("e") == ["refuse e full"])
        #expect(pool.leave("d") == "d")
        #expect(pool.borrow("f") == [], "a place became free")
        #expect(pool.machine.waits.refused == 2)
    }

    @Test func whoWaitsTooLongIsRefusedInOrder() {
        var pool = TestPool(size: 1, wait: 10)
        #expect(pool.borrow("a") == ["open 1"])
        #expect(pool.opened(1) == ["lend 1 a"])
        for waiter in ["b", "c", "d"] {
            pool.seconds += 1
            #expect(pool.borrow(waiter) == [])
        }
        pool.seconds = 10.9
        #expect(pool.tick() == [])
        pool.seconds = 12
        #expect(pool.machine.nextTick == pool.instant(11))
        #expect(pool.tick() == ["refuse b timedOut", "refuse c timedOut"])
        #expect(pool.giveBack(1) == ["lend 1 d"])
    }

    @Test func connectionsAreOpenedUpToSizeAndOverflow() {
        var pool = TestPool(size: 2, overflow: 1)
        #expect("abcde".flatMap { pool.borrow(String($0)) } == ["open 1", "open 2", "open 3"])
        #expect((1...3).flatMap { pool.opened($0) } == ["lend 1 a", "lend 2 b", "lend 3 c"])
        #expect(pool.giveBack(3) == ["lend 3 d"])
        #expect(pool.giveBack(1) == ["lend 1 e"])
        #expect(pool.giveBack(3) == [])
        #expect(pool.giveBack(1) == [])
        #expect(pool.machine.connectionCount == 3, "the next burst is often a moment away")
        pool.seconds += 0.9
        #expect(pool.tick() == [])
        pool.seconds += 0.1
        #expect(pool.tick() == ["close 3"])
        pool.seconds += 2
        #expect(pool.tick() == [])
        #expect(pool.machine.connectionCount == 2)
    }

    @Test func aFewAreOpenedAtTheSameMoment() {
        var pool = TestPool(size: 20, opening: 2)
        #expect("abcd".flatMap { pool.borrow(String($0)) } == ["open 1", "open 2"])
        #expect(pool.opened(1) == ["lend 1 a", "open 3"])
        #expect(pool.opened(2) == ["lend 2 b", "open 4"])
    }

    @Test func oneThatCannotBeUsedAgainMakesRoomForAnother() {
        var pool = TestPool(size: 1)
        #expect(["a", "b"].flatMap { pool.borrow($0) } == ["open 1"])
        #expect(pool.opened(1) == ["lend 1 a"])
        #expect(pool.giveBack(1, reusable: false) == ["close 1", "open 2"])
        #expect(pool.opened(2) == ["lend 2 b"])
        #expect(pool.borrow("c") == [])
        #expect(pool.lost(2) == ["open 3"])
        #expect(pool.opened(3) == ["lend 3 c"])
    }

    @Test func oneThatIsTooOldIsClosedAsItComesBack() {
        var pool = TestPool(lifetime: 100)
        #expect(pool.borrow("a") == ["open 1"])
        #expect(pool.opened(1, jitter: 0) == ["lend 1 a"])
        pool.seconds = 89
        #expect(!pool.machine.isOld(1, now: pool.now))
        pool.seconds = 90
        #expect(pool.machine.isOld(1, now: pool.now))
        #expect(pool.giveBack(1) == ["close 1"])
    }

    @Test func noOneIsLentAnOldConnection() {
        var pool = TestPool(lifetime: 100)
        #expect(pool.borrow("a") == ["open 1"])
        #expect(pool.opened(1, jitter: 1) == ["lend 1 a"])
        #expect(pool.giveBack(1) == [])
        pool.seconds = 100
        #expect(pool.borrow("b") == ["close 1", "open 2"])
    }

    @Test func theLastUsedIsLentAndTheOthersAreClosedUnused() {
        var pool = TestPool(size: 2, idle: 60)
        #expect(["a", "b"].flatMap { pool.borrow($0) } == ["open 1", "open 2"])
        #expect([1, 2].flatMap { pool.opened($0) } == ["lend 1 a", "lend 2 b"])
        #expect([1, 2].flatMap { pool.giveBack($0) } == [])
        pool.seconds = 30
        #expect(pool.borrow("c") == ["lend 2 c"])
        #expect(pool.giveBack(2) == [])
        #expect(pool.machine.nextTick == pool.instant(60))
        pool.seconds = 60
        #expect(pool.tick() == ["close 1"])
        #expect(pool.machine.nextTick == pool.instant(90))
    }

    @Test func waitsAreCountedAsTheyBeginAndTheirTimeAsTheyEnd() {
        var pool = TestPool(size: 1)
        #expect(pool.borrow("a") == ["open 1"])
        #expect(pool.machine.waits.count == 0, "it waits for nobody but its own connection")
        #expect(pool.opened(1) == ["lend 1 a"])
        #expect(["b", "c"].flatMap { pool.borrow($0) } == [])
        #expect(pool.machine.waits == .init(count: 2, refused: 0, time: .zero))
        pool.seconds = 2
        #expect(pool.giveBack(1) == ["lend 1 b"])
        pool.seconds = 5
        #expect(pool.giveBack(1) == ["lend 1 c"])
        #expect(pool.giveBack(1) == [])
        #expect(pool.borrow("d") == ["lend 1 d"])
        #expect(pool.machine.waits == .init(count: 2, refused: 0, time: .seconds(7)))
    }
}

/// When the server is away, silent, or the pool is closed.
struct ConnectionPoolOutageTests {
    @Test func whenTheServerIsAwayAllAreRefusedAndSoIsWhoComesAfterwards() {
        var pool = TestPool()
        #expect(["a", "b"].flatMap { pool.borrow($0) } == ["open 1", "open 2"])
        #expect(pool.failed(1) == ["refuse a unreachable", "refuse b unreachable"])
        #expect(pool.borrow("c") == ["refuse c unreachable"])
        #expect(pool.failed(2) == [])
        #expect(pool.machine.waits.refused == 3)
    }

    @Test func oneAttemptAfterAnotherLooksWhetherItIsBackWithGrowingPauses() {
        var pool = TestPool()
        #expect(pool.borrow("a") == ["open 1"])
        #expect(pool.failed(1, jitter: 1) == ["refuse a unreachable"])
        var pauses: [Double] = []
        for attempt in 2..<9 {
            let next = pool.machine.nextTick
            let pause = next.map { pool.now.duration(to: $0) / .seconds(1) } ?? -1
            pauses.append((pause * 1000).rounded())
            pool.seconds += pause - 0.001
            #expect(pool.tick() == [])
            pool.seconds += 0.002
            #expect(pool.tick() == ["open \(attempt)"])
            #expect(pool.tick() == [], "one at a time")
            #expect(pool.failed(ConnectionID(attempt), jitter: 1) == [])
        }
        #expect(pauses == [50, 100, 200, 400, 800, 1000, 1000])
    }

    @Test func pausesDifferByHalf() {
        var pool = TestPool()
        #expect(pool.borrow("a") == ["open 1"])
        #expect(pool.failed(1, jitter: 0) == ["refuse a unreachable"])
        #expect(pool.machine.nextTick == pool.instant(0.025))
    }

    @Test func onceBackEveryoneIsServedAgain() {
        var pool = TestPool()
        #expect(pool.borrow("a") == ["open 1"])
        #expect(pool.failed(1, jitter: 1) == ["refuse a unreachable"])
        pool.seconds = 1
        #expect(pool.tick() == ["open 2"])
        #expect(pool.opened(2) == [])
        #expect(!pool.machine.isUnreachable)
        #expect(pool.borrow("b") == ["lend 2 b"])
        #expect(pool.borrow("c") == ["open 3"])
        #expect(pool.failed(3, jitter: 1) == [], "the other connection is there")
        #expect(pool.machine.nextTick == pool.instant(1.05), "the first pause again")
    }

    @Test func aFailedAttemptBesideOthersRefusesNobody() {
        var pool = TestPool(size: 2)
        #expect(pool.borrow("a") == ["open 1"])
        #expect(pool.opened(1) == ["lend 1 a"])
        #expect(pool.borrow("b") == ["open 2"])
        #expect(pool.failed(2, jitter: 1) == [])
        #expect(pool.borrow("c") == [], "the next attempt comes after a pause")
        pool.seconds = 0.05
        #expect(pool.tick() == ["open 3", "open 4"].prefix(1).map { $0 })
        #expect(pool.giveBack(1) == ["lend 1 b"])
        #expect(pool.opened(3) == ["lend 3 c"])
    }

    @Test func aServerThatIsSilentIsAwayAlthoughItsConnectionsAreNot() {
        var pool = TestPool(size: 2)
        #expect(pool.borrow("a") == ["open 1"])
        #expect(pool.opened(1) == ["lend 1 a"])
        #expect(pool.borrow("b") == ["open 2"])
        #expect(pool.failed(2, silent: true) == ["refuse b unreachable"])
        #expect(pool.borrow("c") == ["refuse c unreachable"])
        #expect(pool.lost(1) == [])
    }

    @Test func aProbeThatFindsTheServerIsClosedUnlessSomebodyNeedsIt() {
        var pool = TestPool(size: 1, overflow: 1)
        #expect(["a", "b", "c"].flatMap { pool.borrow($0) } == ["open 1", "open 2"])
        #expect(pool.probe() == [], "an attempt is under way that tells as much")
        #expect([1, 2].flatMap { pool.opened($0) } == ["lend 1 a", "lend 2 b"])
        #expect(pool.probe() == ["open 3"])
        #expect(pool.opened(3) == ["close 3"], "c waits, but there are as many as there may be")
        #expect(pool.giveBack(1) == ["lend 1 c"])
        #expect(pool.lost(2) == [])
        #expect(pool.probe() == ["open 4"])
        #expect(pool.borrow("d") == [])
        #expect(pool.opened(4) == ["lend 4 d"])
    }

    @Test func lookingAgainAndAgainKeepsNoConnections() throws {
        var pool = TestPool(size: 5)
        #expect(pool.borrow("a") == ["open 1"])
        #expect(pool.opened(1) == ["lend 1 a"])
        for id in ConnectionID(2)..<30 {
            #expect(pool.probe() == ["open \(id)"])
            try #require(pool.opened(id) == ["close \(id)"])
        }
        #expect(pool.machine.connectionCount == 1)
    }

    @Test func closingRefusesEveryoneAndClosesWhatComesBack() {
        var pool = TestPool(size: 3)
        #expect("abc".flatMap { pool.borrow(String($0)) } == ["open 1", "open 2", "open 3"])
        #expect([1, 2].flatMap { pool.opened($0) } == ["lend 1 a", "lend 2 b"])
        #expect(pool.giveBack(1) == ["lend 1 c"])
        #expect(pool.giveBack(1) == [])
        #expect(pool.borrow("d") == ["lend 1 d"])
        #expect(pool.giveBack(1) == [])
        #expect(pool.close() == ["close 1"])
        #expect(pool.borrow("e") == ["refuse e closed"])
        #expect(pool.giveBack(2) == ["close 2"])
        #expect(pool.opened(3) == ["close 3"])
        #expect(pool.probe() == [])
        #expect(pool.machine.connectionCount == 0)
    }

    @Test func closingRefusesWhoWaits() {
        var pool = TestPool(size: 1)
        #expect(["a", "b"].flatMap { pool.borrow($0) } == ["open 1"])
        #expect(pool.close() == ["refuse a closed", "refuse b closed"])
        #expect(pool.failed(1) == [])
        #expect(pool.machine.nextTick == nil)
    }
}
