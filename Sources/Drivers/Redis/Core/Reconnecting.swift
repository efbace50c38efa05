/// When the next attempt to connect begins, and whether callers may wait for it: the breaker.
///
/// After a connection that served was lost, one attempt begins at once and callers wait for it, since most servers are there again. When it
/// fails, or when the server had fallen silent, they are refused at once; attempts follow at growing intervals, until a call was answered.
struct Reconnecting {
    typealias Instant = ContinuousClock.Instant

    struct Limits: Sendable {
        var shortest = Duration.milliseconds(50)
        var longest = Duration.seconds(1)
        /// A connection that lived so long tells that the server was well.
        var proven = Duration.seconds(5)
    }

    let limits: Limits
    /// Whether callers may wait for the attempt that is under way or due.
    private(set) var isPatient = true
    /// When the next attempt begins.
    private(set) var due: Instant?
    private(set) var isTrying = false
    /// Losses and failed attempts since a call was answered.
    private(set) var failures = 0

    init(limits: Limits = Limits()) { self.limits = limits }

    /// One more connection is wanted.
    ///
    /// - Parameter jitter: from 0.5 to 1, so that instances do not come all at once.
    mutating func want(now: Instant, jitter: Double) {
        guard due == nil, !isTrying else { return }
        due = failures == 0 ? now : now + pause * jitter
    }

    mutating func begin() { (due, isTrying) = (nil, true) }
    mutating func succeeded() { isTrying = false }

    mutating func failed(now: Instant, jitter: Double) {
        isTrying = false
        isPatient = false
        failures += 1
        due = now + pause * jitter
    }

    /// A connection that served is gone.
    mutating func lost(silent: Bool, lived: Duration, now: Instant, jitter: Double) {
        if silent { isPatient = false }
        guard due == nil, !isTrying else { return }
        if lived >= limits.proven { failures = 0 }
        isPatient = failures == 0 && !silent
        if silent { failures += 1 }
        want(now: now, jitter: jitter)
        if !silent { failures += 1 }
    }

    /// The server answered a call.
    mutating func answered(now: Instant) {
        guard failures > 0 else { return }
        failures = 0
        due = due.map { min($0, now) }
    }

    /// Nobody wants a connection any more.
    mutating func stop() { (due, isTrying, isPatient, failures) = (nil, false, true, 0) }

    private var pause: Duration {
        min(limits.longest, limits.shortest * (1 << min(16, max(0, failures - 1))))
    }
}
