import Foundation

/// How often a job that failed is tried, and the pauses between: they grow by a factor up to the longest, and a part of each is left to
/// chance, so that what failed together does not come back together.
public struct RetryPolicy: Sendable, Hashable {
    /// How often a job runs at most, the first time included; less than 1 counts as 1.
    public var attempts: Int
    /// The pause after the first attempt.
    public var base: Duration
    /// By how much each pause is longer than the one before.
    public var factor: Double
    /// No pause is longer. More than 30 years count as 30 years.
    public var longest: Duration
    /// The part of the pause that is left to chance, 0…1: with 0.5 it lasts between half and the whole.
    public var jitter: Double

    public init(attempts: Int, base: Duration = .seconds(1), factor: Double = 2, longest: Duration = .seconds(3_600), jitter: Double = 0.5)
    {
        self.attempts = attempts
        self.base = base
        self.factor = factor
        self.longest = longest
        self.jitter = jitter
    }

    /// 25 attempts over 7 to 13 hours, an hour apart at last: a dependency that is down for a night costs no job.
    public static let standard = RetryPolicy(attempts: 25)

    /// One attempt.
    public static let none = RetryPolicy(attempts: 1)

    /// The pause after an attempt, of which the first is 1; `nil` when that was the last. Any numbers are answered; wrong ones count as
    /// the nearest that make sense.
    ///
    /// - Parameter chance: A random number in 0..<1.
    public func delay(afterAttempt attempt: Int, chance: Double) -> Duration? {
        guard attempt < attempts else { return nil }
        let pause = pause(afterAttempt: attempt)
        let jitter = share(jitter)
        return .seconds(pause * (1 - jitter) + pause * jitter * share(chance))
    }

    private func pause(afterAttempt attempt: Int) -> Double {
        let base = base / .seconds(1)
        let longest = min(longest / .seconds(1), 30 * 366 * 86_400)
        guard base > 0, longest > 0 else { return 0 }
        let pause = base * pow(factor, Double(max(attempt, 1)) - 1)
        return pause < longest ? max(pause, 0) : longest
    }

    /// Also for what is not a number.
    private func share(_ value: Double) -> Double { value > 0 ? min(value, 1) : 0 }
}
