import MartletClient
import NIOCore
import NIOPosix

/// A server that answers every request with the same bytes, whatever they are, and closes the connection.
struct StrangeServer {
    let client: MartletClient

    /// - Parameter rest: What to send after the bytes, once the test has seen them.
    static func with(
        _ bytes: String, then rest: EventLoopFuture<String>? = nil, _ body: (StrangeServer) async throws -> Void
    ) async throws {
        let listener = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Answering(bytes: bytes, rest: rest))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let port = listener.localAddress?.port ?? 0
        let outcome: Result<Void, any Error>
        do { outcome = .success(try await body(StrangeServer(client: MartletClient(baseURL: "http://127.0.0.1:\(port)")))) } catch {
            outcome = .failure(error)
        }
        try await listener.close()
        try outcome.get()
    }

    private final class Answering: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer
        private let bytes: String
        private let rest: EventLoopFuture<String>?
        private var received = ""

        init(bytes: String, rest: EventLoopFuture<String>?) {
            (self.bytes, self.rest) = (bytes, rest)
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let wasComplete = received.contains("\r\n\r\n")
            received += String(buffer: unwrapInboundIn(data))
            guard !wasComplete, received.contains("\r\n\r\n") else { return }
            context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: bytes)), promise: nil)
            let channel = context.channel
            guard let rest else { return channel.close(promise: nil) }
            rest.whenSuccess { rest in channel.writeAndFlush(ByteBuffer(string: rest)).whenComplete { _ in channel.close(promise: nil) } }
        }
    }
}
