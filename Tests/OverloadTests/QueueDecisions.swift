import MartletTestSupport
import Testing

@testable import MartletOverload

@Suite("Who may begin under overload")
struct QueueDecisions {
    private let start = ContinuousClock.now
    private func at(_ milliseconds: Int) -> ContinuousClock.Instant { start + .milliseconds(milliseconds) }

    @Test func workBeginsWhileThereIsRoom() {
        var queue = AdmissionQueue(limit: 2)
        #expect(queue.begin(three: .reads) == [true, true, false])
        #expect(queue.isFull)
        #expect(queue.end(.reads) { at(0) } == [])
        #expect(queue.begin(three: .writes) == [true, false, false])
    }

    @Test func whoWaitsBeginsWhenWorkEnds() {
        var queue = AdmissionQueue.full(1)
        #expect(queue.enter(.reads, 1, now: at(0)) == [])
        #expect(queue.end(.reads) { at(3) } == [.begin(1, .reads)])
        #expect((queue.running, queue.queued) == (1, 0))
    }

    @Test func healthAndAdministrationAreNeverCounted() {
        var queue = AdmissionQueue.full(1)
        #expect(queue.begin(three: .vital) == [true, true, true])
        #expect(queue.running == 1)
        #expect(queue.end(.vital) { at(0) } == [])
        #expect(queue.running == 1)
    }

    @Test func theHigherClassGoesFirst() {
        var queue = AdmissionQueue.full(1, of: .bulk)
        for (ticket, kind) in [WorkClass.bulk, .reads, .writes, .login].enumerated() {
            #expect(queue.enter(kind, UInt64(ticket), now: at(0)) == [])
        }
        #expect(queue.end(.bulk) { at(1) } == [.begin(3, .login)])
        #expect(queue.end(.login) { at(1) } == [.begin(2, .writes)])
        #expect(queue.end(.writes) { at(1) } == [.begin(1, .reads)])
        #expect(queue.end(.reads) { at(1) } == [.begin(0, .bulk)])
    }

    @Test func eachClassHasASliverBeforeOthersGetMore() {
        var queue = AdmissionQueue.full(4, of: .writes)
        #expect(queue.enter(.writes, 1, now: at(0)) == [])
        #expect(queue.enter(.reads, 2, now: at(0)) == [])
        #expect(queue.end(.writes) { at(1) } == [.begin(2, .reads)])
        #expect(queue.enter(.reads, 3, now: at(1)) == [])
        #expect(queue.end(.writes) { at(2) } == [.begin(1, .writes)])
    }

    @Test func bulkHasHalfOfThePlacesAtMost() {
        var queue = AdmissionQueue(limit: 4)
        #expect(queue.begin(three: .bulk) == [true, true, false])
        #expect(queue.begin(three: .reads) == [true, true, false])
    }

    @Test func aBurstMayWaitForATenthOfASecondInItsOrder() {
        var queue = AdmissionQueue.full(1)
        #expect(queue.enter(.reads, 1, now: at(0)) == [])
        #expect(queue.enter(.reads, 2, now: at(50)) == [])
        #expect(queue.end(.reads) { at(90) } == [.begin(1, .reads)])
        #expect(queue.end(.reads) { at(95) } == [.begin(2, .reads)])
    }

    @Test func aStandingQueueRefusesSoonAndServesTheNewestFirst() {
        var queue = AdmissionQueue.full(1)
        for tick in 0...10 { _ = queue.enter(.reads, UInt64(tick), now: at(tick * 10)) }
        #expect(queue.enter(.reads, 20, now: at(104)).map(\.isRefusal) == Array(repeating: true, count: 10))
        #expect(queue.enter(.reads, 21, now: at(104)) == [])
        #expect(queue.end(.reads) { at(105) } == [.begin(21, .reads)])
        #expect(queue.look(now: at(110)) == [.refuse(10, .reads), .refuse(20, .reads)])
    }

    @Test func aQueueIsOverOnlyWhenNobodyHadToWaitForAWhile() {
        var queue = AdmissionQueue.full(1)
        for tick in 0...20 { _ = queue.enter(.reads, UInt64(tick), now: at(tick * 10)) }
        _ = queue.look(now: at(250))
        #expect(queue.queued == 0)
        // Refusing all does not make the next one a burst again…
        _ = queue.enter(.reads, 50, now: at(260))
        #expect(queue.look(now: at(266)) == [.refuse(50, .reads)])
        // …but a pause does.
        _ = queue.enter(.reads, 51, now: at(400))
        #expect(queue.look(now: at(490)) == [])
    }

