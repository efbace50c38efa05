import HTTPTypes
public import HummingbirdCore
public import Logging
import MartletContract
import MartletCore
import MartletWire
public import NIOCore

/// The way of every request, in order.
///
/// Before it stands the wire (framing, deadlines of slow peers, connection caps); behind it the handlers.
public struct Pipeline: Sendable {
    let routes: RouteTable
    let authenticator: any Authenticator
    let policy: HTTPPolicy
    let deadlines: Deadlines
    let streams: EventStreams
    let logger: Logger

    public init(
        routes: [Route], authenticator: any Authenticator, policy: HTTPPolicy, deadlines: Deadlines,
        streams: EventStreams = EventStreams(), logger: Logger
    ) {
        self.routes = RouteTable(routes)
        self.authenticator = authenticator
        self.policy = policy
        self.deadlines = deadlines
        self.streams = streams
        self.logger = logger
    }

    /// Answers a request. Every answer has a request id, security headers and a line in the access log; failures are Problems.
    public func respond(to request: Request, on channel: any Channel) async -> Answer {
        let start = ContinuousClock.now
        let call = Call(id: RequestID.of(request.head), request: request.head, channel: channel)
        var trail = Trail()
        var answer: Answer
        do {
            answer = try await handle(request, call, &trail)
        } catch {
            answer = self.answer(to: error, call, trail)
        }
        policy.compression.apply(to: &answer, for: request.head)
        policy.cors.apply(to: &answer, for: request.head)
        SecurityHeaders.apply(to: &answer, overTLS: policy.isSecure(request.head))
        answer.fields.set(HTTPField(name: RequestID.field, value: call.id))
        answer.fields.set(HTTPField(name: .date, value: HTTPDate.now))
        policy.accessLog.note(call, trail, answer, since: start, logger)
        return answer
    }

    private func handle(_ request: Request, _ call: Call, _ trail: inout Trail) async throws -> Answer {
        let target = RequestTarget(request.head)
        if request.method == .options, target.path == "*" { return Answer(.noContent) }
        guard let match = try routes.match(request.method, target.path) else {
            throw Failure.notFound("no_such_path", "There is nothing here.")
        }
        if request.method == .options { return policy.cors.preflight(request.head, allowed: match.allowed) }
        guard let route = match.route else { throw MethodNotAllowed(allowed: match.allowed) }
        trail.template = route.operation.path.path

        let caller = try await admitted(request.head, to: route.operation, &trail)
        let parts = try await RequestReader(route.operation, policy).parts(of: request, target, match.parameters, on: call.channel)
        return try await deadlines.run(within: policy.requestTimeout) {
            try await CurrentRequest.$id.withValue(call.id) {
                try await route.run(parts, caller, call)
            }
        }
    }

    /// Who calls, if they may; endpoints that are open to anyone do not ask.
    private func admitted(_ request: HTTPRequest, to operation: APIOperation, _ trail: inout Trail) async throws -> Caller? {
        guard operation.access != .anyone else { return nil }
        guard let caller = try await authenticator.caller(of: request) else { throw Failure.authenticationMissing }
        trail.caller = caller.id
        if case .scope(let scope) = operation.access, !caller.scopes.contains(scope) {
            throw Failure.forbidden("permission_missing", "This needs the permission \(scope).")
        }
        return caller
    }
}

/// What the access log wants to know of a request, gathered on its way.
struct Trail {
    var template: String?
    var caller: Identifier<Account>?
}

struct MethodNotAllowed: Error {
    let allowed: String
}
