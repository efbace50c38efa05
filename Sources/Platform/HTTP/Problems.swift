import HTTPTypes
import HummingbirdCore
import Logging
import MartletContract
import MartletCore
import MartletWire
import NIOCore

// The one place that turns errors into answers.

extension Pipeline {
    func answer(to error: any Error, _ call: Call, _ trail: Trail) -> Answer {
        let failure = Failure(answering: error)
        log(error, failure, call, trail)
        var answer = Answer.problem(failure, requestID: call.id)
        if let refused = error as? MethodNotAllowed { answer.fields[.allow] = refused.allowed }
        if error is UnreadBody { answer.fields[.connection] = "close" }
        return answer
    }

    private func log(_ error: any Error, _ failure: Failure, _ call: Call, _ trail: Trail) {
        let cause = failure.cause ?? (error is Failure ? nil : error)
        let level: Logger.Level =
            failure.kind == .internal ? .error : failure.kind == .unavailable || failure.kind == .timeout ? .warning : .debug
        var metadata: Logger.Metadata = ["request_id": "\(call.id)", "code": "\(failure.code)", "route": "\(trail.template ?? "none")"]
        if let caller = trail.caller { metadata["user"] = "\(caller)" }
        logger.log(level: level, "\(failure.kind == .internal ? "Internal error" : "Request failed")", error: cause, metadata: metadata)
    }
}

extension Failure {
    /// The failure that an error is answered with: itself, or one that says nothing of its cause.
    init(answering error: any Error) {
        switch error {
        case let failure as Failure: self = failure
        case let unread as UnreadBody: self = unread.failure
        // The wire has answered the caller already, in the same words.
        case let refusal as Refusal: self = .malformed(refusal.code, refusal.message)
        case is MethodNotAllowed: self.init(.methodNotAllowed, "method_not_allowed", "This path has other methods: see the Allow header.")
        case is CancellationError: self = .unavailable("cancelled", "The work was cancelled before it was done.", cause: error)
        default: self.init(.internal, "internal_error", "Internal error.", cause: error)
        }
    }
}

extension Answer {
    static func problem(_ failure: Failure, requestID: String) -> Answer {
        // Strings and integers cannot fail to encode.
        let bytes = (try? WireJSON.encode(Problem(failure, requestID: requestID))) ?? []
        var answer = Answer(failure.kind.status, bytes, type: Problem.mediaType, fields: [.cacheControl: "no-store"])
        if let seconds = failure.retryAfterSeconds { answer.fields[.retryAfter] = String(seconds) }
        if failure.kind == .unauthenticated { answer.fields[.wwwAuthenticate] = "Bearer" }
        return answer
    }
}

/// A failure found before the request's body was read: the rest of the body is not wanted, so the connection closes.
struct UnreadBody: Error {
    let failure: Failure
}
