import Foundation
import MartletTestSupport
import Testing

@testable import MartletJobs

struct RateTests {
    private static let start = Date(timeIntervalSince1970: 1_800_000_000)
    private let start = RateTests.start

    @Test func afterAQuietTimeTheBurstBeginsAtOnceAndThenOneByOne() {
        let rate = Rate.per(minute: 6, burst: 3)
        var (granted, allowance, next) = RateAllowance.full(rate, at: start).taking(upTo: 5, rate: rate, now: start)
        #expect(granted == 3 && next == start + 10)
        (granted, allowance, next) = allowance.taking(upTo: 5, rate: rate, now: start + 9.999)
        #expect(granted == 0 && next == start + 10)
        (granted, allowance, next) = allowance.taking(upTo: 1, rate: rate, now: start + 10)
        #expect(granted == 1 && next == nil)
        (granted, allowance, next) = allowance.taking(upTo: 9, rate: rate, now: start + 1_000)
        #expect(granted == 3 && next == start + 1_010)
    }

    @Test(arguments: [
        Rate.per(second: 3), .per(second: 1_000), .per(minute: 7), .per(hour: 1), Rate(10, per: .milliseconds(333), burst: 1),
    ])
    func atTheMomentThatWasNamedThereIsAToken(rate: Rate) throws {
        var (allowance, now) = (RateAllowance(tokens: 0, at: start), start)
        for _ in 0..<1_000 {
            let early = allowance.taking(upTo: 1, rate: rate, now: now)
            if let next = early.nextAt { now = next }
            let taken = allowance.taking(upTo: 1, rate: rate, now: now)
            try #require(taken.granted == 1)
            allowance = taken.allowance
        }
    }

    @Test func aClockThatGoesBackGrantsNothing() {
        let rate = Rate.per(second: 1, burst: 10)
        let empty = RateAllowance.full(rate, at: start).taking(upTo: 10, rate: rate, now: start).allowance
        let before = empty.taking(upTo: 10, rate: rate, now: start - 3_600)
        #expect(before.granted == 0 && before.nextAt == start + 1 && before.allowance == empty)
        #expect(before.allowance.taking(upTo: 10, rate: rate, now: start + 2).granted == 2)
    }

    @Test(arguments: 1...30) func noTimeHasMoreThanItsShareAndABurst(seed: UInt64) throws {
        var random = SeededNumbers(seed: seed)
        let period = Duration.seconds(Int.random(in: 1...30, using: &random))
        let rate = Rate(.random(in: 1...50, using: &random), per: period, burst: .random(in: 1...20, using: &random))
        var (allowance, now, latest, total) = (RateAllowance.full(rate, at: start), start, start, 0)
        for _ in 0..<2_000 {
            now += .random(in: -1...1.2, using: &random)
            latest = max(latest, now)
            let wanted = Int.random(in: 0...30, using: &random)
            let taken = allowance.taking(upTo: wanted, rate: rate, now: now)
            try #require((0...wanted).contains(taken.granted) && (taken.nextAt == nil) == (taken.granted == wanted))
            (allowance, total) = (taken.allowance, total + taken.granted)
            let share = latest.timeIntervalSince(start) * Double(rate.count) / (rate.period / .seconds(1))
            try #require(Double(total) <= Double(rate.burst) + share + 1e-3)
        }
        #expect(total > rate.burst)
    }

    @Test(arguments: [Double.nan, .infinity, -.infinity, 1e300, -5]) func aRowThatMakesNoSenseGrantsNoMoreThanTheBurst(tokens: Double) {
        let taken = RateAllowance(tokens: tokens, at: start).taking(upTo: .max, rate: .per(second: 5), now: start)
        #expect(taken.granted == (tokens == 1e300 ? 5 : 0))
        #expect(RateAllowance(tokens: 5, at: start).taking(upTo: -1, rate: .per(second: 5), now: start).granted == 0)
    }
}
