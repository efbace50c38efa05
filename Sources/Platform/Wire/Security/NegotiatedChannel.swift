import HTTPTypes
import HummingbirdCore
import HummingbirdHTTP2
import Logging
import NIOCore
import NIOHTTP2
import NIOHTTPTypes
import NIOSSL
import NIOTLS

extension WireTLS {
    /// Reads the files; throws when they are missing or do not fit together.
    func settings() throws -> TLSConfiguration {
        let chain = try NIOSSLCertificate.fromPEMFile(certificateChainFile).map { NIOSSLCertificateSource.certificate($0) }
        let key = try NIOSSLPrivateKey(file: privateKeyFile, format: .pem)
        var settings = TLSConfiguration.makeServerConfiguration(certificateChain: chain, privateKey: .privateKey(key))
        settings.minimumTLSVersion = .tlsv12
        settings.applicationProtocols = http2 ? NIOHTTP2SupportedALPNProtocols : ["http/1.1"]
        return settings
    }
}

/// HTTP/1.1 or HTTP/2, as the TLS handshake decides (ALPN, RFC 7301).
struct NegotiatedChannel: ServerChildChannel {
    enum Version {
        case http1(WireChannel.Value)
        case http2(HTTP2Channel.Value)
    }

    struct Value: ServerChildChannelValue {
        let channel: any Channel
        let version: EventLoopFuture<Version>
    }

    let http1: WireChannel
    let http2: HTTP2Channel
    let limits: WireLimits

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        channel.eventLoop.makeCompletedFuture {
            try http1.door.admit(channel)
            let deadline = channel.eventLoop.scheduleTask(in: TimeAmount(limits.headerTimeout)) { channel.close(promise: nil) }
            let negotiation = NIOTypedApplicationProtocolNegotiationHandler<Version> { result in
                deadline.cancel()
                return choose(result, channel: channel, logger: logger)
            }
            try channel.pipeline.syncOperations.addHandler(negotiation)
            return Value(channel: channel, version: negotiation.protocolNegotiationResult)
        }
    }

    private func choose(_ result: ALPNResult, channel: any Channel, logger: Logger) -> EventLoopFuture<Version> {
        if case .negotiated("h2") = result {
            return http2.setup(channel: channel, logger: logger).map { .http2($0) }
        }
        return channel.eventLoop.makeCompletedFuture { .http1(try http1.start(channel)) }
    }

    func handle(value: Value, logger: Logger) async {
        do {
            switch try await value.version.get() {
            case .http1(let connection): await http1.handle(value: connection, logger: logger)
            case .http2(let connection): await http2.handle(value: connection, logger: logger)
            }
        } catch {
            logger.debug("A TLS handshake failed.", error: error)
        }
    }
}
