import HTTPTypes
public import HummingbirdCore
import HummingbirdHTTP2
import HummingbirdTLS
import Logging
import NIOCore
import NIOHTTPTypes
import NIOSSL

// The listener, put together. Read it top to bottom:
//
//     socket → (TLS → ALPN) → HTTP1Connection → the endpoint's task
//                           ↘ HTTP/2 frames → per stream: StreamGuard → the endpoint's task
extension HTTPServerBuilder {
    /// A server that speaks HTTP/1.1, and by configuration TLS and HTTP/2, under the given limits.
    ///
    /// Use it with ``ConnectionCap`` as the server configuration's `availableConnectionsDelegate`. Building the server throws
    /// when the certificate or its key cannot be read.
    public static func martlet(_ configuration: WireConfiguration, draining: Draining) -> HTTPServerBuilder {
        HTTPServerBuilder { responder in
            let door = Door(limits: configuration.limits)
            guard let tls = configuration.tls else {
                return WireChannel(responder: responder, configuration: configuration, draining: draining, door: door)
            }
            let http1 = WireChannel(responder: responder, configuration: configuration, draining: draining, door: door, isSecure: true)
            let settings = try tls.settings()
            guard tls.http2 else { return try TLSChannel(http1, tlsConfiguration: settings) }
            let http2 = HTTP2Channel(responder: responder, configuration: .martlet(configuration, draining))
            return try TLSChannel(NegotiatedChannel(http1: http1, http2: http2, limits: configuration.limits), tlsConfiguration: settings)
        }
    }
}

/// The channels of HTTP/1.1 connections.
struct WireChannel: HTTPChannelHandler {
    typealias Value = AcceptedConnection

    let responder: HTTPChannelHandler.Responder
    let configuration: WireConfiguration
    let draining: Draining
    let door: Door
    var isSecure = false

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        channel.eventLoop.makeCompletedFuture {
            try door.admit(channel)
            // Each connection keeps a buffer of the size that it read into last: most heads fit in half of NIO's first guess.
            try channel.syncOptions?.setOption(
                .recvAllocator, value: AdaptiveRecvByteBufferAllocator(minimum: 64, initial: 1_024, maximum: 65_536))
            return try start(channel)
        }
    }

    /// Puts HTTP/1.1 on a channel already admitted.
    func start(_ channel: any Channel) throws -> Value {
        let connection = HTTP1Connection(configuration: configuration, draining: draining, isSecure: isSecure)
        try channel.pipeline.syncOperations.addHandler(connection)
        return AcceptedConnection(
            try NIOAsyncChannel(wrappingChannelSynchronously: channel, configuration: .init(isOutboundHalfClosureEnabled: true)))
    }

    func handle(value: Value, logger: Logger) async {
        await handleHTTP(asyncChannel: value.take(), logger: logger)
    }
}
