// MartletWire: the bytes between a socket and a request. HTTP/1.1 framing (RFC 9112), deadlines for slow peers, connection
// caps, TLS, and HTTP/2 by setting. It knows nothing of endpoints.

public import HTTPTypes
public import NIOCore

/// Everything the wire needs to know before it listens.
public struct WireConfiguration: Sendable {
    public var limits: WireLimits
    /// The certificate to serve; `nil` serves plain HTTP/1.1.
    public var tls: WireTLS?
    /// Renders the whole answer for a refusal: its own fields (security headers, `Content-Type`) and its body.
    ///
    /// Called on an event loop: it must not block. `Date`, `Content-Length` and `Connection` are added by the wire.
    public var render: @Sendable (Refusal) -> (HTTPFields, ByteBuffer)
    /// Asked for each request of HTTP/1.1 when its head is whole: what it answers is sent, and no endpoint hears of the request. So a server
    /// that has too much to do can say so for a fraction of what a task would cost.
    ///
    /// Called on an event loop: it must not block. `Connection` is added by the wire; the connection stays open where it may.
    public var turnAway: @Sendable (HTTPRequest, any Channel) -> (HTTPResponse, ByteBuffer)?

    public init(
        limits: WireLimits = WireLimits(), tls: WireTLS? = nil,
        turnAway: @escaping @Sendable (HTTPRequest, any Channel) -> (HTTPResponse, ByteBuffer)? = { _, _ in nil },
        render: @escaping @Sendable (Refusal) -> (HTTPFields, ByteBuffer)
    ) {
        self.limits = limits
        self.tls = tls
        self.turnAway = turnAway
        self.render = render
    }
}

/// An answer the wire gives by itself, before or instead of any endpoint. The connection closes after it.
public struct Refusal: Error, Sendable, Hashable {
    public var status: HTTPResponse.Status
    /// A stable, machine-readable name such as `missing_host`. Codes are for ever.
    public var code: String
    /// One sentence for the caller.
    public var message: String

    public init(_ status: HTTPResponse.Status, _ code: String, _ message: String) {
        self.status = status
        self.code = code
        self.message = message
    }
}

/// The certificate and protocols of a secure listener. TLS 1.2 is the lowest version spoken.
public struct WireTLS: Sendable, Hashable {
    /// A PEM file: the server's certificate, then its intermediates.
    public var certificateChainFile: String
    /// A PEM file with the certificate's private key.
    public var privateKeyFile: String
    /// Whether HTTP/2 is offered beside HTTP/1.1 (by ALPN).
    public var http2: Bool

    public init(certificateChainFile: String, privateKeyFile: String, http2: Bool = false) {
        self.certificateChainFile = certificateChainFile
        self.privateKeyFile = privateKeyFile
        self.http2 = http2
    }
}
