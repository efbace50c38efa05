import MartletCore
import Metrics

/// What a worker counts of its attempts. The kinds are those it has handlers for: a closed set.
struct JobMetrics: Sendable {
    enum Outcome: String, CaseIterable, Sendable {
        case done, failed, dead, cancelled, returned
        /// Another worker may have it now, or has it.
        case lost
    }

    private let running: Meter
    private let kinds: [String: KindMetrics]

    init(kinds: some Sequence<String>, _ factory: any MetricsFactory) {
        running = Meter(label: "martlet_jobs_running", dimensions: [], factory: factory)
        self.kinds = Dictionary(kinds.map { ($0, KindMetrics($0, factory)) }, uniquingKeysWith: { first, _ in first })
    }

    func began() { running.increment(by: 1.0) }

    func ended(_ kind: String, _ outcome: Outcome, after duration: Duration) {
        running.decrement(by: 1.0)
        kinds[kind]?.count(outcome, duration)
    }
}

private struct KindMetrics: Sendable {
    private let attempts: [JobMetrics.Outcome: Counter]
    private let durations: Metrics.Timer

    init(_ kind: String, _ factory: any MetricsFactory) {
        attempts = Dictionary(
            uniqueKeysWithValues: JobMetrics.Outcome.allCases.map { outcome in
                let dimensions = [("kind", kind), ("outcome", outcome.rawValue)]
                return (outcome, Counter(label: "martlet_jobs_attempts_total", dimensions: dimensions, factory: factory))
            })
        durations = Metrics.Timer(label: "martlet_jobs_attempt_seconds", dimensions: [("kind", kind)], factory: factory)
    }

    func count(_ outcome: JobMetrics.Outcome, _ duration: Duration) {
        attempts[outcome]?.increment()
        durations.recordNanoseconds(Int64(min(max(duration / .nanoseconds(1), 0), 9e18)))
    }
}

extension JobMetrics.Outcome {
    init(_ note: JobNotes.Note) {
        switch note {
        case .done: self = .done
        case .cancelled: self = .cancelled
        case .dead: self = .dead
        case .failed: self = .failed
        case .returned: self = .returned
        }
    }
}
