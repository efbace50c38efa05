import Metrics
public import NIOCore
public import ServiceLifecycle
import Synchronization

/// Asks every event loop and Swift's own pool from time to time how long a task stands in line there.
///
/// A probe that is not back is not sent again: a place that hangs costs one task, and its wait is seen while it lasts.
public final class LagProbe: Service {
    private let loops: [any EventLoop]
    private let period: Duration
    private let loopSeen: Metrics.Timer
    private let executorSeen: Metrics.Timer
    private let state: Mutex<State>

    private struct State {
        var loops: [LagWatch]
        var executor = LagWatch()
    }

    /// - Parameter registry: Where the waits are counted; the longest of late is added to each scrape.
    public init(_ eventLoops: any EventLoopGroup, _ registry: MetricRegistry, every period: Duration = .seconds(1)) {
        loops = Array(eventLoops.makeIterator())
        self.period = period
        loopSeen = Metrics.Timer(label: MetricDescription.eventLoopLag.name, dimensions: [], factory: registry)
        executorSeen = Metrics.Timer(label: MetricDescription.executorLag.name, dimensions: [], factory: registry)
        state = Mutex(State(loops: Array(repeating: LagWatch(), count: loops.count)))
        registry.onScrape { [weak self] in self?.collect(into: &$0) }
    }

    /// Probes until it is told to stop.
    public func run() async {
        await cancelWhenGracefulShutdown { [self] in
            while !Task.isCancelled {
                probe()
                // Ends early only to end.
                try? await Task.sleep(for: period)
            }
        }
    }

    private func probe() {
        for (place, loop) in loops.enumerated() where state.withLock({ $0.loops[place].send(at: .now) }) {
            loop.execute { [self] in note(\.loops[place], loopSeen) }
        }
        if state.withLock({ $0.executor.send(at: .now) }) { Task { note(\.executor, executorSeen) } }
    }

    private func note(_ watch: WritableKeyPath<State, LagWatch>, _ seen: Metrics.Timer) {
        if let lag = state.withLock({ $0[keyPath: watch].arrived(at: .now) }) { seen.recordNanoseconds(lag.nanoseconds) }
    }

    private func collect(into scrape: inout Scrape) {
        let (loops, executor) = state.withLock { state in
            (state.loops.map { $0.worst(at: .now) }.max() ?? .zero, state.executor.worst(at: .now))
        }
        scrape.set(.eventLoopLagWorst, loops / .seconds(1))
        scrape.set(.executorLagWorst, executor / .seconds(1))
    }
}

/// What is known of one place where tasks stand in line: a pure state machine.
struct LagWatch: Sendable {
    typealias Instant = ContinuousClock.Instant

    private static let window = Duration.seconds(30)
    private var sent: Instant?
    /// The longest of this window and of the one before it, so that what happened just before a window's end is not lost to the next scrape.
    private var (current, previous) = (Duration.zero, Duration.zero)
    private var windowBegan: Instant?

    /// Whether a probe is to be sent now: not while one is on the way.
    mutating func send(at now: Instant) -> Bool {
        guard sent == nil else { return false }
        sent = now
        return true
    }

    /// A probe has had its turn; returns how long it stood in line.
    mutating func arrived(at now: Instant) -> Duration? {
        guard let begun = sent else { return nil }
        sent = nil
        let lag = max(.zero, begun.duration(to: now))
        turn(at: now)
        current = max(current, lag)
        return lag
    }

    /// The longest that something has stood in line of late, or stands.
    func worst(at now: Instant) -> Duration {
        let standing = sent.map { $0.duration(to: now) } ?? .zero
        guard let windowBegan else { return max(.zero, standing) }
        let age = windowBegan.duration(to: now)
        let kept = age < Self.window ? max(current, previous) : age < Self.window * 2 ? current : .zero
        return max(kept, standing)
    }

    private mutating func turn(at now: Instant) {
        guard let began = windowBegan else { return windowBegan = now }
        let age = began.duration(to: now)
        guard age >= Self.window else { return }
        previous = age < Self.window * 2 ? current : .zero
        (current, windowBegan) = (.zero, now)
    }
}

extension Duration {
    /// Clamped to what fits.
    var nanoseconds: Int64 {
        let (seconds, attoseconds) = components
        let (product, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        let (sum, further) = product.addingReportingOverflow(attoseconds / 1_000_000_000)
        return overflow || further ? (seconds < 0 ? .min : .max) : sum
    }
}
