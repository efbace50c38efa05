import HTTPTypes
import MartletContract
import MartletTelemetry
import Metrics
import Synchronization

/// Counts requests by route, method and status; the names are OpenTelemetry's, as Prometheus writes them.
///
/// Labels come from the routes' templates, the known methods and status codes: no text of a client is ever one. A request to no route has
/// the route `none`, an unknown method is `other`. What a request costs is a look at a small table and a few atomic additions.
final class RequestMetrics: Sendable {
    private let factory: any MetricsFactory
    private let active: Meter
    private let routes: [ObjectIdentifier: RouteMetrics]
    private let strays: [String: RouteMetrics]
    private let stranger: RouteMetrics

    init(_ routes: [Route], _ factory: any MetricsFactory) {
        self.factory = factory
        active = Meter(label: "http_server_active_requests", dimensions: [], factory: factory)
        self.routes = Dictionary(
            routes.map { (ObjectIdentifier($0), RouteMetrics($0.operation.method.rawValue, $0.operation.path.path, factory)) },
            uniquingKeysWith: { first, _ in first })
        strays = Dictionary(uniqueKeysWithValues: Self.methods.map { ($0, RouteMetrics($0, "none", factory)) })
        stranger = RouteMetrics("other", "none", factory)
    }

    func began() { active.increment(by: 1.0) }

    func ended(_ request: HTTPRequest, _ route: Route?, _ answer: Answer, after duration: Duration) {
        active.decrement(by: 1.0)
        metrics(of: route, request.method).count(request, answer, duration)
    }

    /// A request that was refused for overload before it began.
    func turnedAway(_ request: HTTPRequest, _ route: Route, _ answer: Answer) {
        metrics(of: route, request.method).count(request, answer, .zero)
    }

    /// What the wire refused by itself.
    func refused(_ status: HTTPResponse.Status) {
        Counter(label: "martlet_wire_refusals_total", dimensions: [("status", StatusLabel.text(status.code))], factory: factory).increment()
    }

    private func metrics(of route: Route?, _ method: HTTPRequest.Method) -> RouteMetrics {
        guard let route else { return strays[method.rawValue] ?? stranger }
        guard let known = routes[ObjectIdentifier(route)] else { return stranger }
        return method == .head ? known.head : known
    }

    /// Those of RFC 9110 §9.1, and PATCH.
    private static let methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"]
}

/// The series of one method of one route, each made when it is needed first: most statuses are never answered.
final class RouteMetrics: Sendable {
    private let method: String
    private let route: String
    private let factory: any MetricsFactory
    private let state = Mutex(State())

    private struct State {
        /// A handful, so that looking through them is the fastest.
        var durations: [(status: Int, timer: Metrics.Timer)] = []
        var requestSizes: Recorder?
        var responseSizes: Recorder?
        var head: RouteMetrics?
    }

    init(_ method: String, _ route: String, _ factory: any MetricsFactory) {
        (self.method, self.route, self.factory) = (method, route, factory)
    }

    /// The same for HEAD, which every GET answers too.
    var head: RouteMetrics {
        state.withLock { state in
            if let made = state.head { return made }
            let made = RouteMetrics("HEAD", route, factory)
            state.head = made
            return made
        }
    }

    func count(_ request: HTTPRequest, _ answer: Answer, _ duration: Duration) {
        let (sent, received) = (answer.length, Self.bodyLength(of: request))
        let handles = state.withLock { state -> (Metrics.Timer, Recorder?, Recorder?) in
            let timer = timer(answer.status.code, &state)
            return (timer, sent == nil ? nil : responseSizes(&state), received == nil ? nil : requestSizes(&state))
        }
        handles.0.recordNanoseconds(duration.wholeNanoseconds)
        if let sent { handles.1?.record(Int64(sent)) }
        if let received { handles.2?.record(received) }
    }

    private func timer(_ status: Int, _ state: inout State) -> Metrics.Timer {
        if let found = state.durations.first(where: { $0.status == status }) { return found.timer }
        let timer = Metrics.Timer(
            label: "http_server_request_duration_seconds", dimensions: dimensions + [("status", StatusLabel.text(status))], factory: factory
        )
        state.durations.append((status, timer))
        return timer
    }

    private func requestSizes(_ state: inout State) -> Recorder {
        if let found = state.requestSizes { return found }
        let made = Recorder(
            label: "http_server_request_body_size_bytes", dimensions: dimensions, aggregate: true, factory: factory)
        state.requestSizes = made
        return made
    }

    private func responseSizes(_ state: inout State) -> Recorder {
        if let found = state.responseSizes { return found }
        let made = Recorder(
            label: "http_server_response_body_size_bytes", dimensions: dimensions, aggregate: true, factory: factory)
        state.responseSizes = made
        return made
    }

    private var dimensions: [(String, String)] { [("method", method), ("route", route)] }

    /// As it was declared; the wire has made sure that it is a number, and that it is true.
    private static func bodyLength(of request: HTTPRequest) -> Int64? {
        request.method == .get ? nil : request.headerFields[.contentLength].flatMap { Int64($0) }
    }
}

/// Status codes as labels: a closed set, whatever a handler answers.
enum StatusLabel {
    static func text(_ code: Int) -> String { (100...599).contains(code) ? String(code) : "other" }
}

extension Duration {
    /// Of durations that fit; a request's always does.
    var wholeNanoseconds: Int64 {
        let (seconds, attoseconds) = components
        return seconds < 9_000_000_000 ? seconds * 1_000_000_000 + attoseconds / 1_000_000_000 : .max
    }
}
