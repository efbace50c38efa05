import MartletTestSupport
import Testing

@testable import MartletJobs

struct QueueSlotsTests {
    @Test func queuesTakeTurns() {
        var slots = QueueSlots([("a", 10), ("b", 10), ("c", 1)])
        let turns = (0..<6).compactMap { _ in slots.claim(limit: 2).map { "\($0.queue)\($0.count)" } }
        #expect(turns == ["a2", "b2", "c1", "a2", "b2", "a2"])
        #expect(slots.running == 0 && slots.taken == 11)
    }

    @Test func aQueueRunsNoMoreThanItsConcurrency() {
        var slots = QueueSlots([("a", 3)])
        #expect(claim(&slots, 10) == "a3")
        #expect(claim(&slots, 10) == nil)
        slots.claimed("a", wanted: 3, got: 3)
        #expect(claim(&slots, 10) == nil)
        slots.ended("a")
        #expect(slots.running(in: "a") == 2)
        #expect(claim(&slots, 10) == "a1")
    }

    @Test func anEmptyQueueIsNotAskedBeforeItIsWoken() {
        var slots = QueueSlots([("a", 3), ("b", 3)])
        #expect(claim(&slots, 3) == "a3")
        slots.claimed("a", wanted: 3, got: 1)
        #expect(claim(&slots, 2) == "b2")
        #expect(claim(&slots, 2) == "b1")
        #expect(claim(&slots, 3) == nil)
        slots.wake("b")
        #expect(claim(&slots, 3) == nil)
        slots.wake("a")
        #expect(claim(&slots, 3) == "a2")
    }

    @Test func aShortAnswerSaysNothingAboutWhatCameMeanwhile() {
        var slots = QueueSlots([("a", 3)])
        #expect(claim(&slots, 3) == "a3")
        slots.wake()
        slots.claimed("a", wanted: 3, got: 0)
        #expect(claim(&slots, 3) == "a3")
        slots.claimed("a", wanted: 3, got: 0)
        #expect(claim(&slots, 3) == nil)
    }

    @Test func nothingIsClaimedForNothing() {
        var slots = QueueSlots([("a", 0), ("b", -1)])
        #expect(claim(&slots, 3) == nil)
        var none = QueueSlots([])
        #expect(claim(&none, 3) == nil)
        var some = QueueSlots([("a", 1)])
        #expect(claim(&some, 0) == nil && claim(&some, -1) == nil)
        some.ended("a")
        some.claimed("unknown", wanted: 1, got: 1)
        #expect(some.running == 0 && claim(&some, 1) == "a1")
    }

    @Test(arguments: 1...30) func noQueueStarvesOrExceedsItsBound(seed: UInt64) throws {
        var random = SeededNumbers(seed: seed)
        let queues = (0..<Int.random(in: 1...5, using: &random)).map { ("q\($0)", Int.random(in: 1...6, using: &random)) }
        var slots = QueueSlots(queues)
        var (pending, waited, running) = ([(queue: String, count: Int)](), [String: Int](), [String: Int]())
        for _ in 0..<2_000 {
            if let claim = slots.claim(limit: Int.random(in: 1...4, using: &random)) {
                pending.append(claim)
                for (name, _) in queues { waited[name, default: 0] += 1 }
                waited[claim.queue] = 0
            }
            if let place = pending.indices.randomElement(using: &random) {
                let answered = pending.remove(at: place)
                slots.claimed(answered.queue, wanted: answered.count, got: answered.count)
                running[answered.queue, default: 0] += answered.count
            }
            for (name, most) in queues {
                if running[name, default: 0] > 0 {
                    slots.ended(name)
                    running[name, default: 0] -= 1
                }
                try #require(slots.running(in: name) == running[name, default: 0])
                let asked = pending.reduce(0) { $1.queue == name ? $0 + $1.count : $0 }
                try #require(asked + running[name, default: 0] <= most && waited[name, default: 0] <= 60)
            }
        }
    }

    private func claim(_ slots: inout QueueSlots, _ limit: Int) -> String? {
        slots.claim(limit: limit).map { "\($0.queue)\($0.count)" }
    }
}
