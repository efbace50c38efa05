import Foundation

/// How many jobs of a queue may begin in a time, over all instances: a token bucket. After a quiet time `burst` begin at once, then they
/// come evenly; so in any one period at most `count + burst` begin.
public struct Rate: Sendable, Hashable {
    public let count: Int
    public let period: Duration
    public let burst: Int

    /// - Parameters:
    ///   - count: How many in a period, 1…1,000,000,000.
    ///   - burst: How many at once after a quiet time, 1…1,000,000,000; as many as `count` when it is not given.
    public init(_ count: Int, per period: Duration, burst: Int? = nil) {
        let numbers = 1...1_000_000_000
        precondition(numbers.contains(count) && numbers.contains(burst ?? count) && period > .zero, "a rate is 1…\(numbers.upperBound)")
        (self.count, self.period, self.burst) = (count, period, burst ?? count)
    }

    public static func per(second count: Int, burst: Int? = nil) -> Rate { Rate(count, per: .seconds(1), burst: burst) }
    public static func per(minute count: Int, burst: Int? = nil) -> Rate { Rate(count, per: .seconds(60), burst: burst) }
    public static func per(hour count: Int, burst: Int? = nil) -> Rate { Rate(count, per: .seconds(3_600), burst: burst) }

    fileprivate var perMillisecond: Double { Double(count) / (period / .milliseconds(1)) }
}

/// What is left of a rate, as a row in the database holds it. Nothing here reads a clock.
struct RateAllowance: Sendable, Equatable {
    /// How many may begin at `at`.
    var tokens: Double
    var at: Date

    /// What a queue begins with.
    static func full(_ rate: Rate, at now: Date) -> RateAllowance { RateAllowance(tokens: Double(rate.burst), at: now) }

    /// Takes up to `count` tokens.
    ///
    /// A clock that goes backwards, or another instance's that is behind, grants nothing extra: nothing comes until `at` has passed.
    /// Whole milliseconds count, so that what a database rounds is not counted twice.
    ///
    /// - Returns: How many were granted; what to store; when the next token comes, or `nil` when all were granted.
    func taking(upTo count: Int, rate: Rate, now: Date) -> (granted: Int, allowance: RateAllowance, nextAt: Date?) {
        var left = refilled(rate, now: now)
        // The sums of fractions may lie a hair below the number they make.
        let granted = min(max(0, count), Int(max(0, left.tokens + 1e-9)))
        left.tokens -= Double(granted)
        return (granted, left, granted < count ? left.at + left.wait(rate) : nil)
    }

    private func refilled(_ rate: Rate, now: Date) -> RateAllowance {
        let elapsed = max(0, (now.timeIntervalSince(at) * 1_000 + 1e-3).rounded(.down))
        let burst = Double(rate.burst)
        // A row that holds no number is empty; one that holds more than the burst was written for another rate.
        let tokens = tokens.isFinite ? min(tokens, burst) : 0
        return RateAllowance(tokens: min(burst, tokens + elapsed * rate.perMillisecond), at: at + elapsed / 1_000)
    }

    /// How long until the next whole token, in seconds, rounded up to a millisecond.
    private func wait(_ rate: Rate) -> TimeInterval {
        ((1 - tokens) / rate.perMillisecond - 1e-6).rounded(.up) / 1_000
    }
}
