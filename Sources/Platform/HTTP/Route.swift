// MartletHTTP: endpoints served. The way of every request is in Pipeline.swift, top to bottom.

public import Foundation
public import HTTPTypes
import MartletCache
public import MartletContract
public import MartletCore
import MartletOverload
import MartletSupervisor
import MartletTelemetry
import NIOCore

/// An operation and what answers it.
///
/// A class, since every request takes its route from the table, and a copy of a declaration is dozens of references counted.
public final class Route: Sendable {
    public let operation: APIOperation
    /// Method and template, as in the record of a crash.
    let name: String
    /// How its answers are kept; `nil` when each is made anew.
    let responses: ResponseRule?
    /// How much it matters under overload.
    let workClass: WorkClass
    /// Whether its answers are routine, and no news for the log.
    let isQuiet: Bool
    let run: @Sendable (InputParts, Caller?, Call) async throws -> Answer

    /// For the ways to serve an endpoint.
    package init(
        operation: APIOperation, isQuiet: Bool = false, run: @escaping @Sendable (InputParts, Caller?, Call) async throws -> Answer
    ) {
        (self.operation, self.isQuiet, self.run) = (operation, isQuiet, run)
        name = "\(operation.method.rawValue) \(operation.path.path)"
        responses = ResponseRule(operation)
        workClass = WorkClass(operation)
    }
}

extension Route {
    /// The same under a further path, which is listed nowhere.
    func alias(_ path: String) -> Route {
        precondition(operation.fields.isEmpty, "An alias has nothing to fill in its path with.")
        return Route(operation: operation.at(PathTemplate(path)), run: run)
    }

    /// Serves something at a path that is no endpoint: a page, a script. It is listed nowhere.
    package convenience init(page path: String, _ run: @escaping @Sendable (InputParts) async throws -> Answer) {
        self.init(operation: .page(path)) { parts, _, _ in try await run(parts) }
    }

    /// The same, for a page that asks who calls.
    convenience init(page path: String, isQuiet: Bool, _ run: @escaping @Sendable (Call) async throws -> Answer) {
        self.init(operation: .page(path), isQuiet: isQuiet) { _, _, call in try await run(call) }
    }
}

extension APIOperation {
    fileprivate static func page(_ path: String) -> APIOperation {
        APIOperation(
            method: .get, path: PathTemplate(path), summary: "", details: "", access: .anyone, success: .ok, limit: .none,
            isIdempotent: true,
            body: .none, fields: [], answer: .empty, failures: [])
    }
}

/// Serves an endpoint to callers who are signed in; who they are is the handler's second argument.
public func serve<Input, Output>(
    _ endpoint: Endpoint<Input, Output>, _ handler: @escaping @Sendable (Input, Caller) async throws -> Output
) -> Route {
    precondition(endpoint.operation.access != .anyone, "\(endpoint.operation.path) is open to anyone: use serve(open:).")
    precondition(!endpoint.operation.isEventStream, "\(endpoint.operation.path) answers with events: use serve(events:).")
    precondition(!endpoint.operation.takesIdempotencyKey, "\(endpoint.operation.path) takes a key: use serve(_:in:).")
    let read = endpoint.reader
    return Route(operation: endpoint.operation) { parts, caller, _ in
        guard let caller else { throw Failure.authenticationMissing }
        return try endpoint.answer(with: Reply(try await handler(read(parts), caller)))
    }
}

/// Serves an endpoint that anyone may call; the handler sees the call itself, and may add header fields to its reply.
public func serve<Input, Output>(
    open endpoint: Endpoint<Input, Output>, _ handler: @escaping @Sendable (Input, Call) async throws -> Reply<Output>
) -> Route {
    precondition(endpoint.operation.access == .anyone, "\(endpoint.operation.path) needs a caller: use serve(_:).")
    precondition(!endpoint.operation.isEventStream, "\(endpoint.operation.path) answers with events, which are for callers.")
    precondition(!endpoint.operation.takesIdempotencyKey, "\(endpoint.operation.path) takes a key, which belongs to a caller.")
    let read = endpoint.reader
    return Route(operation: endpoint.operation) { parts, _, call in
        try endpoint.answer(with: try await handler(read(parts), call))
    }
}

/// What a handler answers, with header fields beside it.
public struct Reply<Output: Sendable>: Sendable {
    public var output: Output
    public var fields: HTTPFields

