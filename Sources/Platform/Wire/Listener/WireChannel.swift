import HTTPTypes
public import HummingbirdCore
import HummingbirdHTTP2
import Logging
import NIOCore
import NIOHTTPTypes

// The listener, put together. Read it top to bottom:
//
//     socket → (TLS → ALPN) → HTTP1Connection → the endpoint's task
//                           ↘ HTTP/2 frames → per stream: StreamGuard → the endpoint's task
extension WireConfiguration {
    /// Connections that speak HTTP/1.1, and by configuration TLS and HTTP/2, under the limits. Throws when the certificate or its key cannot be read.
    func connections(
        _ draining: Draining, _ reloads: Reloads, _ responder: @escaping HTTPChannelHandler.Responder
    ) throws -> any ServerChildChannel {
        let door = Door(limits: limits)
        guard let tls else { return WireChannel(responder: responder, configuration: self, draining: draining, door: door) }
        let certificate = try Certificate(tls)
        reloads.add("certificate") { try certificate.reload() }
        let http1 = WireChannel(responder: responder, configuration: self, draining: draining, door: door, isSecure: true)
        guard tls.http2 else { return SecureChannel(certificate: certificate, inner: http1) }
        let http2 = HTTP2Channel(responder: responder, configuration: .martlet(self, draining))
        return SecureChannel(certificate: certificate, inner: NegotiatedChannel(http1: http1, http2: http2, limits: limits))
    }
}

extension HTTPServerBuilder {
    /// The same connections for a server of Hummingbird's.
    ///
    /// Use it with ``ConnectionCap`` as the server configuration's `availableConnectionsDelegate`.
    public static func martlet(_ configuration: WireConfiguration, draining: Draining) -> HTTPServerBuilder {
        HTTPServerBuilder { try configuration.connections(draining, Reloads(), $0) }
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
