import HTTPTypes
public import HummingbirdCore
public import Logging
import MartletContract
import MartletCore
public import MartletOverload
public import MartletSupervisor
import MartletTelemetry
import MartletWire
public import Metrics
public import NIOCore
import Tracing

/// The way of every request, in order.
///
/// Before it stands the wire (framing, deadlines of slow peers, connection caps); behind it the handlers.
public struct Pipeline: Sendable {
    let routes: RouteTable
    let authenticator: any Authenticator
    let policy: HTTPPolicy
    let deadlines: Deadlines
    let streams: EventStreams
    let limits: RateLimits?
    let responses: ResponseCache?
    let admission: Admission?
    let inFlight: InFlight?
    let onRefusal: RefusalHook?
    let metrics: RequestMetrics
    let traces: RequestTraces?
    let logger: Logger
    let accessLogger: Logger

    /// - Parameters:
    ///   - limits: How often may be called; `nil` for as often as one likes.
    ///   - admission: How many requests are worked on at a time; `nil` for all that come.
    ///   - inFlight: Where requests are noted while they are served, for the record of a crash; `nil` for nowhere.
    ///   - onRefusal: Told of callers who are known and have not the permission, in the context of their request; it must be quick.
    ///   - metrics: Where requests are counted.
    ///   - traces: What records its requests; `nil` for nothing.
    public init(
        routes: [Route], authenticator: any Authenticator, policy: HTTPPolicy, deadlines: Deadlines,
        streams: EventStreams = EventStreams(), limits: RateLimits? = nil, responses: ResponseCache? = nil, admission: Admission? = nil,
        inFlight: InFlight? = nil, onRefusal: RefusalHook? = nil, metrics: any MetricsFactory = NOOPMetricsHandler.instance,
        traces: RequestTraces? = nil, logger: Logger
    ) {
        self.metrics = RequestMetrics(routes, metrics)
        self.routes = RouteTable(routes)
        self.authenticator = authenticator
        self.policy = policy
        self.deadlines = deadlines
        self.streams = streams
        self.limits = limits
        self.responses = responses
        self.admission = admission
        self.inFlight = inFlight
        self.onRefusal = onRefusal
        self.traces = traces
        self.logger = logger
        accessLogger = logger.named("martlet.access")
    }

    /// Answers a request. Every answer has a request id, security headers and a line in the access log; failures are Problems.
    public func respond(to request: Request, on channel: any Channel) async -> Answer {
        guard let span = traces?.begin(request.head, from: channel, policy.proxies) else {
            return await respond(to: request, on: channel, in: nil)
        }
        return await ServiceContext.$current.withValue(span.context) { await respond(to: request, on: channel, in: span) }
    }

    private func respond(to request: Request, on channel: any Channel, in span: ServerSpan?) async -> Answer {
        let start = ContinuousClock.now
        metrics.began()
        var call = call(request.head, on: channel)
        call.trace = span?.trace
        var trail = Trail()
        var answer = await answer(request, call, &trail)
        complete(&answer, for: call, trail)
        // A line for each refusal would cost more than refusing, when there is nothing to spare.
        if !trail.isRefused { policy.accessLog.note(call, trail, answer, since: start, accessLogger) }
        metrics.ended(request.head, trail.route, answer, after: start.duration(to: .now))
        span?.end(call, trail, answer)
        return answer
    }

    private func answer(_ request: Request, _ call: Call, _ trail: inout Trail) async -> Answer {
        do {
            return try await handle(request, call, &trail)
        } catch let refusal as Overloaded {
            trail.isRefused = true
            return .overloaded(refusal, requestID: call.id)
        } catch {
            trail.failure = Failure(answering: error).code
            return answer(to: error, call, trail)
        }
    }

    /// What every answer has, whatever it answers.
    func complete(_ answer: inout Answer, for call: Call, _ trail: Trail) {
        if let limits = trail.limits { LimitFields.apply(limits.asked, to: &answer) }
        policy.compression.apply(to: &answer, for: call.request)
        policy.cors.apply(to: &answer, for: call.request)
        SecurityHeaders.apply(to: &answer, overTLS: policy.isSecure(call.request))
        answer.fields.set(HTTPField(name: RequestID.field, value: call.id))
        answer.fields.set(HTTPField(name: .date, value: HTTPDate.now))
    }

    func call(_ request: HTTPRequest, on channel: any Channel) -> Call {
        let client = policy.proxies.client(of: request.headerFields, peer: IPAddress(channel.remoteAddress))
        return Call(id: RequestID.of(request), request: request, channel: channel, client: client)
    }

    private func handle(_ request: Request, _ call: Call, _ trail: inout Trail) async throws -> Answer {
        let target = RequestTarget(request.head)
        if request.method == .options, target.path == "*" { return Answer(.noContent) }
        guard let match = try routes.match(request.method, target.path) else {
            throw Failure.notFound("no_such_path", "There is nothing here.")
        }
        if request.method == .options { return policy.cors.preflight(request.head, allowed: match.allowed) }
        guard let route = match.route else { throw MethodNotAllowed(allowed: match.allowed) }
        trail.route = route
        trail.template = route.operation.path.path

        // What may be answered with what is kept asks for room only when nothing is kept: in `ready`.
        let isKept = route.responses != nil && responses != nil
        if !isKept { try await enter(route) }
        defer { if !isKept { admission?.leave(route.workClass) } }
        var call = call
        call.limits = limits?.tab(of: route.operation)
        trail.limits = call.limits
        call.note = inFlight?.begin(route.name, id: call.id)
        defer { call.note?.end() }
        let caller = try await traced("permission", call) { try await admitted(call, to: route.operation, &trail) }
        if let answer = try await ready(route, request, target, match.parameters, caller, call) { return answer }
        let read = try await read(request, of: route, target, match.parameters, on: call.channel)
        call.bodyDigest = read.bodyDigest
        return try await traced("handler", call) { try await run(route, read.parts, caller, call) }
    }

