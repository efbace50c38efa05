import Logging
import MartletCore
import Testing
import Tracing

@testable import MartletTelemetry

@Suite("Recording a trace")
struct Recording {
    private let kept = KeptSpans()

    private func traced(ratio: Double = 1, _ body: (Trace) async throws -> Void) async throws {
        let root = Traces(Traces.Settings(ratio: ratio), sink: kept).request(parent: nil, state: nil) { false }
        try await ServiceContext.$current.withValue(root.context) { try await body(#require(Trace.current)) }
        root.end(NamedWork("root"), failed: false, failure: nil)
    }

    @Test func nestsWhatBeginsInAScope() async throws {
        try await traced { trace in
            try await trace.scope({ _ in NamedWork("outer") }) {
                try await #require(Trace.current).step(NamedWork("inner")) {}
            }
            try await trace.step(NamedWork("beside")) {}
        }
        #expect(kept.names == ["inner", "outer", "beside", "root"])
        #expect(kept["inner"]?.parent == kept["outer"]?.id)
        #expect(kept["outer"]?.parent == kept["root"]?.id)
        #expect(kept["beside"]?.parent == kept["root"]?.id)
        #expect(kept["root"]?.parent == nil)
        #expect(Set(kept.spans.map(\.span.id)).count == 4)
    }

    @Test func notesCodesAndNoWordsOfErrors() async throws {
        struct Secretive: Error { let secret = "canary" }
        try await traced { trace in
            await #expect(throws: Failure.self) { try await trace.step(NamedWork("failure")) { throw Failure.notFound("gone", "canary") } }
            await #expect(throws: Secretive.self) { try await trace.scope({ _ in NamedWork("error") }) { throw Secretive() } }
            await #expect(throws: CancellationError.self) { try await trace.step(NamedWork("ended")) { throw CancellationError() } }
        }
        #expect(kept["failure"]?.failure == "gone")
        #expect(kept["error"]?.failure == "Secretive")
        #expect(kept["ended"]?.failure == "cancelled")
    }

    @Test func keepsSixtyFourSpansOfWhatMayBeThrownAway() async throws {
        let root = Traces(Traces.Settings(ratio: 0), sink: kept).request(parent: nil, state: nil) { false }
        let trace = Trace(recorder: root.recorder, span: root.id)
        for _ in 0..<100 { try await trace.step(NamedWork("step")) {} }
        #expect(kept.spans.isEmpty)
        root.end(NamedWork("root"), failed: true, failure: nil)
        #expect(kept.spans.count == 65)
        let attributes = kept.spans.last?.span.detail.describe().attributes
        #expect(attributes?.contains(SpanValue("martlet.spans_lost", 36)) == true)
    }

    @Test func losesNoneOfWhatWasSampled() async throws {
        try await traced { trace in
            for _ in 0..<1_000 { try await trace.step(NamedWork("step")) {} }
        }
        #expect(kept.spans.count == 1_001)
    }

    @Test(arguments: [0.0, 1.0])
    func whatEndsLaterFollowsItsRoot(ratio: Double) async throws {
        var late: Trace?
        try await traced(ratio: ratio) { late = $0 }
        try await #require(late).step(NamedWork("late")) {}
        #expect(kept.names == (ratio == 1 ? ["root", "late"] : []))
    }

    @Test func nothingIsRecordedOutsideOfATrace() {
        #expect(Trace.current == nil)
        #expect(TraceContext.current == nil)
    }

    @Test func logLinesNameTraceAndSpan() async throws {
        let place = MemoryPlace()
        let logs = Logs(into: place)
        try await traced { _ in
            logs.logger("martlet.test").info("with metadata")
            logs.logger("martlet.test").log(.info, "with fields", fields: [])
        }
        #expect(await logs.flush(within: .seconds(60)))
        let root = try #require(kept.spans.last)
        for line in place.lines {
            #expect(line.contains(#""trace_id":"\#(root.trace.id)","span_id":"\#(root.span.id)""#))
        }
        #expect(place.lines.count == 2)
    }

    @Test func timesAreThoseOfTheWallAndNeverRunBackwards() async throws {
        let before = DefaultTracerClock.now.nanosecondsSinceEpoch
        try await traced { try await $0.step(NamedWork("step")) {} }
        let after = DefaultTracerClock.now.nanosecondsSinceEpoch
        for exported in kept.spans {
            let (start, end) = (exported.trace.time(of: exported.span.start), exported.trace.time(of: exported.span.end))
            #expect(start <= end)
            // The two clocks are read one after the other.
            #expect(start + 1_000_000_000 >= before && end <= after + 1_000_000_000)
        }
    }
}

@Suite("Spans of libraries")
struct SpansOfLibraries {
    private let kept = KeptSpans()
    private let tracer = ContextTracer()

    @Test func belongToTheTraceOfTheirContext() async throws {
        let root = Traces(Traces.Settings(ratio: 1), sink: kept).request(parent: nil, state: nil) { false }
        await ServiceContext.$current.withValue(root.context) {
            await tracer.withSpan("outer", ofKind: .client) { span in
                span.attributes["http.request.method"] = "GET"
                span.attributes["url.full"] = "https://example.org/canary"
                span.addEvent("retried")
                await tracer.withSpan("inner") { _ in await Task.yield() }
            }
        }
        root.end(NamedWork("root"), failed: false, failure: nil)
        #expect(kept["inner"]?.parent == kept["outer"]?.id)
        #expect(kept["outer"]?.parent == root.id)
        let outer = try #require(kept["outer"]).detail.describe()
        #expect(outer.attributes == [SpanValue("http.request.method", "GET")])
        #expect(outer.events.map(\.name) == ["retried"])
    }

    @Test func failWithTheNameOfTheError() async throws {
        struct Broken: Error { let secret = "canary" }
        let root = Traces(Traces.Settings(ratio: 1), sink: kept).request(parent: nil, state: nil) { false }
        ServiceContext.$current.withValue(root.context) {
            #expect(throws: Broken.self) { try tracer.withSpan("broken") { _ in throw Broken() } }
        }
        root.end(NamedWork("root"), failed: false, failure: nil)
        #expect(kept["broken"]?.failure == "Broken")
    }

    @Test func areNothingOutsideOfATrace() {
        let span = tracer.startSpan("lonely")
        span.attributes["http.request.method"] = "GET"
        #expect(!span.isRecording && span.attributes.isEmpty)
        span.end()
        #expect(kept.spans.isEmpty)
    }

    @Test func endOnce() {
        let root = Traces(Traces.Settings(ratio: 1), sink: kept).request(parent: nil, state: nil) { false }
        let span = tracer.startSpan("once", context: root.context)
        #expect(span.isRecording)
        span.end()
        span.operationName = "later"
        span.end()
        root.end(NamedWork("root"), failed: false, failure: nil)
        #expect(kept.names == ["once", "root"])
    }

    @Test func whoIsCalledHearsOfTheTrace() {
        let traces = Traces(Traces.Settings(ratio: 1), sink: kept)
        let root = traces.request(parent: "00-\(ReadingTraceParents.trace)-\(ReadingTraceParents.span)-03", state: "a=b") { false }
        var fields: [String: String] = [:]
        tracer.inject(root.context, into: &fields, using: Fields())
        #expect(fields == ["traceparent": "00-\(ReadingTraceParents.trace)-\(root.id)-03", "tracestate": "a=b"])
    }

    @Test func aTraceThatIsNotOursIsPassedOn() {
        let incoming = ["traceparent": "00-\(ReadingTraceParents.trace)-\(ReadingTraceParents.span)-01", "tracestate": "a=b"]
        var context = ServiceContext.topLevel
        tracer.extract(incoming, into: &context, using: Fields())
        var outgoing: [String: String] = [:]
        tracer.inject(context, into: &outgoing, using: Fields())
        #expect(outgoing == incoming)
        tracer.inject(.topLevel, into: &outgoing, using: Fields())
        #expect(outgoing == incoming)
    }

    private struct Fields: Injector, Extractor {
        func inject(_ value: String, forKey key: String, into carrier: inout [String: String]) { carrier[key] = value }
        func extract(key: String, from carrier: [String: String]) -> String? { carrier[key] }
    }
}
