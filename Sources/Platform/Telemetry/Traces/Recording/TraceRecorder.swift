import Synchronization

/// Keeps the spans of one trace in this process until it is known whether they are wanted.
///
/// A trace that was not sampled is wanted all the same when it turns out to have failed or to have been slow, so the first 64 of its spans are
/// kept until its root ends.
final class TraceRecorder: Sendable {
    let id: TraceID
    let isRandom: Bool
    let isSampled: Bool
    let state: TraceState?
    private let identifiers: IdentifierSource
    private let sink: any SpanSink
    /// The same moment on both clocks: spans are measured by one that is never set.
    private let start: ContinuousClock.Instant
    private let wallStart: UInt64
    private let kept = Mutex(Kept())

    /// How many spans are kept at a time.
    static let most = 64

    private struct Kept {
        var spans: [FinishedSpan] = []
        /// Spans for which there was no room.
        var lost = 0
        /// `nil` until it is decided.
        var isWanted: Bool?
    }

    init(
        _ id: TraceID, isRandom: Bool, isSampled: Bool, state: TraceState?, _ identifiers: IdentifierSource, _ sink: any SpanSink,
        start: ContinuousClock.Instant, wallStart: UInt64
    ) {
        (self.id, self.isRandom, self.isSampled, self.state) = (id, isRandom, isSampled, state)
        (self.identifiers, self.sink, self.start, self.wallStart) = (identifiers, sink, start, wallStart)
    }

    func newSpan() -> SpanID { identifiers.span() }

    func parent(_ span: SpanID) -> TraceParent { TraceParent(trace: id, span: span, isSampled: isSampled, isRandom: isRandom) }

    /// Nanoseconds since 1970.
    func time(of instant: ContinuousClock.Instant) -> UInt64 {
        let (seconds, attoseconds) = (instant - start).components
        return UInt64(max(0, Int64(wallStart) + seconds * 1_000_000_000 + attoseconds / 1_000_000_000))
    }

    /// Takes a span that ended. One that ends after the root is exported if the trace was.
    func add(_ span: FinishedSpan) {
        let full = kept.withLock { kept -> [FinishedSpan] in
            if let isWanted = kept.isWanted { return isWanted ? [span] : [] }
            guard kept.spans.count >= Self.most else {
                kept.spans.append(span)
                return []
            }
            guard isSampled else {
                kept.lost += 1
                return []
            }
            defer { kept.spans = [span] }
            return kept.spans
        }
        if !full.isEmpty { sink.add(full, of: self) }
    }

    /// Ends the trace here, and exports it.
    ///
    /// - Parameter root: Given how many spans were lost.
    func keep(_ root: (_ lost: Int) -> FinishedSpan) {
        let (spans, lost) = decide(isWanted: true)
        sink.add(spans + [root(lost)], of: self)
    }

    /// Ends the trace here, and throws it away.
    func discard() { _ = decide(isWanted: false) }

    private func decide(isWanted: Bool) -> ([FinishedSpan], lost: Int) {
        kept.withLock { kept in
            kept.isWanted = isWanted
            defer { kept.spans = [] }
            return (kept.spans, kept.lost)
        }
    }
}

/// Where spans go that are wanted.
protocol SpanSink: Sendable {
    /// Takes them without waiting; those for which there is no room are dropped and counted.
    func add(_ spans: [FinishedSpan], of trace: TraceRecorder)
}