    /// A part of a request's way as a span of its own, where the request is sampled.
    private func traced<Result>(_ name: StaticString, _ call: Call, _ part: () async throws -> Result) async throws -> Result {
        guard call.trace?.isSampled == true, let trace = Trace.current else { return try await part() }
        return try await trace.scope({ _ in NamedWork(name) }, part)
    }

    private func run(_ route: Route, _ parts: InputParts, _ caller: Caller?, _ call: Call) async throws -> Answer {
        try await deadlines.run(within: policy.requestTimeout) {
            call.note?.alsoInThisTask()
            return try await CurrentRequest.$id.withValue(call.id) {
                try await CurrentRequest.$origin.withValue(call.origin(of: caller)) { try await route.run(parts, caller, call) }
            }
        }
    }

    /// The answer that is kept for the request, or made to be kept; `nil` where none are.
    private func ready(
        _ route: Route, _ request: Request, _ target: RequestTarget, _ parameters: [(name: String, value: String)], _ caller: Caller?,
        _ call: Call
    ) async throws -> Answer? {
        guard let rule = route.responses, let responses else { return nil }
        let key = try rule.key(target, request.head, caller)
        let hit = responses.hit(key, request.head)
        if let hit, !hit.isStale { return hit.answer }
        if hit == nil { try await enter(route) }
        defer { if hit == nil { admission?.leave(route.workClass) } }
        let read = try await RequestReader(route.operation, policy).read(request, target, parameters, on: call.channel)
        let asked = AskedFor(key: key, tags: rule.tags(for: parameters), terms: rule.terms)
        return try await kept(asked, hit, Making(route: route, rule: rule, parts: read.parts, caller: caller, call: call), responses)
    }

    /// An answer that is made to be kept, unless somebody else is making it.
    private func kept(_ asked: AskedFor, _ hit: ResponseCache.Hit?, _ making: Making, _ responses: ResponseCache) async throws -> Answer {
        // It may outlive this request, so its time is its own.
        let make: @Sendable () async throws -> StoredResponse = {
            let answer = try await traced("handler", making.call) { try await run(making.route, making.parts, making.caller, making.call) }
            return StoredResponse(answer, making.rule, policy.compression)
        }
        if let hit {
            responses.renew(asked, make)
            return hit.answer
        }
        return try await deadlines.run(within: policy.requestTimeout) { try await responses.answer(asked, to: making.call.request, make) }
    }

    /// Who calls, if they may; endpoints that are open to anyone do not ask.
    ///
    /// Callers are counted before they hear that they may not, so that guessing is bounded: those who are known as themselves, all others
    /// by their address.
    private func admitted(_ call: Call, to operation: APIOperation, _ trail: inout Trail) async throws -> Caller? {
        guard operation.access != .anyone else {
            try await call.limits?.take(.address(call.client))
            return nil
        }
        let claim = try await traced("authenticate", call) { try await self.claim(of: call.request) }
        guard case .success(let caller) = claim else {
            try await call.limits?.take(.address(call.client))
            return try claim.get()
        }
        trail.caller = caller.id
        try await call.limits?.take(.user(caller.id))
        try permit(caller, operation, call)
        if let age = operation.recent { try await authenticator.requireRecent(caller, within: age) }
        return caller
    }

    /// Who calls, or why nobody does. Credentials that are good and yet open no account are counted like bad ones.
    private func claim(of request: HTTPRequest) async throws -> Result<Caller, Failure> {
        do {
            return try await authenticator.caller(of: request).map { .success($0) } ?? .failure(.authenticationMissing)
        } catch let failure as Failure where [.unauthenticated, .forbidden, .conflict].contains(failure.kind) {
            return .failure(failure)
        }
    }

    private func permit(_ caller: Caller, _ operation: APIOperation, _ call: Call) throws(Failure) {
        if operation.access == .loggedIn, caller.apiKey != nil {
            throw Failure.forbidden("login_required", "This is for people who have logged in: an API key cannot do it.")
        }
        if case .permission(let permission) = operation.access, !caller.permissions.contains(permission) {
            onRefusal?.tell(caller, operation, call)
            throw Failure.forbidden("permission_missing", "This needs the permission \(permission).", lacking: permission)
        }
    }
}

/// What an answer is made of.
private struct Making: Sendable {
    let route: Route
    let rule: ResponseRule
    let parts: InputParts
    let caller: Caller?
    let call: Call
}

/// What the access log wants to know of a request, gathered on its way.
struct Trail {
    var route: Route?
    var template: String?
    var caller: Identifier<Account>?
    /// What the call was counted by.
    var limits: LimitTab?
    /// Whether it was refused for overload.
    var isRefused = false
    /// The code of the failure that is the answer.
    var failure: String?
}

struct MethodNotAllowed: Error {
    let allowed: String
}
