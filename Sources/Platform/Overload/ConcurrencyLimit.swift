/// Between what the limit of an ``Admission`` moves.
public struct AdmissionLimits: Sendable, Hashable {
    /// However late everything is, so many may be worked on; at least 1.
    public var floor: Int
    /// However well it goes, no more.
    public var ceiling: Int
    /// Where it begins. Until an overload has been judged for the first time, so many share what there is.
    public var start: Int

    public init(floor: Int, ceiling: Int, start: Int = 64) {
        self.floor = max(1, min(floor, ceiling))
        self.ceiling = max(1, ceiling)
        self.start = min(self.ceiling, max(self.floor, start))
    }
}

/// What was seen at one moment of how long work waits.
public struct LoadSample: Sendable, Hashable {
    /// By how much a task ran later than it should have: how long work waits for a thread.
    public var lag: Duration
    /// How many calls wait for a connection to the database, or for their turn to write.
    public var waiting: Int
    /// Those of them that are served one at a time, and not together by the next group.
    public var queued: Int
    /// The time since the sample before.
    public var interval: Duration

    public init(lag: Duration, waiting: Int, queued: Int = 0, interval: Duration) {
        (self.lag, self.waiting, self.queued, self.interval) = (lag, waiting, queued, interval)
    }
}

/// How many requests may be worked on at a time: a pure state machine, fed with samples.
///
/// It looks at queues, not at CPU or latency. Work waits in two places: for a thread, which is seen as ``LoadSample/lag``, and for a
/// connection of the database, which is seen in the pool. When either wait is too long, the limit is cut in proportion to the excess, as in
/// Vegas (Brakmo and Peterson 1995), which also counts what is queued; while the limit is used up and nothing waits, it grows by its square
/// root, as in Netflix's Gradient2 (concurrency-limits, 2018), or by one soon after a cut. A database that is slower, but makes nobody wait,
/// changes nothing.
struct ConcurrencyLimit {
    struct Targets {
        /// How long work may wait for a thread, in the middle (RFC 8289 §4.4 says why 5 ms).
        var lag = Duration.milliseconds(5)
        /// Which part of all work may be waiting for a connection.
        var waiting = 0.25
        /// Waits shorter than this, on average of all requests, are none: a group of writes waits for the one before it.
        var wait = Duration.milliseconds(5)
        /// The same of waits in a queue that is served one by one. Often few of all requests stand there, so their average hides how long those do.
        var queue = Duration.milliseconds(1)
        /// How long is looked before judging.
        var window = Duration.milliseconds(100)
        /// The strongest cut.
        var cut = 0.7
        /// How many windows after a cut growth is slow.
        var caution = 10
    }

    private(set) var value: Int
    private let limits: AdmissionLimits
    private let targets: Targets
    private var window = Window()
    private var calmWindows = Int.max

    private struct Window {
        var length = Duration.zero
        var lags: [Duration] = []
        /// Seconds that requests spent waiting for the database, and in work altogether (by Little's law: a number, summed over time).
        var (waited, worked) = (0.0, 0.0)
        /// Of what was spent waiting, that in queues served one by one.
        var queued = 0.0
        var peak = 0
        var isUsedUp = false
        var endedBefore: Int?
        var ended = 0
    }

    init(_ limits: AdmissionLimits, targets: Targets = Targets()) {
        (self.limits, self.targets) = (limits, targets)
        value = limits.start
    }

    /// - Parameters:
    ///   - ended: How many requests have ended since the start.
    ///   - isWanted: Whether the limit keeps anybody from beginning.
    mutating func note(_ sample: LoadSample, running: Int, ended: Int, isWanted: Bool) {
        let seconds = sample.interval / .seconds(1)
        window.length += sample.interval
        window.lags.append(sample.lag)
        window.waited += Double(min(sample.waiting, running)) * seconds
        window.queued += Double(min(sample.queued, running)) * seconds
        window.worked += Double(running) * seconds
        window.peak = max(window.peak, running)
        window.isUsedUp = window.isUsedUp || isWanted
        if window.endedBefore == nil { window.endedBefore = ended }
        window.ended = ended - (window.endedBefore ?? ended)
        guard window.length >= targets.window else { return }
        judge()
        window = Window()
        window.endedBefore = ended
    }

    private mutating func judge() {
        if let factor = excess {
            calmWindows = 0
            value = max(limits.floor, Int(Double(min(value, window.peak)) * max(targets.cut, factor)))
        } else {
            if calmWindows < Int.max { calmWindows += 1 }
            guard window.isUsedUp else { return }
            let step = calmWindows <= targets.caution ? 1 : max(1, Int(Double(value).squareRoot()))
            value = min(limits.ceiling, value + step)
        }
    }

    /// By which factor there is too much work; `nil` when there is not.
    private var excess: Double? {
        [excessLag, excessWaiting].compactMap(\.self).min()
    }

    private var excessLag: Double? {
        let lags = window.lags.sorted()
        guard window.peak > 0, let median = lags.isEmpty ? nil : lags[lags.count / 2], median > targets.lag else { return nil }
        return targets.lag / median
    }

    private var excessWaiting: Double? {
        guard window.worked > 0 else { return nil }
        let share = window.waited / window.worked
        guard share > targets.waiting, isLong(window.waited, targets.wait) || isLong(window.queued, targets.queue) else { return nil }
        return (1 - share) / (1 - targets.waiting)
    }

    private func isLong(_ seconds: Double, _ target: Duration) -> Bool { seconds / Double(max(1, window.ended)) > target / .seconds(1) }
}