    public init(_ output: Output, fields: HTTPFields = [:]) {
        self.output = output
        self.fields = fields
    }
}

/// Who calls, as their credentials say.
public struct Caller: Sendable, Hashable {
    public let id: Identifier<Account>
    /// What they may do: by their own roles, and by their role in the organisation.
    public let permissions: Set<Permission>
    /// The organisation that they act for at the moment, of which they are a member; `nil` for themselves alone.
    public let organisation: Identifier<Organisation>?
    /// The login that the credentials descend from; `nil` for credentials without one.
    public let session: Identifier<LoginSession>?
    /// How and when the caller proved who they are; `nil` where the credentials do not say.
    public let authentication: Authentication?
    /// The key that a program calls with in their place; `nil` for tokens.
    public let apiKey: Identifier<APIKey>?

    public init(
        id: Identifier<Account>, permissions: Set<Permission>, organisation: Identifier<Organisation>? = nil,
        session: Identifier<LoginSession>? = nil, authentication: Authentication? = nil, apiKey: Identifier<APIKey>? = nil
    ) {
        self.id = id
        self.permissions = permissions
        self.organisation = organisation
        self.session = session
        self.authentication = authentication
        self.apiKey = apiKey
    }
}

/// Finds out who calls.
public protocol Authenticator: Sendable {
    /// The caller that the request's credentials name; `nil` when it has none. Throws `unauthenticated` for bad ones, and
    /// `forbidden` or `conflict` for good ones that open no account.
    func caller(of request: HTTPRequest) async throws -> Caller?

    /// Throws `forbidden`, code `step_up_required`, unless the caller has proven who they are within that time, as well as they can.
    func requireRecent(_ caller: Caller, within age: Duration) async throws
}

/// One request, without its input.
public struct Call: Sendable {
    /// As in the `X-Request-ID` header of the answer and in every line of the log.
    public let id: String
    public let request: HTTPRequest
    let channel: any Channel
    /// Where the request came from: the peer, or whom a trusted proxy asks for; `nil` for sockets that have no such address.
    public let client: IPAddress?
    /// The trace that it belongs to; `nil` where nothing is traced.
    var trace: Trace?
    /// What the call is counted by; `nil` when it is not counted.
    var limits: LimitTab?
    /// What tells of the call should the process crash in it.
    var note: InFlightNote?
    /// SHA-256 of the body as it came; `nil` for an empty one, and where no `Idempotency-Key` was given or is taken.
    package var bodyDigest: [UInt8]?

    /// The client's address as text, without a port; `unknown` when it has none.
    public var address: String { client?.description ?? "unknown" }

    /// Counts the call against the endpoint's limit by an account too, as it was named, in whatever case; to be called before the work.
    ///
    /// So that guesses at one account's password are bounded, wherever they come from. Whether there is such an account makes no
    /// difference. Throws `limited`, code `rate_limited`, when it is one call too many; each call counts.
    public func limit(account login: String) async throws {
        try await limits?.take(.account(login))
    }
}

extension Endpoint {
    /// Reads the input. Where answers are kept it also says what they depend on: by the parameters as they were understood, since a write
    /// knows only these, and not how somebody wrote them.
    fileprivate var reader: @Sendable (InputParts) throws -> Input {
        guard let rule = ResponseRule(operation) else { return input.read }
        return { [input] parts in
            let read = try input.read(parts)
            CacheTags.use(rule.tags(for: try input.write(read).path))
            return read
        }
    }

    /// The answer that a reply is sent as.
    package func answer(with reply: Reply<Output>) throws -> Answer {
        var answer: Answer
        switch output {
        case .whole(let encode, _):
            let status = operation.success.status
            answer = try encode(reply.output).map { Answer(status, $0, type: "application/json") } ?? Answer(status)
        case .promised(let encode, _):
            let (success, bytes) = try encode(reply.output)
            answer = Answer(success.status, bytes, type: "application/json")
        case .stream(let encode, _):
            answer = Answer(encode(reply.output))
        case .events: preconditionFailure("\(operation.path) answers with events: use serve(events:).")
        }
        answer.fields.append(contentsOf: reply.fields)
        return answer
    }
}

extension Failure {
    package static let authenticationMissing = Failure.unauthenticated("authentication_required", "This needs a caller who is signed in.")
}
