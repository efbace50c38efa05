public import Tracing

/// The tracer for libraries: whatever trace the context is in takes their spans, and where there is none nothing is recorded.
///
/// It belongs to no application, so a program may make it the one of `InstrumentationSystem`, and a test give it to a client.
public struct ContextTracer: Tracer {
    public init() {}

    public func startSpan<Instant: TracerInstant>(
        _ operationName: String, context: @autoclosure () -> ServiceContext, ofKind kind: SpanKind, at instant: @autoclosure () -> Instant,
        function: String, file fileID: String, line: UInt
    ) -> TraceSpan {
        TraceSpan(operationName, in: context(), kind)
    }

    public func startAnySpan<Instant: TracerInstant>(
        _ operationName: String, context: @autoclosure () -> ServiceContext, ofKind kind: SpanKind, at instant: @autoclosure () -> Instant,
        function: String, file fileID: String, line: UInt
    ) -> any Span {
        TraceSpan(operationName, in: context(), kind)
    }

    /// Does nothing: the exporter flushes when it is shut down.
    public func forceFlush() {}

    /// Keeps a well-formed `traceparent` for ``inject(_:into:using:)``: who receives a message that belongs to no trace here passes its
    /// trace on.
    public func extract<Carrier, Extract: Extractor>(
        _ carrier: Carrier, into context: inout ServiceContext, using extractor: Extract
    ) where Extract.Carrier == Carrier {
        guard let parent = extractor.extract(key: TraceField.parent, from: carrier).flatMap({ TraceParent($0) }) else { return }
        let state = extractor.extract(key: TraceField.state, from: carrier).flatMap { TraceState($0) }
        context[RemoteParentKey.self] = RemoteParent(parent: parent, state: state)
    }

    public func inject<Carrier, Inject: Injector>(
        _ context: ServiceContext, into carrier: inout Carrier, using injector: Inject
    ) where Inject.Carrier == Carrier {
        let remote = context[RemoteParentKey.self]
        let trace = context[TraceKey.self]
        guard let parent = trace?.parent ?? remote?.parent else { return }
        injector.inject("\(parent)", forKey: TraceField.parent, into: &carrier)
        guard let state = trace == nil ? remote?.state : trace?.recorder.state else { return }
        injector.inject("\(state)", forKey: TraceField.state, into: &carrier)
    }
}

/// The fields of W3C Trace Context.
public enum TraceField {
    public static let parent = "traceparent"
    public static let state = "tracestate"
}

private struct RemoteParent: Sendable {
    let parent: TraceParent
    let state: TraceState?
}

private enum RemoteParentKey: ServiceContextKey {
    typealias Value = RemoteParent
}
