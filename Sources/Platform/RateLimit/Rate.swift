// MartletRateLimit: who may call how often, exactly.

/// So many calls in a period.
public struct Rate: Sendable, Hashable {
    public let calls: Int
    public let period: Duration

    public init(_ calls: Int, per period: Duration) {
        precondition(calls > 0 && period > .zero, "A rate allows a call now and then.")
        (self.calls, self.period) = (calls, period)
    }
}
