public import Tracing

/// The first span of a trace in this process: a request, or an attempt at a job.
public struct RootSpan: Sendable {
    let recorder: TraceRecorder
    let id: SpanID
    let parent: SpanID?
    let start: ContinuousClock.Instant
    let slow: Duration?

    /// In it the work belongs to the trace.
    public var context: ServiceContext {
        var context = ServiceContext.topLevel
        context[TraceKey.self] = trace
        return context
    }

    /// What ``Trace/current`` is in its ``context``.
    public var trace: Trace { Trace(recorder: recorder, span: id) }

    /// Whether the trace is recorded whatever becomes of it.
    public var isSampled: Bool { recorder.isSampled }

    /// Ends it; to be called once. What was not sampled is thrown away, unless it failed or was slow.
    public func end(_ detail: @autoclosure () -> some SpanDetail, failed: Bool, failure: String?) {
        let end = ContinuousClock.now
        guard isSampled || failed || slow.map({ end - start >= $0 }) ?? false else { return recorder.discard() }
        recorder.keep { lost in
            FinishedSpan(
                id: id, parent: parent, start: start, end: end, failure: failed ? failure ?? "failed" : nil,
                detail: RootDetail(detail: detail(), lost: lost))
        }
    }
}

/// A root's detail, and what it lacks.
private struct RootDetail<Detail: SpanDetail>: SpanDetail {
    let detail: Detail
    let lost: Int

    var kind: SpanKind { detail.kind }

    func describe() -> SpanDescription {
        var description = detail.describe()
        if lost > 0 { description.attributes.append(SpanValue("martlet.spans_lost", lost)) }
        return description
    }
}
