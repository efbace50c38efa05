/// Counts calls against limits.
public protocol RateLimiter: Sendable {
    /// Takes the call's weight from all of the limits, or from none when one of them refuses it; the decisions come in the same order.
    /// The call may go on when all of them are ``Decision/isAdmitted``.
    ///
    /// The keys must differ from one another. Safe to repeat, but each time counts. Throws a `Failure` of kind `unavailable` when the
    /// counts are kept elsewhere and that is away; the call may have been counted then.
    func take(_ demands: [Demand]) async throws -> [Decision]

    /// Whether the limits are kept as they are declared, at this moment.
    var degradation: LimiterState { get }
}

extension RateLimiter {
    public var degradation: LimiterState { .exact }
}

/// Whether limits are kept as they are declared.
public enum LimiterState: Sendable, Hashable {
    case exact
    /// What the instances share is away: each answers by ``LimitFallback``.
    case degraded
}

/// What a call wants of one limit.
public struct Demand: Sendable, Hashable {
    /// What is counted, such as `login:address:203.0.113.7`.
    public let key: String
    public let rate: Rate
    /// How many calls this one counts as.
    public let weight: Int
    public let fallback: LimitFallback

    public init(_ key: String, _ rate: Rate, weight: Int = 1, fallback: LimitFallback = .local) {
        (self.key, self.rate, self.weight, self.fallback) = (key, rate, weight, fallback)
    }
}

/// What a limit says of a call.
public struct Decision: Sendable, Hashable {
    public let isAdmitted: Bool
    /// The most calls of a burst.
    public let limit: Int
    /// How many calls of weight 1 would be admitted now.
    public let remaining: Int
    /// When all calls will have been given back, if none follow.
    public let resetAfter: Duration
    /// When the refused call would be admitted, if none come before it; zero for one that is admitted.
    public let retryAfter: Duration

    public init(isAdmitted: Bool, limit: Int, remaining: Int, resetAfter: Duration, retryAfter: Duration) {
        (self.isAdmitted, self.limit, self.remaining) = (isAdmitted, limit, remaining)
        (self.resetAfter, self.retryAfter) = (resetAfter, retryAfter)
    }
}

/// What a limit is while the counts that the instances share are away.
public enum LimitFallback: String, Sendable, CaseIterable {
    /// Each instance counts for itself, and admits its share of the limit.
    case local
    /// Every call is admitted.
    case open
    /// Every call is answered with 503.
    case closed
}