    @Test func aFullQueueRefusesTheOldestOfTheLowestClass() {
        var queue = AdmissionQueue.full(1)
        for ticket in 0..<64 { #expect(queue.enter(ticket < 2 ? .bulk : .reads, UInt64(ticket), now: at(0)) == []) }
        #expect(queue.enter(.login, 64, now: at(1)) == [.refuse(0, .bulk)])
        #expect(queue.enter(.reads, 65, now: at(1)) == [.refuse(1, .bulk)])
        #expect(queue.enter(.bulk, 66, now: at(1)) == [.refuse(66, .bulk)])
    }

    @Test func whoWouldWaitInVainIsTurnedAway() {
        var queue = AdmissionQueue.full(1)
        for tick in 0...10 { _ = queue.enter(.reads, UInt64(tick), now: at(tick * 10)) }
        #expect(queue.turnsAway(.reads, now: at(100)) == false, "a burst, not yet a standing queue")
        #expect(queue.turnsAway(.reads, now: at(101)) == true)
        #expect(queue.turnsAway(.writes, now: at(101)) == false, "it goes before those who wait")
        #expect(queue.turnsAway(.vital, now: at(101)) == false)
        _ = queue.look(now: at(200))
        #expect(queue.turnsAway(.reads, now: at(200)) == false, "somebody has to wait, or places stay empty")
        for ticket: UInt64 in [20, 21] {
            #expect(queue.turnsAway(.reads, now: at(200)) == false)
            #expect(queue.enter(.reads, ticket, now: at(200)) == [])
        }
        #expect(queue.turnsAway(.reads, now: at(201)) == true)
        queue.limit = 2
        #expect(queue.turnsAway(.reads, now: at(202)) == false, "there is room")
    }

    @Test func whoeverStillWaitsHasToWait() {
        var queue = AdmissionQueue.full(1)
        _ = queue.enter(.reads, 1, now: at(0))
        #expect(queue.look(now: at(100)) == [])
        #expect(queue.look(now: at(101)) == [.refuse(1, .reads)])
        _ = queue.enter(.reads, 2, now: at(102))
        #expect(queue.look(now: at(108)) == [.refuse(2, .reads)], "those who come back at once are no new burst")
    }

    @Test func turningAwayIsWaitingToo() {
        var queue = AdmissionQueue.full(1)
        for tick in 0...10 { _ = queue.enter(.reads, UInt64(tick), now: at(tick * 10)) }
        for tick in 11...30 { #expect(queue.turnsAway(.reads, now: at(tick * 10)) == true) }
        _ = queue.look(now: at(300))
        _ = queue.enter(.reads, 50, now: at(310))
        #expect(queue.look(now: at(316)) == [.refuse(50, .reads)], "the queue has not become a burst again")
    }

    @Test func whatHasPassedItsDeadlineIsNotBegun() {
        var queue = AdmissionQueue.full(1)
        #expect(queue.enter(.reads, 1, deadline: at(10), now: at(0)) == [])
        #expect(queue.end(.reads) { at(10) } == [.refuse(1, .reads)])
        #expect((queue.running, queue.queued) == (0, 0))
    }

    @Test func afterAPauseOfTheMachineNoPlaceStaysEmpty() {
        var queue = AdmissionQueue.full(1)
        for tick in 0...12 { _ = queue.enter(.reads, UInt64(tick), now: at(tick * 10)) }
        #expect(queue.end(.reads) { at(400) } == [.begin(12, .reads)])
    }

    @Test func whoeverWaitsWhileEverythingIsLateMayWaitForLonger() {
        var queue = AdmissionQueue.full(1)
        for tick in 0...11 { _ = queue.enter(.reads, UInt64(tick), now: at(tick * 10)) }
        queue.lag = .milliseconds(20)
        #expect(queue.look(now: at(130)) == [])
        #expect(queue.look(now: at(140)) == [.refuse(11, .reads)])
    }

    @Test func whoLeftIsNotServed() {
        var queue = AdmissionQueue.full(1)
        _ = queue.enter(.reads, 1, now: at(0))
        queue.cancel(1)
        #expect(queue.end(.reads) { at(1) } == [])
        #expect(queue.queued == 0)
    }

    @Test func aHigherLimitLetsThoseBeginWhoWait() {
        var queue = AdmissionQueue.full(1)
        _ = queue.enter(.reads, 1, now: at(0))
        queue.limit = 2
        #expect(queue.look(now: at(1)) == [.begin(1, .reads)])
    }

    /// Whatever comes and goes: the counts are right, nobody is answered twice, and nobody is forgotten.
    @Test(arguments: 1...20) func nobodyIsForgottenAndNobodyAnsweredTwice(seed: UInt64) {
        var random = SeededNumbers(seed: seed)
        var queue = AdmissionQueue(limit: 5)
        var (waiting, working): (Set<UInt64>, [WorkClass]) = ([], [])
        func take(_ actions: [AdmissionQueue.Action]) {
            for action in actions {
                #expect(waiting.remove(action.ticket) != nil)
                if case .begin(_, let kind) = action { working.append(kind) }
            }
        }
        for step in 0..<2_000 {
            let now = at(step * 2)
            switch Int.random(in: 0..<5, using: &random) {
            case 0, 1:
                let kind = WorkClass.allCases.dropFirst().randomElement(using: &random) ?? .reads
                waiting.insert(UInt64(step))
                take(queue.enter(kind, UInt64(step), deadline: Bool.random(using: &random) ? now + .milliseconds(7) : nil, now: now))
            case 2: if !working.isEmpty { take(queue.end(working.removeFirst()) { now }) }
            case 3:
                if let ticket = waiting.sorted().randomElement(using: &random) {
                    queue.cancel(ticket)
                    waiting.remove(ticket)
                }
            default:
                queue.limit = Int.random(in: 1...8, using: &random)
                take(queue.look(now: now))
            }
            #expect(queue.queued == waiting.count && queue.running == working.count)
        }
        take(queue.look(now: at(10_000)))
        #expect(waiting.isEmpty)
    }
}

extension AdmissionQueue {
    static func full(_ limit: Int, of kind: WorkClass = .reads) -> AdmissionQueue {
        var queue = AdmissionQueue(limit: limit)
        for _ in 1...limit { queue.start(kind) }
        return queue
    }

    mutating func begin(three kind: WorkClass) -> [Bool] { [begin(kind), begin(kind), begin(kind)] }

    mutating func enter(_ kind: WorkClass, _ ticket: UInt64, now: Instant) -> [Action] {
        enter(kind, ticket, deadline: nil, now: now)
    }
}

extension AdmissionQueue.Action {
    var isRefusal: Bool {
        if case .refuse = self { true } else { false }
    }

    var ticket: UInt64 {
        switch self {
        case .begin(let ticket, _), .refuse(let ticket, _): ticket
        }
    }
}
