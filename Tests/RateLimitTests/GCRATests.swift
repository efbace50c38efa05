import MartletRateLimit
import MartletTestSupport
import Testing

@Suite("The rate algorithm")
struct RateAlgorithm {
    private static let second: Int64 = 1_000_000

    struct Step: Sendable, CustomTestStringConvertible {
        let rate: Rate
        let weight: Int
        /// What was kept, relative to now.
        let ahead: Int64?
        let admits: Bool
        let remaining: Int
        let retryAfter: Duration
        var testDescription: String { "\(rate.calls) per \(rate.period), weight \(weight), \(ahead.map(String.init) ?? "nothing") kept" }
    }

    @Test(arguments: [
        Step(rate: Rate(5, per: .seconds(5)), weight: 1, ahead: nil, admits: true, remaining: 4, retryAfter: .zero),
        Step(rate: Rate(5, per: .seconds(5)), weight: 1, ahead: -1, admits: true, remaining: 4, retryAfter: .zero),
        Step(rate: Rate(5, per: .seconds(5)), weight: 1, ahead: 4_000_000, admits: true, remaining: 0, retryAfter: .zero),
        Step(rate: Rate(5, per: .seconds(5)), weight: 1, ahead: 4_000_001, admits: false, remaining: 0, retryAfter: .microseconds(1)),
        Step(rate: Rate(5, per: .seconds(5)), weight: 1, ahead: 5_000_000, admits: false, remaining: 0, retryAfter: .seconds(1)),
        Step(rate: Rate(5, per: .seconds(5)), weight: 3, ahead: 2_000_000, admits: true, remaining: 0, retryAfter: .zero),
        Step(rate: Rate(5, per: .seconds(5)), weight: 3, ahead: 2_500_000, admits: false, remaining: 2, retryAfter: .milliseconds(500)),
        Step(rate: Rate(5, per: .seconds(5)), weight: 0, ahead: 5_000_000, admits: true, remaining: 0, retryAfter: .zero),
        Step(rate: Rate(5, per: .seconds(5)), weight: 99, ahead: nil, admits: true, remaining: 0, retryAfter: .zero),
        Step(rate: Rate(5, per: .seconds(5)), weight: 99, ahead: 1, admits: false, remaining: 4, retryAfter: .microseconds(1)),
        Step(rate: Rate(1, per: .seconds(60)), weight: 1, ahead: nil, admits: true, remaining: 0, retryAfter: .zero),
        // A clock that was set back by a day, and a rate that was lowered: as if all had been taken, no more.
        Step(rate: Rate(5, per: .seconds(5)), weight: 1, ahead: 86_400_000_000, admits: false, remaining: 0, retryAfter: .seconds(1)),
        Step(rate: Rate(5, per: .seconds(5)), weight: 1, ahead: .max, admits: false, remaining: 0, retryAfter: .seconds(1)),
        Step(rate: Rate(5, per: .seconds(5)), weight: 1, ahead: .min, admits: true, remaining: 4, retryAfter: .zero),
        Step(rate: Rate(5, per: .seconds(5)), weight: .max, ahead: nil, admits: true, remaining: 0, retryAfter: .zero),
        Step(rate: Rate(5, per: .seconds(5)), weight: .min, ahead: nil, admits: true, remaining: 5, retryAfter: .zero),
    ])
    func decidesByWhatWasKept(step: Step) {
        for now in [0, 1, Self.second, 1_800_000_000 * Self.second, Int64.max, .max - 1, .min] {
            let limit = GCRA(step.rate)
            let (arrival, isBeyond) = now.addingReportingOverflow(step.ahead ?? 0)
            guard !isBeyond else { continue }
            let debt = limit.debt(step.ahead == nil ? nil : arrival, at: now)
            let decision = limit.decision(step.weight, on: debt, isTaken: limit.admits(step.weight, on: debt))
            #expect(decision.isAdmitted == step.admits, "at \(now)")
            #expect(decision.remaining == step.remaining, "at \(now)")
            #expect(decision.retryAfter == step.retryAfter, "at \(now)")
        }
    }

