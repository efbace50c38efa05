import MartletContract
import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization

/// An issuer's server within the test: answers every request in the way that it is told.
final class KeySetServer: Sendable {
    enum Behaviour: Sendable {
        case answer(Int, [UInt8])
        case redirect(to: String)
        /// Never says a word.
        case silent
        /// Sends a head, and then a byte now and then for ever.
        case dripping
    }

    private struct State {
        var behaviour = Behaviour.answer(404, [])
        var requests: [String] = []
        var port = 0
    }
    private let state = Mutex(State())

    var behaviour: Behaviour {
        get { state.withLock { $0.behaviour } }
        set { state.withLock { $0.behaviour = newValue } }
    }

    /// The targets of the requests that came.
    var requests: [String] { state.withLock { $0.requests } }

    var url: String { "http://127.0.0.1:\(state.withLock { $0.port })/keys" }

    /// Publishes these keys from now on.
    func publish(_ keys: JSON...) throws { behaviour = .answer(200, try WireJSON.encode(["keys": .array(keys)] as JSON)) }

    static func with(_ body: (KeySetServer) async throws -> Void) async throws {
        let server = KeySetServer()
        let listener = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline()
                    try channel.pipeline.syncOperations.addHandler(Answering(server))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        server.state.withLock { $0.port = listener.localAddress?.port ?? 0 }
        let outcome: Result<Void, any Error>
        do { outcome = .success(try await body(server)) } catch { outcome = .failure(error) }
        try await listener.close()
        try outcome.get()
    }

    private func asked(_ target: String) -> Behaviour {
        state.withLock { state in
            state.requests.append(target)
            return state.behaviour
        }
    }

    private final class Answering: ChannelInboundHandler {
        typealias InboundIn = HTTPServerRequestPart
        typealias OutboundOut = HTTPServerResponsePart
        private let server: KeySetServer
        private var drops: RepeatedTask?

        init(_ server: KeySetServer) { self.server = server }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            guard case .head(let head) = unwrapInboundIn(data) else { return }
            switch server.asked(head.uri) {
            case .answer(let status, let body): answer(context, status, [:], body)
            case .redirect(let place): answer(context, 302, ["Location": place], [])
            case .silent: break
            case .dripping: drip(context)
            }
        }

        func channelInactive(context: ChannelHandlerContext) { drops?.cancel() }

        private func answer(_ context: ChannelHandlerContext, _ status: Int, _ headers: HTTPHeaders, _ body: [UInt8]) {
            var headers = headers
            headers.add(name: "Content-Length", value: "\(body.count)")
            let head = HTTPResponseHead(version: .http1_1, status: .init(statusCode: status), headers: headers)
            context.write(wrapOutboundOut(.head(head)), promise: nil)
            context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(bytes: body)))), promise: nil)
            context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        }

        private func drip(_ context: ChannelHandlerContext) {
            let head = HTTPResponseHead(version: .http1_1, status: .ok, headers: ["Content-Length": "100000"])
            context.writeAndFlush(wrapOutboundOut(.head(head)), promise: nil)
            let channel = context.channel
            drops = context.eventLoop.scheduleRepeatedTask(initialDelay: .zero, delay: .milliseconds(50)) { _ in
                channel.writeAndFlush(HTTPServerResponsePart.body(.byteBuffer(ByteBuffer(string: " "))), promise: nil)
            }
        }
    }
}
