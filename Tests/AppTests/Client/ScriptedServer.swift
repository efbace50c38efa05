import AsyncHTTPClient
import NIOCore
import NIOPosix
import Synchronization

@testable import MartletClient

/// A server that answers each request with the next of its answers, whatever they are, and closes the connection after it.
final class ScriptedServer: Sendable {
    private let answers: [String]
    private let received = Mutex<[String]>([])
    private let waited = Mutex<[Duration]>([])

    /// The heads of the requests that came.
    var requests: [String] { received.withLock { $0 } }
    /// How long its clients wanted to wait.
    var pauses: [Duration] { waited.withLock { $0 } }

    private init(_ answers: [String]) {
        self.answers = answers
    }

    /// - Parameter body: Is given a client that waits for nothing.
    static func with(_ answers: [String], _ body: (ScriptedServer, MartletClient) async throws -> Void) async throws {
        let server = ScriptedServer(answers)
        let listener = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(Answering(server)) }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let client = MartletClient(
            baseURL: "http://127.0.0.1:\(listener.localAddress?.port ?? 0)", http: .shared, timeout: .seconds(60),
            pause: { pause in server.waited.withLock { $0.append(pause) } })
        let outcome: Result<Void, any Error>
        do { outcome = .success(try await body(server, client)) } catch { outcome = .failure(error) }
        try await listener.close()
        try outcome.get()
    }

    /// What to answer; past the last answer, that there is nothing.
    private func answer(to head: String) -> String {
        received.withLock { received in
            received.append(head)
            return received.count <= answers.count ? answers[received.count - 1] : "HTTP/1.1 410 Gone\r\nContent-Length: 0\r\n\r\n"
        }
    }

    private final class Answering: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer
        private let server: ScriptedServer
        private var head = ""

        init(_ server: ScriptedServer) { self.server = server }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            head += String(buffer: unwrapInboundIn(data))
            guard head.contains("\r\n\r\n") else { return }
            let (channel, answer) = (context.channel, ByteBuffer(string: server.answer(to: head)))
            context.writeAndFlush(wrapOutboundOut(answer)).whenComplete { _ in channel.close(promise: nil) }
        }
    }
}
