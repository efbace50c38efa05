import NIOCore
import NIOPosix
import Synchronization

/// One address for several instances, as a load balancer gives it: each connection goes to the next of them, and its bytes pass unchanged.
struct Front {
    private let listener: any Channel

    var port: Int { listener.localAddress?.port ?? 0 }

    init(to ports: [Int]) async throws {
        let turn = Atomic<Int>(0)
        listener = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelOption(.autoRead, value: false)
            .childChannelInitializer { client in
                let port = ports[turn.wrappingAdd(1, ordering: .relaxed).oldValue % ports.count]
                return client.eventLoop.makeCompletedFuture { try client.pipeline.syncOperations.addHandler(Passage(to: port)) }
            }
            .bind(host: "127.0.0.1", port: 0).get()
    }

    func close() async throws { try await listener.close() }
}

/// One end of a connection that is passed on. It reads when the other end has written.
private final class Passage: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer
    private let port: Int?
    private var other: Passage?
    private var context: ChannelHandlerContext?

    /// - Parameter port: Of the instance that this end connects to; `nil` when it is that connection.
    init(to port: Int?) { self.port = port }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        other = nil
    }

    /// Reads nothing from the client until the instance is reached.
    func channelActive(context: ChannelHandlerContext) {
        guard let port else { return }
        let far = Passage(to: nil)
        (other, far.other) = (far, self)
        let (client, handler) = (context.channel, NIOLoopBound(far, eventLoop: context.eventLoop))
        ClientBootstrap(group: context.eventLoop)
            .channelOption(.autoRead, value: false)
            .channelInitializer { instance in
                instance.eventLoop.makeCompletedFuture { try instance.pipeline.syncOperations.addHandler(handler.value) }
            }
            .connect(host: "127.0.0.1", port: port)
            .whenComplete { outcome in
                guard case .success(let instance) = outcome else { return client.close(promise: nil) }
                client.read()
                instance.read()
            }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        other?.context?.writeAndFlush(data, promise: nil)
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        if other?.context?.channel.isWritable == true { context.read() }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable { other?.context?.read() }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case ChannelEvent.inputClosed = event { other?.context?.close(mode: .output, promise: nil) }
        context.fireUserInboundEventTriggered(event)
    }

    func channelInactive(context: ChannelHandlerContext) {
        // Behind what is still on its way.
        guard let context = other?.context else { return }
        let channel = context.channel
        context.writeAndFlush(NIOAny(ByteBuffer())).whenComplete { _ in channel.close(promise: nil) }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }
}
