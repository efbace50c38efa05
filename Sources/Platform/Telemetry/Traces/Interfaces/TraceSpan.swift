import Synchronization
public import Tracing

/// A span as libraries make them, by swift-distributed-tracing. Outside of a trace it keeps nothing.
///
/// What they tell passes a sieve: paths, queries and whole addresses are left out, and of errors only their names are kept.
public final class TraceSpan: Span {
    public let context: ServiceContext
    private let place: (recorder: TraceRecorder, id: SpanID, parent: SpanID)?
    private let kind: SpanKind
    private let start = ContinuousClock.now
    private let told: Mutex<Told>

    private struct Told {
        var name: String
        var attributes: SpanAttributes = [:]
        var events: [SpanMoment] = []
        var links: [TraceParent] = []
        var failure: String?
        var isEnded = false
    }

    /// How many events and links of one span are kept.
    private static let most = 32

    init(_ name: String, in context: ServiceContext, _ kind: SpanKind) {
        self.kind = kind
        told = Mutex(Told(name: name))
        guard let trace = context[TraceKey.self] else {
            (self.context, place) = (context, nil)
            return
        }
        let id = trace.recorder.newSpan()
        var inner = context
        inner[TraceKey.self] = Trace(recorder: trace.recorder, span: id)
        (self.context, place) = (inner, (trace.recorder, id, trace.span))
    }

    public var isRecording: Bool { place != nil && !told.withLock(\.isEnded) }

    public var operationName: String {
        get { told.withLock(\.name) }
        set { change { $0.name = newValue } }
    }

    public var attributes: SpanAttributes {
        get { told.withLock(\.attributes) }
        set { change { $0.attributes = newValue } }
    }

    public func setStatus(_ status: SpanStatus) {
        change { $0.failure = status.code == .error ? $0.failure ?? "failed" : nil }
    }

    public func addEvent(_ event: SpanEvent) {
        let now = ContinuousClock.now
        change { if $0.events.count < Self.most { $0.events.append(SpanMoment(event.name, at: now)) } }
    }

    public func recordError<Instant: TracerInstant>(
        _ error: any Error, attributes: SpanAttributes, at instant: @autoclosure () -> Instant
    ) {
        change { $0.failure = FailureName.of(error) }
    }

    public func addLink(_ link: SpanLink) {
        guard let parent = link.context[TraceKey.self]?.parent else { return }
        change { if $0.links.count < Self.most { $0.links.append(parent) } }
    }

    public func end<Instant: TracerInstant>(at instant: @autoclosure () -> Instant) {
        guard let place else { return }
        let ended = told.withLock { told -> Told? in
            defer { told.isEnded = true }
            return told.isEnded ? nil : told
        }
        guard let ended else { return }
        place.recorder.add(
            FinishedSpan(
                id: place.id, parent: place.parent, start: start, end: .now, failure: ended.failure,
                detail: LibraryWork(
                    kind: kind, name: ended.name, attributes: ended.attributes, events: ended.events, links: ended.links)))
    }

    /// Nobody is to hear of what is told outside of a trace, or after the end.
    private func change(_ change: (inout Told) -> Void) {
        guard place != nil else { return }
        told.withLock { if !$0.isEnded { change(&$0) } }
    }
}

/// What a library does.
private struct LibraryWork: SpanDetail {
    let kind: SpanKind
    let name: String
    let attributes: SpanAttributes
    let events: [SpanMoment]
    let links: [TraceParent]

    /// Only what is known to hold nothing that users have said.
    private static let allowed: Set<String> = [
        "http.request.method", "http.request.body.size", "http.response.body.size", "http.response.status_code", "http.status_code",
        "server.address", "server.port", "url.scheme", "error.type", "db.system.name", "db.operation.name", "rpc.system", "rpc.method",
        "rpc.service", "messaging.system",
    ]

    func describe() -> SpanDescription {
        var values: [SpanValue] = []
        attributes.forEach { name, attribute in
            guard Self.allowed.contains(name), let value = SpanValue.Value(attribute) else { return }
            values.append(SpanValue(name, value))
        }
        return SpanDescription(name, values.sorted { $0.name < $1.name }, events: events, links: links)
    }
}

extension SpanValue.Value {
    /// `nil` for lists, which none of the allowed attributes is.
    fileprivate init?(_ attribute: SpanAttribute) {
        switch attribute {
        case .string(let text): self = .text(text)
        case .stringConvertible(let value): self = .text("\(value)")
        case .int32(let number): self = .integer(Int64(number))
        case .int64(let number): self = .integer(number)
        case .double(let number): self = .double(number)
        case .bool(let flag): self = .flag(flag)
        default: return nil
        }
    }
}