    @Test func givesBackNoFasterThanDeclaredWhenTheIntervalIsNoWholeMicrosecond() {
        #expect(GCRA(Rate(7, per: .seconds(1))).interval == 142_858)
        #expect(GCRA(Rate(1_000_000_000, per: .milliseconds(1))).interval == 1)
        #expect(GCRA(Rate(1, per: .seconds(366 * 86_400))).capacity == 366 * 86_400 * Self.second)
    }

    @Test func atTheEndOfTimeNothingOverflows() {
        let limit = GCRA(Rate(1_000_000_000, per: .seconds(366 * 86_400)))
        for (arrival, now) in [(Int64.max, Int64.min), (.min, .max), (.max, .max), (.min, .min)] {
            let debt = limit.debt(arrival, at: now)
            #expect((0...limit.capacity).contains(debt))
            #expect(limit.arrival(after: limit.capacity, at: now) >= now)
        }
    }

    @Test(arguments: 0..<200 as Range<UInt64>)
    func agreesWithABucketThatIsRefilledByTheMicrosecond(seed: UInt64) {
        var numbers = SeededNumbers(seed: seed)
        let rate = Rate(Int.random(in: 1...12, using: &numbers), per: .microseconds(Int64.random(in: 1000...20_000, using: &numbers)))
        var (bucket, kept, now) = (Bucket(rate), Int64?.none, Int64.random(in: 0...(.max / 2), using: &numbers))
        let limit = GCRA(rate)
        for _ in 0..<300 {
            now += Int64.random(in: 0...(2 * limit.interval), using: &numbers) * Int64.random(in: 0...1, using: &numbers)
            let weight = Int.random(in: 1...3, using: &numbers)
            let debt = limit.debt(kept, at: now)
            let decision = limit.decision(weight, on: debt, isTaken: limit.admits(weight, on: debt))
            #expect(decision.isAdmitted == bucket.take(weight, at: now))
            if decision.isAdmitted { kept = limit.arrival(after: debt + limit.cost(of: weight), at: now) }
            #expect(decision.remaining == bucket.whole)
        }
    }

    @Test(arguments: 0..<50 as Range<UInt64>)
    func keepsItsBoundOverEverySpan(seed: UInt64) {
        var numbers = SeededNumbers(seed: seed)
        let rate = Rate(Int.random(in: 1...9, using: &numbers), per: .milliseconds(Int64.random(in: 1...9, using: &numbers)))
        let limit = GCRA(rate)
        var (kept, now, admitted) = (Int64?.none, Int64(0), [Int64]())
        for _ in 0..<400 {
            now += Int64.random(in: 0...limit.interval, using: &numbers)
            let debt = limit.debt(kept, at: now)
            guard limit.admits(1, on: debt) else { continue }
            kept = limit.arrival(after: debt + limit.cost(of: 1), at: now)
            admitted.append(now)
        }
        for (first, begin) in admitted.enumerated() {
            for (last, end) in admitted.enumerated().dropFirst(first) {
                #expect(Int64(last - first + 1) <= Int64(rate.calls) + (end - begin) / limit.interval)
            }
        }
        #expect(admitted.count > rate.calls, "nothing was ever given back")
    }

    @Test func whoWaitsAsLongAsToldIsAdmittedAndNotAMicrosecondSooner() {
        let limit = GCRA(Rate(3, per: .seconds(1)))
        let debt = limit.capacity
        let wait = limit.decision(2, on: debt, isTaken: false).retryAfter / .microseconds(1)
        #expect(limit.admits(2, on: debt - Int64(wait)))
        #expect(!limit.admits(2, on: debt - Int64(wait) + 1))
    }
}

/// The simplest limit: a number of microseconds' worth of calls, refilled up to the brim.
private struct Bucket {
    private let (interval, size): (Int64, Int64)
    private var (level, time): (Int64, Int64)

    init(_ rate: Rate) {
        let limit = GCRA(rate)
        (interval, size) = (limit.interval, limit.interval * Int64(rate.calls))
        (level, time) = (size, 0)
    }

    var whole: Int { Int(level / interval) }

    mutating func take(_ weight: Int, at now: Int64) -> Bool {
        level = min(size, level + min(size, now - time))
        time = now
        let cost = interval * min(Int64(weight), size / interval)
        guard level >= cost else { return false }
        level -= cost
        return true
    }
}
