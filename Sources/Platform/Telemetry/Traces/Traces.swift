import Tracing

/// The traces that one application records. Applications in one process know nothing of one another's.
public final class Traces: Sendable {
    public struct Settings: Sendable {
        /// The part of traces that is recorded whatever becomes of them, from 0 to 1.
        public var ratio: Double
        /// Requests that take as long are recorded in any case.
        public var slow: Duration
        public var parents: ParentTrust

        public init(ratio: Double = 0.01, slow: Duration = .seconds(1), parents: ParentTrust = .continue) {
            (self.ratio, self.slow, self.parents) = (ratio, slow, parents)
        }
    }

    private let settings: Settings
    private let sampler: Sampler
    private let identifiers: IdentifierSource
    private let sink: any SpanSink

    /// - Parameter exporter: Takes what is recorded; it has to run for anything to be sent.
    public convenience init(_ settings: Settings, exporter: TraceExporter) {
        self.init(settings, sink: exporter)
    }

    init(_ settings: Settings, sink: any SpanSink, identifiers: IdentifierSource = IdentifierSource()) {
        (self.settings, self.sink, self.identifiers) = (settings, sink, identifiers)
        sampler = Sampler(ratio: settings.ratio)
    }

    /// Begins with a request.
    ///
    /// - Parameters:
    ///   - parent: The request's field `traceparent`, if it has one.
    ///   - state: Its field `tracestate`; without a parent it means nothing.
    ///   - isTrusted: Whether the caller's word counts whether the trace is recorded, whatever the settings say.
    public func request(parent: String?, state: @autoclosure () -> String?, isTrusted: () -> Bool) -> RootSpan {
        guard settings.parents != .ignore, let parent = parent.flatMap({ TraceParent($0) }) else { return new(slow: settings.slow) }
        let isHeeded = settings.parents == .trust || isTrusted()
        let isSampled = isHeeded ? parent.isSampled : sampler.takes(identifiers.next())
        let state = state().flatMap { TraceState($0) }
        return root(parent.trace, isRandom: parent.isRandom, isSampled, state, parent: parent.span, slow: settings.slow)
    }

    /// Begins with an attempt at a job: a trace of its own, since it may run long after the one that enqueued it, and more than once. It is
    /// recorded where that one was.
    public func attempt(enqueuedBy link: TraceParent?) -> RootSpan {
        guard let link, link.isSampled else { return new(slow: nil) }
        return root(identifiers.trace(), isRandom: true, true, nil, parent: nil, slow: nil)
    }

    private func new(slow: Duration?) -> RootSpan {
        let trace = identifiers.trace()
        return root(trace, isRandom: true, sampler.takes(trace.low), nil, parent: nil, slow: slow)
    }

    private func root(
        _ trace: TraceID, isRandom: Bool, _ isSampled: Bool, _ state: TraceState?, parent: SpanID?, slow: Duration?
    ) -> RootSpan {
        let start = ContinuousClock.now
        let recorder = TraceRecorder(
            trace, isRandom: isRandom, isSampled: isSampled, state: state, identifiers, sink, start: start,
            wallStart: DefaultTracerClock.now.nanosecondsSinceEpoch)
        return RootSpan(recorder: recorder, id: identifiers.span(), parent: parent, start: start, slow: slow)
    }
}
