import AsyncHTTPClient
import MartletApp
import MartletContract
import MartletCore
import MartletSettings
import MartletTelemetry
import MartletTestKit
import MartletTestSupport
import NIOCore
import Testing
import Tracing

@Suite("A request's trace", .everyDatabase)
struct TracesOfRequests {
    @Test func leadsFromTheClientToTheStatement() async throws {
        try await SpanReceiver.withApp { (app, receiver) async throws in
            let (token, trace) = (try await app.token(), ClientTrace())
            let id = "019bc05e-9a40-7c3d-8e11-5f0a4b7d2291"
            let fields = ["Authorization: Bearer \(token)", trace.field(), "X-Request-ID: traced"]
            #expect(try await app.exchange("GET /api/v1/bookmarks/\(id)", fields).status == 404)
            let spans = try await receiver.whole(trace.id)
            let root = try #require(spans.first { $0.kind == 2 })
            #expect(root.name == "GET /api/v1/bookmarks/{id}" && root.parent == trace.span && root.failure == nil)
            #expect(root.attributes["http.route"] == "/api/v1/bookmarks/{id}" && root.attributes["http.response.status_code"] == "404")
            #expect(root.attributes["martlet.request_id"] == "traced" && root.attributes["error.type"] == "bookmark_not_found")
            let handler = try #require(spans.first { $0.name == "handler" })
            let statement = try #require(spans.first { $0.name == "SELECT bookmark" })
            #expect(handler.parent == root.id && statement.parent == handler.id)
            #expect(spans.contains { $0.name == "permission" && $0.parent == root.id })
            #expect(statement.attributes["db.system.name"] == (Engine.current == .sqlite ? "sqlite" : "postgresql"))
            let text = try #require(statement.attributes["db.query.text"])
            #expect(text.contains(Engine.current == .sqlite ? "id = ?" : "id = $1") && !text.contains(id))
            #expect(!spans.contains { $0.text.contains(id) })
        }
    }

