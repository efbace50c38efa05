import MartletContract
import Tracing

/// Who the spans come from.
public struct TraceResource: Sendable {
    public var service: String
    public var version: String
    public var environment: String
    /// Tells this process from others of the same service.
    public var instance: String

    public init(service: String, version: String, environment: String, instance: String) {
        (self.service, self.version, self.environment, self.instance) = (service, version, environment, instance)
    }
}

/// Spans in the JSON form of OTLP (https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding, opentelemetry-proto 1.x): identifiers
/// as hexadecimal digits, whole numbers of 64 bits as strings, kinds and codes as numbers.
enum OTLPTraces {
    static func document(_ spans: [ExportedSpan], of resource: TraceResource) -> JSON {
        let scope = JSON.members([("name", .string("martlet")), ("version", .string(resource.version))])
        let scoped = JSON.members([("scope", scope), ("spans", .array(spans.map(span)))])
        let named = [
            SpanValue("service.name", resource.service), SpanValue("service.version", resource.version),
            SpanValue("service.instance.id", resource.instance), SpanValue("deployment.environment.name", resource.environment),
        ]
        let whole = JSON.members([("resource", .members([("attributes", attributes(named))])), ("scopeSpans", .array([scoped]))])
        return .members([("resourceSpans", .array([whole]))])
    }

    private static func span(_ exported: ExportedSpan) -> JSON {
        let (trace, span) = (exported.trace, exported.span)
        let description = span.detail.describe()
        var members: [(String, JSON)] = [
            ("traceId", .string("\(trace.id)")), ("spanId", .string("\(span.id)")),
            ("flags", .number(trace.isSampled ? "1" : "0")), ("name", .string(description.name)),
            ("kind", .number("\(number(of: span.detail.kind))")),
            ("startTimeUnixNano", time(span.start, in: trace)), ("endTimeUnixNano", time(span.end, in: trace)),
        ]
        if let parent = span.parent { members.append(("parentSpanId", .string("\(parent)"))) }
        if let state = trace.state { members.append(("traceState", .string("\(state)"))) }
        let failure = span.failure.map { [SpanValue("error.type", $0)] } ?? []
        let given = description.attributes.filter { $0.name != "error.type" || failure.isEmpty }
        members.append(("attributes", attributes(given + failure)))
        if !description.events.isEmpty { members.append(("events", .array(description.events.map { event($0, in: trace) }))) }
        if !description.links.isEmpty { members.append(("links", .array(description.links.map(link)))) }
        if let code = span.failure { members.append(("status", .members([("code", .number("2")), ("message", .string(code))]))) }
        return .members(members)
    }

    private static func event(_ event: SpanMoment, in trace: TraceRecorder) -> JSON {
        .members([("name", .string(event.name)), ("timeUnixNano", time(event.at, in: trace))])
    }

    private static func link(_ link: TraceParent) -> JSON {
        .members([
            ("traceId", .string("\(link.trace)")), ("spanId", .string("\(link.span)")), ("flags", .number(link.isSampled ? "1" : "0")),
        ])
    }

    private static func time(_ instant: ContinuousClock.Instant, in trace: TraceRecorder) -> JSON { .string("\(trace.time(of: instant))") }

    private static func attributes(_ values: [SpanValue]) -> JSON {
        .array(values.map { .members([("key", .string($0.name)), ("value", value($0.value))]) })
    }

    private static func value(_ value: SpanValue.Value) -> JSON {
        switch value {
        case .text(let text): .members([("stringValue", .string(text))])
        case .integer(let number): .members([("intValue", .string("\(number)"))])
        // JSON knows no other numbers; protobuf's form has names for these.
        case .double(let number): .members([("doubleValue", number.isFinite ? .number("\(number)") : .string("\(number)"))])
        case .flag(let flag): .members([("boolValue", .bool(flag))])
        }
    }

    /// `Span.SpanKind` of opentelemetry-proto.
    private static func number(of kind: SpanKind) -> Int {
        switch kind {
        case .internal: 1
        case .server: 2
        case .client: 3
        case .producer: 4
        case .consumer: 5
        }
    }
}

extension JSON {
    fileprivate static func members(_ members: [(String, JSON)]) -> JSON { .object(members.map { Member($0.0, $0.1) }) }
}
