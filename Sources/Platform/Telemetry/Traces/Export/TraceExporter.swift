import AsyncHTTPClient
public import Logging
import NIOCore
public import ServiceLifecycle
import Synchronization

/// Sends spans to a collector by OTLP over HTTP (https://opentelemetry.io/docs/specs/otlp/#otlphttp), in batches, beside the work that they tell of.
///
/// No request waits for it: what a collector that is away or slow does not take in time is dropped and counted.
public final class TraceExporter: ServiceLifecycle.Service, SpanSink {
    public struct Settings: Sendable {
        /// Where to: `http://127.0.0.1:4318/v1/traces`.
        public var url: String
        /// Fields of each request, such as a token. They are secrets.
        public var fields: [(name: String, value: String)]
        public var resource: TraceResource
        /// How long a span waits at most for others to make a batch.
        public var interval: Duration

        public init(url: String, fields: [(name: String, value: String)] = [], resource: TraceResource, interval: Duration = .seconds(5)) {
            (self.url, self.fields, self.resource, self.interval) = (url, fields, resource, interval)
        }
    }

    private let settings: Settings
    private let logger: Logger
    private let queue: Mutex<ExportQueue>
    private let bell = ExportBell()

    public init(_ settings: Settings, logger: Logger) {
        (self.settings, self.logger) = (settings, logger)
        var rules = ExportQueue.Rules()
        rules.interval = settings.interval
        queue = Mutex(ExportQueue(rules: rules))
    }

    public var statistics: TraceStatistics { queue.withLock(\.statistics) }

    func add(_ spans: [FinishedSpan], of trace: TraceRecorder) {
        let spans = spans.map { ExportedSpan(trace: trace, span: $0) }
        if queue.withLock({ $0.add(spans, at: .now) }) { bell.ring() }
    }

    /// Sends until it is shut down or its task cancelled; then it sends what is left, for five seconds at most. To be shut down after
    /// everything that is traced.
    public func run() async {
        let collector = Collector(settings.url, settings.fields)
        // A task of its own: the last spans are sent after the cancellation.
        let work = Task { await self.work(for: collector) }
        await withTaskCancellationOrGracefulShutdownHandler {
            await work.value
        } onCancelOrGracefulShutdown: {
            self.close(work)
        }
        await collector.close()
    }

    private func close(_ work: Task<Void, Never>) {
        let patience = queue.withLock { queue in
            queue.close(at: .now)
            return queue.rules.patience
        }
        bell.ring()
        Task {
            // Nothing cancels this sleep: it ends by itself.
            try? await Task.sleep(for: patience)
            work.cancel()
        }
    }

    private func work(for collector: Collector) async {
        while true {
            switch queue.withLock({ $0.next(at: .now) }) {
            case .wait(let end): await bell.wait(until: end)
            case .send(let batch): await send(batch, to: collector)
            case .stop: return
            }
        }
    }

    private func send(_ batch: [ExportedSpan], to collector: Collector) async {
        let outcome = await collector.take(OTLPTraces.document(batch, of: settings.resource))
        let complaint = queue.withLock { $0.settle(outcome, at: .now, chance: .random(in: 0...1)) }
        guard let complaint else { return }
        logger.warning("Traces could not be sent", metadata: ["cause": "\(complaint.reason)", "dropped": "\(complaint.dropped)"])
    }
}

/// Wakes whoever waits.
final class ExportBell: Sendable {
    private let state = Mutex<(isRung: Bool, waiter: CheckedContinuation<Void, Never>?)>((false, nil))

    func ring() {
        let waiter = state.withLock { state in
            defer { state.waiter = nil }
            state.isRung = state.waiter == nil
            return state.waiter
        }
        waiter?.resume()
    }

    /// Returns when it is rung, at that moment, or at once when it was rung since the last time. Only one waits at a time.
    func wait(until end: ContinuousClock.Instant?) async {
        let alarm = end.map { end in
            Task {
                guard (try? await Task.sleep(until: end, clock: .continuous)) != nil else { return }
                ring()
            }
        }
        await withCheckedContinuation { waiter in
            let isRung = state.withLock { state in
                if !state.isRung { state.waiter = waiter }
                defer { state.isRung = false }
                return state.isRung
            }
            if isRung { waiter.resume() }
        }
        alarm?.cancel()
    }
}
