import HummingbirdCore
import Logging
import NIOCore
import NIOSSL
import Synchronization

/// The certificate that new connections are shown. Reading it anew changes nothing for those that are open.
final class Certificate: Sendable {
    private let tls: WireTLS
    private let context: Mutex<NIOSSLContext>

    /// Throws when the files are missing or do not fit together.
    init(_ tls: WireTLS) throws {
        self.tls = tls
        context = Mutex(try NIOSSLContext(configuration: tls.settings()))
    }

    var current: NIOSSLContext { context.withLock { $0 } }

    /// Reads the files anew; throws as the initialiser does, and then keeps what it had.
    func reload() throws {
        let fresh = try NIOSSLContext(configuration: tls.settings())
        context.withLock { $0 = fresh }
    }
}

/// The channels of connections over TLS, each with the certificate of the moment at which it is accepted.
struct SecureChannel<Inner: ServerChildChannel>: ServerChildChannel {
    let certificate: Certificate
    let inner: Inner

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Inner.Value> {
        channel.eventLoop.makeCompletedFuture {
            try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: certificate.current))
        }.flatMap { inner.setup(channel: channel, logger: logger) }
    }

    func handle(value: Inner.Value, logger: Logger) async {
        await inner.handle(value: value, logger: logger)
    }
}
