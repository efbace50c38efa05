import MartletContract
import Testing
import Tracing

@testable import MartletTelemetry

@Suite("Spans in the JSON of OTLP")
struct SpansAsOTLP {
    private struct Detail: SpanDetail {
        let kind: SpanKind
        var link: TraceParent?
        var event: ContinuousClock.Instant?

        func describe() -> SpanDescription {
            SpanDescription(
                "name",
                [
                    SpanValue("text", "a\"b\n\u{1F600}"), SpanValue("number", Int.max), SpanValue("double", .double(0.5)),
                    SpanValue("infinite", .double(.infinity)), SpanValue("flag", true), nil,
                ], events: event.map { [SpanMoment("begun", at: $0)] } ?? [], links: link.map { [$0] } ?? [])
        }
    }

    /// One that began a second after the trace and took a millisecond.
    private func exported(kind: SpanKind = .server, failure: String? = nil, hasParent: Bool = true) throws -> JSON {
        let parent = try #require(TraceParent("00-\(ReadingTraceParents.trace)-\(ReadingTraceParents.span)-01"))
        let start = ContinuousClock.now
        let recorder = TraceRecorder(
            parent.trace, isRandom: false, isSampled: true, state: TraceState("a=b"), IdentifierSource(), KeptSpans(), start: start,
            wallStart: 1_700_000_000_000_000_000)
        let span = FinishedSpan(
            id: try #require(SpanID(0xAB)), parent: hasParent ? parent.span : nil, start: start + .seconds(1),
            end: start + .seconds(1) + .milliseconds(1), failure: failure, detail: Detail(kind: kind, link: parent, event: start))
        let resource = TraceResource(service: "martlet", version: "1", environment: "test", instance: "here")
        let document = OTLPTraces.document([ExportedSpan(trace: recorder, span: span)], of: resource)
        return try WireJSON.parse(WireJSON.encode(document))
    }

    private func span(_ document: JSON) throws -> JSON {
        let group = try #require(document["resourceSpans"]?.elements.first)
        return try #require(group["scopeSpans"]?.elements.first?["spans"]?.elements.first)
    }

    @Test func haveIdentifiersAsDigitsAndTimesAsText() throws {
        let span = try span(exported())
        #expect(span["traceId"]?.text == ReadingTraceParents.trace)
        #expect(span["spanId"]?.text == "00000000000000ab")
        #expect(span["parentSpanId"]?.text == ReadingTraceParents.span)
        #expect(span["traceState"]?.text == "a=b")
        #expect(span["startTimeUnixNano"]?.text == "1700000001000000000")
        #expect(span["endTimeUnixNano"]?.text == "1700000001001000000")
        #expect(span["flags"]?.integer == 1)
        #expect(try self.span(exported(hasParent: false))["parentSpanId"] == nil)
    }

    @Test(arguments: [(SpanKind.internal, 1), (.server, 2), (.client, 3), (.producer, 4), (.consumer, 5)])
    func haveKindsAsNumbers(kind: SpanKind, number: Int) throws {
        #expect(try span(exported(kind: kind))["kind"]?.integer == number)
    }

    @Test func haveAttributesOfEachType() throws {
        let attributes = try #require(span(exported())["attributes"]?.elements)
        #expect(attributes.map { $0["key"]?.text } == ["text", "number", "double", "infinite", "flag"])
        let values = attributes.map { $0["value"] }
        #expect(values[0]?["stringValue"]?.text == "a\"b\n\u{1F600}")
        #expect(values[1]?["intValue"]?.text == "\(Int.max)")
        #expect(values[2]?["doubleValue"]?.double == 0.5)
        #expect(values[3]?["doubleValue"]?.text == "inf")
        #expect(values[4]?["boolValue"] == JSON.bool(true))
    }

    @Test func haveAStatusOnlyWhereTheyFailed() throws {
        #expect(try span(exported())["status"] == nil)
        let failed = try span(exported(failure: "bookmark_exists"))
        #expect(failed["status"]?["code"]?.integer == 2)
        #expect(failed["status"]?["message"]?.text == "bookmark_exists")
        #expect(failed["attributes"]?.elements.last?["key"]?.text == "error.type")
    }

    @Test func haveEventsAndLinks() throws {
        let span = try span(exported())
        #expect(span["events"]?.elements.first?["timeUnixNano"]?.text == "1700000000000000000")
        #expect(span["links"]?.elements.first?["traceId"]?.text == ReadingTraceParents.trace)
        #expect(span["links"]?.elements.first?["spanId"]?.text == ReadingTraceParents.span)
    }

    @Test func sayWhereTheyComeFrom() throws {
        let resource = try #require(exported()["resourceSpans"]?.elements.first?["resource"]?["attributes"]?.elements)
        #expect(
            resource.map { $0["key"]?.text } == ["service.name", "service.version", "service.instance.id", "deployment.environment.name"])
        #expect(resource.map { $0["value"]?["stringValue"]?.text } == ["martlet", "1", "here", "test"])
    }
}

extension JSON {
    fileprivate var elements: [JSON] {
        if case .array(let elements) = self { elements } else { [] }
    }
}
