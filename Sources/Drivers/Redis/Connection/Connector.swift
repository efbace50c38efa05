import Logging
import NIOCore
import NIOPosix
import NIOSSL

/// Opens connections on one event loop.
struct Connector: Sendable {
    let loop: any EventLoop
    private let address: RedisAddress
    private let timeout: TimeAmount
    private let security: NIOSSLContext?

    init(_ address: RedisAddress, settings: RedisSettings, loop: any EventLoop) throws {
        self.loop = loop
        self.address = address
        timeout = TimeAmount(settings.connectTimeout)
        security = try address.isEncrypted ? Self.security(settings.authorityFile ?? address.authorityFile) : nil
    }

    /// - Parameter receiver: Hears what arrives, on the event loop.
    func open(_ receiver: @Sendable @escaping (Receiver.Event) -> Void) -> EventLoopFuture<any Channel> {
        ClientBootstrap(group: loop)
            .connectTimeout(timeout)
            .channelOption(.socketOption(.tcp_nodelay), value: 1)
            .channelOption(.socketOption(.so_keepalive), value: 1)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    if let security { try channel.pipeline.syncOperations.addHandler(guardian(security)) }
                    try channel.pipeline.syncOperations.addHandler(Receiver(receiver))
                }
            }
            .connect(host: address.host, port: address.port)
    }

    /// An address of numbers is checked against the certificate by its numbers.
    private func guardian(_ security: NIOSSLContext) throws -> NIOSSLClientHandler {
        let isNumeric = (try? SocketAddress(ipAddress: address.host, port: 0)) != nil
        return try NIOSSLClientHandler(context: security, serverHostname: isNumeric ? nil : address.host)
    }

    private static func security(_ file: String?) throws -> NIOSSLContext {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.minimumTLSVersion = .tlsv12
        configuration.certificateVerification = .fullVerification
        if let file { configuration.trustRoots = .file(file) }
        return try NIOSSLContext(configuration: configuration)
    }
}

/// Turns the bytes of a connection into items, and closes it when they make none.
final class Receiver: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    enum Event: Sendable {
        case items([RESPItem])
        case fault(RESPFault)
        /// The connection failed, as when the certificate is not trusted; its end follows.
        case failed(any Error)
    }

    private var parser = RESPParser()
    private let tell: @Sendable (Event) -> Void

    init(_ tell: @Sendable @escaping (Event) -> Void) { self.tell = tell }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        parser.append(unwrapInboundIn(data))
        var items: [RESPItem] = []
        do {
            while let item = try parser.next() { items.append(item) }
            if !items.isEmpty { tell(.items(items)) }
        } catch {
            if !items.isEmpty { tell(.items(items)) }
            tell(.fault(error))
            context.close(promise: nil)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        tell(.failed(error))
        context.close(promise: nil)
    }
}

extension TimeAmount {
    /// At least one nanosecond, at most what fits.
    init(_ duration: Duration) {
        let (seconds, attoseconds) = duration.components
        let (whole, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        let (sum, tooMuch) = whole.addingReportingOverflow(attoseconds / 1_000_000_000)
        self = .nanoseconds(overflow || tooMuch ? .max / 2 : max(1, sum))
    }
}
