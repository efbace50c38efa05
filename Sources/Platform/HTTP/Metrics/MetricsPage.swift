import Crypto
import HTTPTypes
import MartletContract
import MartletCore
public import MartletTelemetry
import NIOCore

/// `/metrics`, and `/health/metrics` for those who look there: what a Prometheus scrapes.
public struct MetricsPage: Sendable {
    /// Who may read them.
    public enum Readers: Sendable {
        case everyone
        /// Peers on loopback and private networks, whose requests no proxy passed on; others hear that there is nothing.
        case neighbours
        /// Who sends this token, as `Authorization: Bearer …`.
        case bearers(of: [UInt8])
    }

    private let registry: MetricRegistry
    private let readers: Readers

    public init(_ registry: MetricRegistry, readers: Readers) {
        (self.registry, self.readers) = (registry, readers)
    }

    public var routes: [Route] {
        ["/metrics", "/health/metrics"].map { path in
            Route(page: path, isQuiet: true) { call in try answer(call) }
        }
    }

    private func answer(_ call: Call) throws(Failure) -> Answer {
        try admit(call)
        let format = ExpositionFormat(accept: call.request.headerFields[.accept])
        return Answer(
            .ok, Array(registry.exposition(as: format).utf8), type: format.mediaType,
            fields: [.cacheControl: "no-store", .vary: "Accept"])
    }

    private func admit(_ call: Call) throws(Failure) {
        switch readers {
        case .everyone: return
        case .neighbours:
            guard call.isFromNeighbour else { throw .notFound("no_such_path", "There is nothing here.") }
        case .bearers(let token):
            guard Self.token(of: call.request, is: token) else {
                throw .unauthenticated("metrics_token_required", "This needs the token that METRICS_TOKEN names.")
            }
        }
    }

    /// Digests are compared, in constant time: neither bytes nor length of the token show in how long it takes.
    private static func token(of request: HTTPRequest, is token: [UInt8]) -> Bool {
        guard let field = request.headerFields[.authorization], field.prefix(7).lowercased() == "bearer " else { return false }
        return SHA256.hash(data: Array(field.dropFirst(7).utf8)) == SHA256.hash(data: token)
    }
}

extension Call {
    /// Whether the other end of the connection is near, and asks for itself: behind a proxy on this machine everybody would be near.
    fileprivate var isFromNeighbour: Bool {
        let isPassedOn = Self.marksOfProxies.contains { request.headerFields.contains($0) }
        guard !isPassedOn, let peer = IPAddress(channel.remoteAddress) else { return false }
        return MetricsPage.isNear(peer)
    }

    /// What proxies add to the requests that they pass on (RFC 7239, RFC 9110 §7.6.3, and custom).
    private static let marksOfProxies: [HTTPField.Name] = [.forwarded, .forwardedFor, .forwardedProto, .via, .known("X-Real-IP")]
}

extension MetricsPage {
    static func isNear(_ address: IPAddress) -> Bool { neighbourhood.contains { $0.contains(address) } }

    /// Loopback (RFC 1122 §3.2.1.3, RFC 4291 §2.5.3), private (RFC 1918, RFC 4193) and link-local (RFC 3927, RFC 4291 §2.5.6) networks.
    private static let neighbourhood = [
        "127.0.0.0/8", "::1", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7", "169.254.0.0/16", "fe80::/10",
    ].compactMap { IPNetwork($0) }
}
