// MartletRateLimit: who may call how often, exactly.

/// So many calls in a period.
public struct Rate: Sendable, Hashable {
    public let calls: Int
    public let period: Duration

    /// Traps for less than a call, more than a milliard of them, and periods of less than a millisecond or more than 366 days.
    public init(_ calls: Int, per period: Duration) {
        precondition((1...1_000_000_000).contains(calls), "A rate allows a call now and then.")
        precondition((.milliseconds(1) ... .seconds(366 * 86_400)).contains(period), "A rate's period is a time that one can wait for.")
        (self.calls, self.period) = (calls, period)
    }
}
