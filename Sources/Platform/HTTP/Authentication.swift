public import Foundation
public import MartletContract
public import MartletCore

/// How and when a caller proved who they are: `amr` and `auth_time` of OpenID Connect Core 1.0 §2.
public struct Authentication: Sendable, Hashable {
    /// The ways of RFC 8176: `pwd`, `otp`, `mfa`, and whatever else an issuer writes.
    public let methods: Set<String>
    /// The last time that all of it was proven. Exchanging a refresh token proves nothing anew.
    public let at: Date

    public init(methods: Set<String>, at: Date) {
        (self.methods, self.at) = (methods, at)
    }

    /// Whether more than one factor was shown.
    public var isMultiFactor: Bool { methods.contains("mfa") }
}

extension Authenticator {
    /// Refuses: for those that do not know how their callers have proven who they are.
    public func requireRecent(_ caller: Caller, within age: Duration) async throws {
        throw Failure.stepUpRequired(within: age)
    }
}

extension Failure {
    /// What an operation that is `recent:` answers callers who have not proven who they are for too long.
    public static func stepUpRequired(within age: Duration) -> Failure {
        let minutes = max(1, age.components.seconds / 60)
        return .forbidden(
            "step_up_required",
            "This needs proof of who you are from the last \(minutes) minutes: send a code, or your password, to /api/v1/auth/step-up.")
    }
}

/// Serves an endpoint to callers who are signed in; the handler sees the call itself, too, and may add header fields to its reply.
public func serve<Input, Output>(
    replying endpoint: Endpoint<Input, Output>, _ handler: @escaping @Sendable (Input, Caller, Call) async throws -> Reply<Output>
) -> Route {
    let operation = endpoint.operation
    precondition(operation.access != .anyone, "\(operation.path) is open to anyone: use serve(open:).")
    precondition(!operation.isEventStream, "\(operation.path) answers with events: use serve(events:).")
    precondition(!operation.takesIdempotencyKey, "\(operation.path) takes a key: use serve(_:in:).")
    precondition(operation.cache == nil, "\(operation.path) is kept: its answers have no header fields of their own.")
    return Route(operation: operation) { parts, caller, call in
        guard let caller else { throw Failure.authenticationMissing }
        return try endpoint.answer(with: try await handler(endpoint.input.read(parts), caller, call))
    }
}
