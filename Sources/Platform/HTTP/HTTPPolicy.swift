import HTTPTypes
import MartletContract
import NIOCore

/// What holds for every request alike.
public struct HTTPPolicy: Sendable {
    /// How long a handler may take before the caller hears 504.
    public var requestTimeout: Duration
    /// The most bytes of a body whose endpoint names no bound of its own.
    public var maximumBodyBytes: Int
    public var cors: CORS
    public var compression: Compression
    public var accessLog: AccessLog
    /// Whether this server itself speaks TLS.
    public var servesTLS: Bool
    /// Whether `X-Forwarded-Proto` is believed: only behind a proxy that sets it.
    public var trustsForwardedProto: Bool
    /// Who is believed when it says for whom it asks.
    public var proxies: TrustedProxies

    public init(
        requestTimeout: Duration = .seconds(30), maximumBodyBytes: Int = 1 << 20, cors: CORS = CORS(),
        compression: Compression = Compression(),
        accessLog: AccessLog = AccessLog(), servesTLS: Bool = false, trustsForwardedProto: Bool = false,
        proxies: TrustedProxies = TrustedProxies()
    ) {
        self.requestTimeout = requestTimeout
        self.maximumBodyBytes = maximumBodyBytes
        self.cors = cors
        self.compression = compression
        self.accessLog = accessLog
        self.servesTLS = servesTLS
        self.trustsForwardedProto = trustsForwardedProto
        self.proxies = proxies
    }

    func isSecure(_ request: HTTPRequest) -> Bool {
        servesTLS || (trustsForwardedProto && request.headerFields[.forwardedProto]?.lowercased() == "https")
    }
}

extension HTTPField.Name {
    static let cacheSource = known("X-Cache")
    static let requestID = known("X-Request-ID")
    static let forwardedProto = known("X-Forwarded-Proto")
    static let accelBuffering = known("X-Accel-Buffering")
    static let frameOptions = known("X-Frame-Options")
    static let referrerPolicy = known("Referrer-Policy")
    static let permissionsPolicy = known("Permissions-Policy")

    static func known(_ name: String) -> HTTPField.Name {
        guard let name = HTTPField.Name(name) else { preconditionFailure("\(name) is not a field name.") }
        return name
    }
}
