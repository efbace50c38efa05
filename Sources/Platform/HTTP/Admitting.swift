import HTTPTypes
import HummingbirdCore
import MartletContract
import MartletCore
import MartletOverload
import NIOCore

// What the pipeline does about overload: requests begin when there is room, and are refused cheaply when there is none.

extension WorkClass {
    /// By what an operation declares.
    init(_ operation: APIOperation) {
        let path = operation.path.path
        let isVital = path.hasPrefix("/health") || path.hasPrefix("/metrics") || path.contains("/admin/")
        switch operation.limit {
        case _ where isVital: self = .vital
        case .login: self = .login
        case .writes: self = .writes
        case .reads, .none: self = .reads
        case .costly: self = .bulk
        }
    }
}

extension Pipeline {
    /// The answer to a request that would wait in vain, made before anything is spent on it; `nil` for those to be served, as nearly all are.
    ///
    /// What may be answered with what is kept is not turned away: that costs no more than this.
    func turnAway(_ request: HTTPRequest, on channel: any Channel) -> (HTTPResponse, ByteBuffer)? {
        guard let admission, let route = admission.isShedding ? self.route(of: request) : nil,
            route.responses == nil || responses == nil, let refusal = admission.turnAway(route.workClass)
        else { return nil }
        let call = call(request, on: channel)
        var answer = Answer.overloaded(refusal, requestID: call.id)
        complete(&answer, for: call, Trail())
        metrics.turnedAway(request, route, answer)
        guard case .whole(let body) = answer.body else { return nil }
        answer.fields[.contentLength] = String(body.readableBytes)
        return (HTTPResponse(status: answer.status, headerFields: answer.fields), body)
    }

    /// A path that cannot be decoded has none; whoever serves the request says so.
    private func route(of request: HTTPRequest) -> Route? {
        (try? routes.match(request.method, RequestTarget(request).path))?.flatMap(\.route)
    }

    /// Returns when there is room for work of the route; throws ``Overloaded`` when there is none.
    func enter(_ route: Route) async throws {
        try await admission?.enter(route.workClass, by: .now + policy.requestTimeout)
    }

    /// Reads what the operation takes. Who is slow to send a body takes no place meanwhile: a few such clients would keep out all others.
    func read(
        _ request: Request, of route: Route, _ target: RequestTarget, _ parameters: [(name: String, value: String)], on channel: any Channel
    ) async throws -> ReadRequest {
        let reader = RequestReader(route.operation, policy)
        guard let admission, !route.operation.body.accepts.isEmpty else {
            return try await reader.read(request, target, parameters, on: channel)
        }
        admission.leave(route.workClass)
        defer { admission.comeBack(route.workClass) }
        return try await reader.read(request, target, parameters, on: channel)
    }
}

extension Answer {
    /// The answer to a request that was refused for overload. Its body is made of one text with the request's name in it, since encoding
    /// one each time would cost more than all the rest.
    static func overloaded(_ refusal: Overloaded, requestID: String) -> Answer {
        let (before, after) = overloadedProblem
        var body = ByteBuffer()
        body.reserveCapacity(before.utf8.count + requestID.utf8.count + after.utf8.count)
        body.writeString(before)
        body.writeString(requestID)
        body.writeString(after)
        let fields: HTTPFields = [
            .contentType: Problem.mediaType, .cacheControl: "no-store", .retryAfter: String(refusal.retryAfterSeconds),
        ]
        return Answer(.serviceUnavailable, fields: fields, body: .whole(body))
    }

    /// What stands before and behind the request's id, which has no character that JSON escapes.
    private static let overloadedProblem: (String, String) = {
        let failure = Failure.unavailable("overloaded", "There is too much to do at this moment: try again later.")
        let mark = "request-id-here"
        // Strings and integers cannot fail to encode.
        let text = String(decoding: (try? WireJSON.encode(Problem(failure, requestID: mark))) ?? [], as: UTF8.self)
        guard let place = text.firstRange(of: mark) else { return (text, "") }
        return (String(text[..<place.lowerBound]), String(text[place.upperBound...]))
    }()
}
