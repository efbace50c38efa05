import HTTPTypes
import Hummingbird
import HummingbirdCore
import Logging
import MartletWire
import NIOCore
import Synchronization

/// A real listening server with a responder that knows a handful of paths.
struct TestServer: Sendable {
    let port: Int
    let draining: Draining
    let requests: Requests

    /// The requests that reached the responder, and the refusals their bodies ended with.
    final class Requests: Sendable {
        private let arrivals = Mutex([String]())
        private let failures = AsyncStream<String>.makeStream()

        var paths: [String] { arrivals.withLock { $0 } }
        func arrived(_ path: String) { arrivals.withLock { $0.append(path) } }
        func failed(_ error: any Error) { failures.continuation.yield((error as? Refusal)?.code ?? "\(error)") }

        /// Waits for the next body that ended with an error.
        func failure() async -> String? { await failures.stream.first { _ in true } }
    }

    /// Runs `body` against a server that listens on a free port.
    static func run(
        tls: WireTLS? = nil, limits change: (inout WireLimits) -> Void = { _ in },
        _ body: @escaping @Sendable (TestServer) async throws -> Void
    ) async throws {
        var limits = WireLimits()
        change(&limits)
        let (requests, draining) = (Requests(), Draining())
        let turnAway: @Sendable (HTTPRequest, any Channel) -> (HTTPResponse, ByteBuffer)? = { request, _ in
            guard request.path == "/full" else { return nil }
            return (HTTPResponse(status: .serviceUnavailable, headerFields: [.contentLength: "4"]), ByteBuffer(string: "full"))
        }
        let configuration = WireConfiguration(limits: limits, tls: tls, turnAway: turnAway) { refusal in
            (
                [.contentType: "application/problem+json", .xContentTypeOptions: "nosniff"],
                ByteBuffer(string: #"{"code":"\#(refusal.code)"}"#)
            )
        }
        let (ports, running) = AsyncStream<Int>.makeStream()
        var logger = Logger(label: "wire-tests")
        logger.logLevel = .critical
        let app = Application(
            responder: Responder(requests: requests),
            server: .martlet(configuration, draining: draining),
            configuration: .init(
                address: .hostname("127.0.0.1", port: 0),
                availableConnectionsDelegate: ConnectionCap(limits)),
            onServerRunning: { running.yield($0.localAddress?.port ?? 0) },
            logger: logger)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await app.run() }
            for await port in ports {
                try await body(TestServer(port: port, draining: draining, requests: requests))
                break
            }
            group.cancelAll()
        }
    }

    func connect() async throws -> RawClient { try await RawClient(port: port) }

    /// One connection, these bytes, everything that comes back.
    func answer(to bytes: String) async throws -> [Answer] {
        let client = try await connect()
        try await client.send(bytes)
        return await Answer.parse(client.readToEnd())
    }
}

/// What the test server answers; the path says what is asked of it.
private struct Responder: HTTPResponder {
    typealias Context = ChannelContext
    let requests: TestServer.Requests

    func respond(to request: Request, context: ChannelContext) async throws -> Response {
        requests.arrived(request.head.path ?? "")
        switch request.uri.path {
        case "/target": return text("\(request.head.authority ?? "none") \(request.head.path ?? "none")")
        case "/length": return try await length(request, context)
        case "/ignore": return text("ignored")
        case "/close":
            return Response(
                status: .ok, headers: [.connection: "close", .contentLength: "3"], body: .init(byteBuffer: .init(string: "bye")))
        case "/stream": return Response(status: .ok, body: .init { try await stream(&$0) })
        case "/large": return Response(status: .ok, body: .init(byteBuffer: ByteBuffer(repeating: 0x61, count: 16 * 1_048_576)))
        default: return text("ok")
        }
    }

    private func length(_ request: Request, _ context: ChannelContext) async throws -> Response {
        context.channel.triggerUserOutboundEvent(WireEvent.sendContinue, promise: nil)
        var count = 0
        do {
            for try await piece in request.body { count += piece.readableBytes }
        } catch {
            requests.failed(error)
            throw error
        }
        return text("\(count)")
    }

    private func stream(_ writer: inout any ResponseBodyWriter) async throws {
        for piece in ["one", "two", "three"] { try await writer.write(ByteBuffer(string: piece)) }
        try await writer.finish(nil)
    }

    private func text(_ text: String) -> Response {
        Response(status: .ok, headers: [.contentLength: "\(text.utf8.count)"], body: .init(byteBuffer: ByteBuffer(string: text)))
    }
}

/// A request's context that knows its channel, as the request pipeline's does.
private struct ChannelContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    let channel: any Channel

    init(source: ApplicationRequestContextSource) {
        coreContext = .init(source: source)
        channel = source.channel
    }
}
