import HTTPTypes
import MartletCore
public import MartletTelemetry
import NIOCore
import Tracing

/// What records the requests of one server.
public struct RequestTraces: Sendable {
    private let traces: Traces
    private let server: Server

    /// How the server is reached: the same in every span.
    final class Server: Sendable {
        let address: String
        let port: Int
        let isSecure: Bool

        init(address: String, port: Int, isSecure: Bool) {
            (self.address, self.port, self.isSecure) = (address, port, isSecure)
        }
    }

    /// - Parameters:
    ///   - address: As the settings name it, and not as callers do.
    ///   - port: The port of that address.
    ///   - isSecure: Whether that is reached by TLS.
    public init(_ traces: Traces, address: String, port: Int, isSecure: Bool) {
        (self.traces, server) = (traces, Server(address: address, port: port, isSecure: isSecure))
    }

    /// Proxies that are trusted with the client's address are with whether its trace is recorded.
    func begin(_ request: HTTPRequest, from channel: any Channel, _ proxies: TrustedProxies) -> ServerSpan {
        let fields = request.headerFields
        let root = traces.request(parent: fields[.traceParent], state: fields[.traceState]) {
            IPAddress(channel.remoteAddress).map(proxies.trusts) ?? false
        }
        return ServerSpan(root: root, server: server)
    }
}

/// The span of a request.
struct ServerSpan {
    let root: RootSpan
    let server: RequestTraces.Server

    var context: ServiceContext { root.context }
    var trace: Trace { root.trace }

    func end(_ call: Call, _ trail: Trail, _ answer: Answer) {
        let status = answer.status.code
        root.end(
            ServedRequest(
                method: call.request.method, route: trail.template, status: status, requestID: call.id, failure: trail.failure,
                server: server),
            failed: status >= 500, failure: trail.failure)
    }
}

/// A request in the words of https://opentelemetry.io/docs/specs/semconv/http/http-spans/#http-server-span
private struct ServedRequest: SpanDetail {
    let method: HTTPRequest.Method
    let route: String?
    let status: Int
    let requestID: String
    let failure: String?
    let server: RequestTraces.Server

    var kind: SpanKind { .server }

    private static let known: Set<HTTPRequest.Method> = [.get, .head, .post, .put, .patch, .delete, .options, .connect, .trace]

    /// Callers may make up methods and paths; names must be few.
    func describe() -> SpanDescription {
        let method = Self.known.contains(method) ? method.rawValue : nil
        return SpanDescription(
            [method ?? "HTTP", route].compactMap { $0 }.joined(separator: " "),
            [
                SpanValue("http.request.method", method ?? "_OTHER"), route.map { SpanValue("http.route", $0) },
                SpanValue("http.response.status_code", status), SpanValue("url.scheme", server.isSecure ? "https" : "http"),
                SpanValue("server.address", server.address), SpanValue("server.port", server.port),
                SpanValue("martlet.request_id", requestID), failure.map { SpanValue("error.type", $0) },
            ])
    }
}

extension HTTPField.Name {
    fileprivate static let traceParent = known(TraceField.parent)
    fileprivate static let traceState = known(TraceField.state)
}
