import NIOHTTP1
import Testing

@testable import MartletTelemetry

@Suite("The queue of an exporter")
struct ExportQueueDecisions {
    private let start = ContinuousClock.now
    private let held = Held()

    private final class Held { var queue = ExportQueue() }

    private func spans(_ count: Int) -> [ExportedSpan] {
        let root = Traces(Traces.Settings(ratio: 1), sink: KeptSpans()).request(parent: nil, state: nil) { false }
        let span = FinishedSpan(id: root.id, parent: nil, start: start, end: start, failure: nil, detail: NamedWork("span"))
        return Array(repeating: ExportedSpan(trace: root.recorder, span: span), count: count)
    }

    /// What the next step is, in short.
    private func next(after seconds: Double) -> Next {
        switch held.queue.next(at: start + .seconds(seconds)) {
        case .send(let batch): .send(batch.count)
        case .wait(let end): .wait(end.map { $0 - start })
        case .stop: .stop
        }
    }

    private func add(_ count: Int, after seconds: Double = 0) -> Bool {
        held.queue.add(spans(count), at: start + .seconds(seconds))
    }

    private func settle(_ outcome: ExportQueue.Outcome, after seconds: Double = 0, chance: Double) -> ExportQueue.Complaint? {
        held.queue.settle(outcome, at: start + .seconds(seconds), chance: chance)
    }

    private enum Next: Equatable {
        case send(Int)
        case wait(Duration?)
        case stop
    }

    @Test func waitsForABatchOrItsTime() {
        #expect(next(after: 0) == .wait(nil))
        #expect(add(3, after: 1))
        #expect(!add(3, after: 2))
        #expect(next(after: 2) == .wait(.seconds(6)))
        #expect(next(after: 6) == .send(6))
        #expect(settle(.taken(rejected: 0), after: 6, chance: 0) == nil)
        #expect(next(after: 6) == .wait(nil))
        #expect(held.queue.statistics.exported == 6 && held.queue.statistics.queued == 0)
    }

    @Test func sendsAFullBatchAtOnce() {
        #expect(add(511))
        #expect(add(2))
        #expect(next(after: 0) == .send(512))
        _ = settle(.taken(rejected: 0), chance: 0)
        #expect(next(after: 0) == .wait(.seconds(5)))
    }

    @Test func dropsAndCountsWhatHasNoRoom() {
        _ = add(2_000)
        _ = next(after: 0)
        _ = add(100)
        #expect(held.queue.statistics.dropped == 52 && held.queue.statistics.queued == 2_048)
        #expect(!add(1))
        #expect(held.queue.statistics.dropped == 53)
    }

    @Test func triesAgainAfterGrowingPausesAndGivesUp() {
        _ = add(1)
        var (time, pauses): (Double, [Duration?]) = (5, [])
        for _ in 0..<5 {
            #expect(next(after: time) == .send(1))
            _ = settle(.away("gone", retryAfter: nil), after: time, chance: 0.5)
            guard case .wait(let end?) = next(after: time) else { break }
            pauses.append(end - .seconds(time))
            time = end / .seconds(1)
        }
        #expect(pauses == [.seconds(1), .seconds(2), .seconds(4), .seconds(8)])
        #expect(held.queue.statistics.dropped == 1 && held.queue.statistics.failed == 5 && held.queue.statistics.queued == 0)
        #expect(next(after: time) == .wait(nil))
    }

    @Test func heedsRetryAfterWithinReason() {
        _ = add(1)
        _ = next(after: 5)
        _ = settle(.away("busy", retryAfter: .seconds(20)), after: 5, chance: 0)
        #expect(next(after: 5) == .wait(.seconds(25)))
        _ = next(after: 25)
        _ = settle(.away("busy", retryAfter: .seconds(9_999)), after: 25, chance: 0)
        #expect(next(after: 25) == .wait(.seconds(85)))
    }

    @Test func doesNotRepeatWhatIsRefused() {
        _ = add(2)
        _ = next(after: 5)
        let complaint = settle(.refused("status 400"), after: 5, chance: 0)
        #expect(complaint == ExportQueue.Complaint(reason: "status 400", dropped: 2))
        #expect(next(after: 5) == .wait(nil))
        #expect(held.queue.statistics.dropped == 2 && held.queue.statistics.failed == 1)
    }

    @Test(arguments: [(-1, 0), (3, 3), (99, 4)])
    func countsWhatIsRejected(told: Int, counted: Int) {
        _ = add(4)
        _ = next(after: 5)
        _ = settle(.taken(rejected: told), chance: 0)
        #expect(held.queue.statistics.dropped == counted && held.queue.statistics.exported == 4 - counted)
    }

    @Test func complainsOnceAMinute() {
        var heard: [ExportQueue.Complaint] = []
        for second in stride(from: 0.0, to: 130, by: 10) {
            _ = add(1, after: second - 5)
            _ = next(after: second)
            if let complaint = settle(.refused("no"), after: second, chance: 0) { heard.append(complaint) }
        }
        #expect(heard.map(\.dropped) == [1, 6, 6])
    }

    @Test func sendsAllThatIsLeftAndStops() {
        _ = add(600)
        held.queue.close(at: start)
        #expect(next(after: 0) == .send(512))
        _ = settle(.taken(rejected: 0), chance: 0)
        #expect(next(after: 0) == .send(88))
        _ = settle(.taken(rejected: 0), chance: 0)
        #expect(next(after: 0) == .stop)
    }

    @Test func atTheEndItTriesEachOnceAndGivesUpInTime() {
        _ = add(1_500)
        held.queue.close(at: start)
        #expect(next(after: 0) == .send(512))
        _ = settle(.away("gone", retryAfter: .seconds(60)), after: 4, chance: 0)
        #expect(next(after: 4) == .send(512))
        _ = settle(.away("gone", retryAfter: nil), after: 6, chance: 0)
        #expect(next(after: 6) == .stop)
        #expect(held.queue.statistics.dropped == 1_500 && held.queue.statistics.queued == 0)
    }
}

@Suite("Answers of a collector")
struct AnswersOfCollectors {
    @Test(arguments: [429, 502, 503, 504] as [UInt])
    func askToBeTriedAgain(status: UInt) {
        #expect(Collector.outcome(status, ["Retry-After": "7"], []) == .away("status \(status)", retryAfter: .seconds(7)))
        #expect(
            Collector.outcome(status, ["Retry-After": "Fri, 31 Dec 1999 23:59:59 GMT"], []) == .away("status \(status)", retryAfter: nil))
    }

    @Test(arguments: [301, 400, 401, 404, 413, 500, 501] as [UInt])
    func refuseForGood(status: UInt) {
        #expect(Collector.outcome(status, [:], []) == .refused("status \(status)"))
    }

    @Test(arguments: [
        ("", 0), ("{}", 0), (#"{"partialSuccess":{"rejectedSpans":"3"}}"#, 3), (#"{"partialSuccess":{"rejectedSpans":3}}"#, 3),
        ("<html>", 0),
    ])
    func sayHowManyTheyReject(answer: String, count: Int) {
        #expect(Collector.outcome(200, [:], Array(answer.utf8)) == .taken(rejected: count))
    }
}
