public import HTTPTypes
public import MartletCore

extension Failure.Kind {
    /// The HTTP status of the kind (RFC 9110 §15, RFC 6585).
    public var status: HTTPResponse.Status {
        switch self {
        case .malformed: .badRequest
        case .unauthenticated: .unauthorized
        case .forbidden: .forbidden
        case .notFound: .notFound
        case .methodNotAllowed: .methodNotAllowed
        case .notAcceptable: .notAcceptable
        case .conflict: .conflict
        case .gone: .gone
        case .tooLarge: .contentTooLarge
        case .unsupportedMedia: .unsupportedMediaType
        case .invalid: .unprocessableContent
        case .limited: .tooManyRequests
        case .headersTooLarge: .requestHeaderFieldsTooLarge
        case .internal: .internalServerError
        case .unavailable: .serviceUnavailable
        case .timeout: .gatewayTimeout
        }
    }
}

extension Problem {
    /// What a failure says to the caller of the request.
    public init(_ failure: Failure, requestID: String) {
        self.init(
            title: failure.kind.status.reasonPhrase, status: failure.kind.status.code, detail: failure.message, code: failure.code,
            requestId: requestID, errors: failure.faults.isEmpty ? nil : failure.faults, permission: failure.permission)
    }
}
