/// How long a value is kept.
public struct CacheTerms: Sendable, Hashable {
    /// How long it is served as it is. Each entry's own time differs from it by a tenth at most, so that not all run out at once.
    public var ttl: Duration
    /// How long it is served beyond that, while one caller's work makes a new one.
    public var stale: Duration
    /// How long it is remembered that there is nothing; `nil` for a fifth of `ttl`.
    public var missing: Duration?

    /// No entry is kept for longer, so that tags need not be remembered for ever.
    public static let longest = Duration.seconds(24 * 3600)

    public init(ttl: Duration, stale: Duration = .zero, missing: Duration? = nil) {
        (self.ttl, self.stale, self.missing) = (ttl, stale, missing)
    }

    /// How long this entry is fresh and how long it may then be served, for a number from 0 to 1.
    func lifetime(isMissing: Bool, chance: Double, spread: ClosedRange<Double>, most: Duration) -> (fresh: Duration, stale: Duration) {
        let factor = spread.lowerBound + (spread.upperBound - spread.lowerBound) * min(1, max(0, chance))
        let limit = min(most, Self.longest)
        let fresh = min(limit, max(.zero, (isMissing ? missing ?? ttl / 5 : ttl) * factor))
        return (fresh, isMissing ? .zero : max(.zero, min(stale, limit - fresh)))
    }
}

/// The moments a cache counts by, so that tests can choose them.
public struct CacheClock: Sendable {
    let read: @Sendable () -> ContinuousClock.Instant

    public init(_ read: @escaping @Sendable () -> ContinuousClock.Instant) { self.read = read }

    public static let continuous = CacheClock { ContinuousClock.now }

    var now: ContinuousClock.Instant { read() }
}
