/// What waits to be sent to a collector, and what to do next: a pure machine. ``TraceExporter`` runs it.
///
/// Nobody waits for it: what has no room is dropped and counted. A batch that the collector cannot take now is sent again a few times, each
/// after a longer pause, as OTLP asks (https://opentelemetry.io/docs/specs/otlp/#retryable-response-codes); meanwhile the others wait.
struct ExportQueue {
    typealias Instant = ContinuousClock.Instant

    struct Rules: Sendable {
        /// The most spans that wait, those on the way included.
        var capacity = 2_048
        var batch = 512
        /// How long a span waits at most for others to make a batch.
        var interval = Duration.seconds(5)
        /// How often a batch is sent in all.
        var attempts = 5
        var firstPause = Duration.seconds(1)
        var longestPause = Duration.seconds(30)
        /// How long the last of them may take at the end.
        var patience = Duration.seconds(5)
        /// How often it is said that something was not sent.
        var complaintEvery = Duration.seconds(60)
    }

    enum Step {
        case send([ExportedSpan])
        /// Until that moment, or until something comes when there is none.
        case wait(until: Instant?)
        case stop
    }

    /// What became of a batch that was sent.
    enum Outcome: Sendable, Equatable {
        case taken(rejected: Int)
        /// The collector does not want it; nor would it the next time.
        case refused(String)
        /// The collector cannot be reached, or asks to be tried again.
        case away(String, retryAfter: Duration?)
    }

    /// What the log is to say.
    struct Complaint: Equatable {
        let reason: String
        let dropped: Int
    }

    let rules: Rules
    private(set) var statistics = TraceStatistics()
    private var waiting: [ExportedSpan] = []
    /// When the first of those that wait came.
    private var since: Instant?
    private var current: [ExportedSpan] = []
    private var failures = 0
    private var pausedUntil: Instant?
    private var end: Instant?
    private var lastComplaint: Instant?
    private var unreported = 0

    init(rules: Rules = Rules()) { self.rules = rules }

    /// Takes spans in; returns whether whoever waits has to look again.
    mutating func add(_ spans: [ExportedSpan], at now: Instant) -> Bool {
        let room = max(0, rules.capacity - waiting.count - current.count)
        drop(spans.count - min(room, spans.count))
        guard room > 0, !spans.isEmpty else { return false }
        let before = waiting.count
        waiting += spans.prefix(room)
        if before == 0 { since = now }
        statistics.queued = waiting.count + current.count
        return before == 0 || (before < rules.batch && waiting.count >= rules.batch)
    }

    /// Sends what there is, without waiting for more, and then stops.
    mutating func close(at now: Instant) { end = end ?? now + rules.patience }

    mutating func next(at now: Instant) -> Step {
        if let end, now >= end { return giveUp() }
        if let pausedUntil, now < pausedUntil, end == nil { return .wait(until: pausedUntil) }
        if !current.isEmpty { return .send(current) }
        let isDue = since.map { now >= $0 + rules.interval } ?? false
        guard isDue || waiting.count >= rules.batch || (end != nil && !waiting.isEmpty) else {
            return end == nil ? .wait(until: since.map { $0 + rules.interval }) : .stop
        }
        current = Array(waiting.prefix(rules.batch))
        waiting.removeFirst(current.count)
        since = waiting.isEmpty ? nil : now
        return .send(current)
    }

    /// Notes what became of the batch that ``next(at:)`` gave out.
    ///
    /// - Parameter chance: From 0 to 1, so that the instances do not all come back at once.
    mutating func settle(_ outcome: Outcome, at now: Instant, chance: Double) -> Complaint? {
        switch outcome {
        case .taken(let rejected):
            let rejected = min(max(0, rejected), current.count)
            statistics.exported += current.count - rejected
            finish(dropping: rejected)
            return rejected == 0 ? nil : complaint("The collector rejected spans.", at: now)
        case .refused(let reason):
            statistics.failed += 1
            finish(dropping: current.count)
            return complaint(reason, at: now)
        case .away(let reason, let retryAfter):
            statistics.failed += 1
            failures += 1
            if failures >= rules.attempts || end != nil { finish(dropping: current.count) } else { pause(retryAfter, now, chance) }
            return complaint(reason, at: now)
        }
    }

    private mutating func pause(_ retryAfter: Duration?, _ now: Instant, _ chance: Double) {
        let planned = min(rules.firstPause * (1 << min(failures - 1, 20)), rules.longestPause) * (0.75 + chance / 2)
        pausedUntil = now + min(max(planned, retryAfter ?? .zero), rules.longestPause * 2)
    }

    private mutating func finish(dropping dropped: Int) {
        drop(dropped)
        (current, failures, pausedUntil) = ([], 0, nil)
        statistics.queued = waiting.count
    }

    private mutating func giveUp() -> Step {
        drop(waiting.count)
        waiting = []
        finish(dropping: current.count)
        return .stop
    }

    private mutating func drop(_ count: Int) {
        statistics.dropped += count
        unreported += count
    }

    private mutating func complaint(_ reason: String, at now: Instant) -> Complaint? {
        if let lastComplaint, now < lastComplaint + rules.complaintEvery { return nil }
        lastComplaint = now
        defer { unreported = 0 }
        return Complaint(reason: reason, dropped: unreported)
    }
}

/// A span on its way out, and the trace it belongs to.
struct ExportedSpan: Sendable {
    let trace: TraceRecorder
    let span: FinishedSpan
}

/// What has become of the spans that were recorded, since the start.
public struct TraceStatistics: Sendable, Hashable {
    /// Spans that the collector has taken.
    public var exported = 0
    /// Spans that it has not: there was no room, it refused them, or it was away for too long.
    public var dropped = 0
    /// Attempts to send a batch that did not succeed.
    public var failed = 0
    /// Spans that wait.
    public var queued = 0

    public init() {}
}
