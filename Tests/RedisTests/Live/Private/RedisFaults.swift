import MartletTestSupport
import NIOCore
import NIOPosix
import Synchronization

/// A proxy before a Redis server that is told what goes wrong.
final class RedisFaults: Sendable {
    private struct State {
        var pairs: [Int: (client: any Channel, server: any Channel)] = [:]
        var last = 0
        /// Connections whose answers are swallowed, for good: passed on later they would be others' answers.
        var stalled: Set<Int> = []
        var isRefusing = false
        var isHalving = false
    }

    private let state = Mutex(State())
    private let server: SocketAddress

    /// Runs `body` with the proxy and its port.
    static func run(before port: Int, _ body: (RedisFaults, Int) async throws -> Void) async throws {
        let proxy = try RedisFaults(port)
        let listener = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { proxy.accept($0) }
            .bind(host: "127.0.0.1", port: 0).get()
        let outcome = await Result { try await body(proxy, listener.localAddress?.port ?? 0) }
        try await listener.close()
        proxy.cut()
        try outcome.get()
    }

    private init(_ port: Int) throws { server = try SocketAddress(ipAddress: "127.0.0.1", port: port) }

    var connections: Int { state.withLock { $0.pairs.count } }

    /// How many connections there have been.
    var opened: Int { state.withLock { $0.last } }

    /// Ends every connection.
    func cut() { for pair in pairs { pair.client.close(promise: nil) } }

    /// Nothing that the server says on the connections of now arrives any more.
    func stall() { state.withLock { $0.stalled.formUnion($0.pairs.keys) } }

    /// Says something in the server's name.
    func inject(_ text: String) { for pair in pairs { pair.client.writeAndFlush(ByteBuffer(string: text), promise: nil) } }

    /// The next answer of any connection ends in its middle, and the connection with it.
    func halve() { state.withLock { $0.isHalving = true } }

    /// Whether new connections are ended at once.
    func refuse(_ isRefusing: Bool) { state.withLock { $0.isRefusing = isRefusing } }

    private var pairs: [(client: any Channel, server: any Channel)] { state.withLock { Array($0.pairs.values) } }

    private func accept(_ client: any Channel) -> EventLoopFuture<Void> {
        guard !state.withLock({ $0.isRefusing }) else { return client.close() }
        let id = state.withLock { state in
            state.last += 1
            return state.last
        }
        return ClientBootstrap(group: client.eventLoop)
            .channelInitializer { [self] server in
                server.pipeline.addHandler(
                    Passing {
                        self.answered(id, $0, client)
                    } ended: {
                        client.close(promise: nil)
                    })
            }
            .connect(to: server)
            .flatMap { [self] server in
                state.withLock { $0.pairs[id] = (client, server) }
                client.closeFuture.whenComplete { _ in self.state.withLock { _ = $0.pairs.removeValue(forKey: id) } }
                return client.pipeline.addHandler(
                    Passing {
                        server.writeAndFlush($0, promise: nil)
                    } ended: {
                        server.close(promise: nil)
                    })
            }
    }

    private func answered(_ id: Int, _ bytes: ByteBuffer, _ client: any Channel) {
        let (isStalled, isHalved) = state.withLock { state in
            defer { state.isHalving = false }
            return (state.stalled.contains(id), state.isHalving)
        }
        if isStalled { return }
        guard isHalved else { return client.writeAndFlush(bytes, promise: nil) }
        client.writeAndFlush(bytes.getSlice(at: bytes.readerIndex, length: bytes.readableBytes / 2) ?? bytes).whenComplete { _ in
            client.close(promise: nil)
        }
    }
}

private final class Passing: ChannelInboundHandler, Sendable {
    typealias InboundIn = ByteBuffer

    private let pass: @Sendable (ByteBuffer) -> Void
    private let ended: @Sendable () -> Void

    init(_ pass: @Sendable @escaping (ByteBuffer) -> Void, ended: @Sendable @escaping () -> Void) {
        (self.pass, self.ended) = (pass, ended)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) { pass(unwrapInboundIn(data)) }
    func channelInactive(context: ChannelHandlerContext) { ended() }
    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
