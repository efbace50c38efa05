import Logging
import MartletContract
import MartletSettings
import MartletTelemetry
import MartletTestKit
import MartletTestSupport
import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization
import Testing

/// A span as it arrived at a collector.
struct ArrivedSpan: Sendable {
    let trace: String
    let id: String
    let parent: String?
    let name: String
    let kind: Int
    let attributes: [String: String]
    let failure: String?
    let links: [String]
    /// All that was sent of it, for searching.
    let text: String

    init(_ span: JSON) throws {
        (trace, id) = (span["traceId"]?.text ?? "", span["spanId"]?.text ?? "")
        (parent, name, kind) = (span["parentSpanId"]?.text, span["name"]?.text ?? "", span["kind"]?.integer ?? 0)
        let pairs = (span["attributes"]?.elements ?? []).map { attribute in
            let value = attribute["value"]
            return (attribute["key"]?.text ?? "", value?["stringValue"]?.text ?? value?["intValue"]?.text ?? "")
        }
        attributes = Dictionary(pairs) { $1 }
        failure = span["status"]?["message"]?.text
        links = (span["links"]?.elements ?? []).compactMap { $0["traceId"]?.text }
        text = String(decoding: try WireJSON.encode(span), as: UTF8.self)
    }
}

/// A collector within the test: takes what an application tells of itself.
final class SpanReceiver: Sendable {
    private let kept = Mutex<[ArrivedSpan]>([])

    var spans: [ArrivedSpan] { kept.withLock { $0 } }

    func spans(of trace: String) -> [ArrivedSpan] { spans.filter { $0.trace == trace } }

    /// The spans of a trace, once its root is there: the last to be sent.
    func whole(_ trace: String) async throws -> [ArrivedSpan] {
        try await eventually("the trace arrives") { self.spans(of: trace).contains { $0.kind == 2 } }
        return spans(of: trace)
    }

    /// Runs an application that sends its traces here.
    static func withApp(
        ratio: Double = 0, slow: Duration = .seconds(60), parents: Settings.TraceParents = .trust, logs: Logs? = nil,
        change: (inout Settings) -> Void = { _ in },
        _ body: (TestApp, SpanReceiver) async throws -> Void
    ) async throws {
        let receiver = SpanReceiver()
        let listener = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline()
                    try channel.pipeline.syncOperations.addHandler(Taking(receiver))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let outcome: Result<Void, any Error>
        do {
            let logger = logs?.logger("martlet") ?? .silent
            try await MartletTestKit.withApp(
                logger: logger, logs: logs ?? Logs(),
                change: { settings in
                    settings.collectorURL = CollectorURL("http://127.0.0.1:\(listener.localAddress?.port ?? 0)")
                    (settings.traceDelay, settings.traceRatio, settings.traceSlow) = (.milliseconds(10), ratio, slow)
                    (settings.traceParents, settings.testRoutes) = (parents, true)
                    change(&settings)
                }
            ) { try await body($0, receiver) }
            outcome = .success(())
        } catch {
            outcome = .failure(error)
        }
        try await listener.close()
        try outcome.get()
    }

    private func take(_ body: [UInt8]) throws {
        let groups = try WireJSON.parse(body)["resourceSpans"]?.elements ?? []
        let spans = groups.flatMap { $0["scopeSpans"]?.elements ?? [] }.flatMap { $0["spans"]?.elements ?? [] }
        let arrived = try spans.map { try ArrivedSpan($0) }
        kept.withLock { $0 += arrived }
    }

    private final class Taking: ChannelInboundHandler {
        typealias InboundIn = HTTPServerRequestPart
        typealias OutboundOut = HTTPServerResponsePart
        private let receiver: SpanReceiver
        private var body: [UInt8] = []

        init(_ receiver: SpanReceiver) { self.receiver = receiver }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            switch unwrapInboundIn(data) {
            case .head: body = []
            case .body(let part): body += part.readableBytesView
            case .end: answer(context)
            }
        }

        private func answer(_ context: ChannelHandlerContext) {
            do {
                try receiver.take(body)
            } catch {
                Issue.record("a collector was sent what it cannot read: \(error)")
            }
            let head = HTTPResponseHead(version: .http1_1, status: .ok, headers: ["Content-Length": "2"])
            context.write(wrapOutboundOut(.head(head)), promise: nil)
            context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(string: "{}")))), promise: nil)
            context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        }
    }
}

/// A trace that a client has begun.
struct ClientTrace {
    let id = Self.digits(32)
    let span = Self.digits(16)

    func field(isSampled: Bool = true) -> String { "traceparent: 00-\(id)-\(span)-0\(isSampled ? 1 : 0)" }

    private static func digits(_ count: Int) -> String {
        "a" + (1..<count).map { _ in String(Int.random(in: 0..<16), radix: 16) }.joined()
    }
}