    @Test func nestsStatementsInTheirTransaction() async throws {
        try await SpanReceiver.withApp { (app, receiver) async throws in
            let (token, trace, body) = (try await app.token(), ClientTrace(), #"{"url":"https://example.org/canary"}"#)
            let fields = [
                "Authorization: Bearer \(token)", trace.field(), "Idempotency-Key: once", "Content-Type: application/json",
                "Content-Length: \(body.utf8.count)",
            ]
            #expect(try await app.exchange("POST /api/v1/bookmarks", fields, body: Array(body.utf8)).status == 201)
            let spans = try await receiver.whole(trace.id)
            let known = Set(spans.map(\.id) + [trace.span])
            #expect(spans.allSatisfy { known.contains($0.parent ?? "") })
            let transaction = try #require(spans.first { $0.name == "transaction" })
            #expect(spans.contains { $0.name == "INSERT bookmark" && $0.parent == transaction.id })
            #expect(!spans.contains { $0.text.contains("canary") })
        }
    }

    @Test func isRecordedInAnyCaseWhenItFails() async throws {
        try await SpanReceiver.withApp { (app, receiver) async throws in
            let trace = ClientTrace()
            #expect(try await app.exchange("GET /test/fail", [trace.field(isSampled: false)]).status == 500)
            let spans = try await receiver.whole(trace.id)
            #expect(spans.first { $0.kind == 2 }?.failure == "internal_error")
            #expect(spans.count == 1)
            let sampled = ClientTrace()
            _ = try await app.exchange("GET /test/fail", [sampled.field()])
            #expect(try await receiver.whole(sampled.id).contains { $0.name == "handler" && $0.failure == "UnexpectedError" })
            #expect(!receiver.spans.contains { $0.text.contains("must not leave") })
        }
    }

    @Test func isRecordedInAnyCaseWhenItIsSlow() async throws {
        try await SpanReceiver.withApp(slow: .milliseconds(20)) { (app, receiver) async throws in
            let trace = ClientTrace()
            #expect(try await app.exchange("GET /test/sleep?milliseconds=30", [trace.field(isSampled: false)]).status == 200)
            #expect(try await receiver.whole(trace.id).contains { $0.name == "GET /test/sleep" })
        }
    }

    @Test(arguments: [Settings.TraceParents.trust, .continue, .ignore])
    func isRecordedOnAStrangersWordOnlyWhereThatIsTrusted(parents: Settings.TraceParents) async throws {
        try await SpanReceiver.withApp(parents: parents) { (app, receiver) async throws in
            let (trace, last) = (ClientTrace(), ClientTrace())
            _ = try await app.exchange("GET /health/ready", [trace.field()])
            // What is sent comes in order, and a failure is sent in any case.
            _ = try await app.exchange("GET /test/fail", [last.field(), "X-Request-ID: last"])
            try await eventually { receiver.spans.contains { $0.attributes["martlet.request_id"] == "last" } }
            #expect(receiver.spans.contains { $0.trace == last.id } == (parents != .ignore))
            if parents != .trust { #expect(receiver.spans(of: trace.id).isEmpty) } else { _ = try await receiver.whole(trace.id) }
        }
    }

    @Test func isRecordedOnAProxysWord() async throws {
        try await SpanReceiver.withApp(parents: .continue, change: { $0.trustedProxies = IPNetwork("127.0.0.0/8").map { [$0] } ?? [] }) {
            let trace = ClientTrace()
            _ = try await $0.exchange("GET /health/ready", [trace.field()])
            #expect(try await $1.whole(trace.id).contains { $0.name == "GET /health/ready" })
        }
    }

    @Test func namesNothingThatCallersMakeUp() async throws {
        try await SpanReceiver.withApp(ratio: 1) { (app, receiver) async throws in
            let trace = ClientTrace()
            _ = try await app.exchange("GET /canary/path?canary=query", [trace.field(), "tracestate: a=b", "User-Agent: canary"])
            let root = try #require(try await receiver.whole(trace.id).first)
            #expect(root.name == "GET" && root.attributes["http.route"] == nil)
            #expect(!root.text.lowercased().contains("canary") && root.text.contains(#""traceState":"a=b""#))
        }
    }

    @Test func goesOnInAJobByALink() async throws {
        try await SpanReceiver.withApp { (app, receiver) async throws in
            let (trace, body) = (ClientTrace(), #"{"count":1,"milliseconds":0}"#)
            let fields = [trace.field(), "Content-Type: application/json", "Content-Length: \(body.utf8.count)"]
            #expect(try await app.exchange("POST /test/jobs", fields, body: Array(body.utf8)).status == 204)
            let enqueuing = try await receiver.whole(trace.id)
            let transaction = try #require(enqueuing.first { $0.name == "transaction" })
            #expect(enqueuing.contains { $0.name == "INSERT job" && $0.parent == transaction.id })
            try await app.runJobs()
            try await eventually { receiver.spans.contains { $0.links == [trace.id] } }
            let attempt = try #require(receiver.spans.first { $0.links == [trace.id] })
            #expect(attempt.kind == 5 && attempt.trace != trace.id && attempt.parent == nil && attempt.name.hasPrefix("job "))
        }
    }

    @Test func tellsWhereAKeptAnswerCameFrom() async throws {
        try await SpanReceiver.withApp { (app, receiver) async throws in
            let first = ClientTrace()
            _ = try await app.exchange("GET /test/things/1", [first.field()])
            let made = try await receiver.whole(first.id)
            let lookup = try #require(made.first { $0.name == "cache" })
            #expect(lookup.attributes["martlet.cache.outcome"] == "miss" && lookup.attributes["martlet.cache.source"] == "computed")
            #expect(made.contains { $0.name == "handler" && $0.parent == lookup.id })
            // The next one may come to another instance, and each has to hear of evictions first.
            try await eventually {
                let next = ClientTrace()
                _ = try await app.exchange("GET /test/things/1", [next.field()])
                return try await receiver.whole(next.id).contains { $0.attributes["martlet.cache.outcome"] == "hit" }
            }
            #expect(receiver.spans.contains { $0.name == "redis look" } == (Engine.current == .cluster))
            #expect(!receiver.spans.contains { $0.text.contains("things/1") })
        }
    }

    @Test func goesOnAtWhomIsCalled() async throws {
        try await SpanReceiver.withApp { (app, receiver) async throws in
            let resource = TraceResource(service: "caller", version: "1", environment: "test", instance: "1")
            let exporter = TraceExporter(TraceExporter.Settings(url: "http://127.0.0.1:1", resource: resource), logger: .silent)
            let root = Traces(Traces.Settings(ratio: 1), exporter: exporter).request(parent: nil, state: nil) { false }
            var configuration = HTTPClient.Configuration()
            configuration.tracing.tracer = ContextTracer()
            let http = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
            let trace = await Result {
                try await ServiceContext.$current.withValue(root.context) {
                    _ = try await http.execute(HTTPClientRequest(url: app.baseURL + "/health/ready"), timeout: .seconds(60))
                    return try #require(TraceContext.current)
                }
            }
            try await http.shutdown()
            let called = try await receiver.whole(try trace.get().trace)
            // Between them is the span of the call.
            #expect(called.contains { $0.kind == 2 && $0.parent != nil && $0.parent != (try? trace.get().span) })
        }
    }

    @Test func costsNothingWhereThereIsNoCollector() async throws {
        try await MartletTestKit.withApp { (app: TestApp) async throws in
            #expect(app.app.traceExporter == nil)
            #expect(try await app.exchange("GET /health/ready", [ClientTrace().field()]).status == 200)
        }
    }
}
