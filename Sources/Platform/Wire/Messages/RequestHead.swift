import HTTPTypes

/// A request's head, understood: what the endpoint sees, and what the connection must know to read the rest.
struct RequestHead: Sendable {
    var request: HTTPRequest
    var body: BodyFraming
    /// HTTP/1.0 peers understand neither chunks nor informational responses.
    var isHTTP10: Bool
    /// Whether the connection may be used again after the response (RFC 9112 §9.3).
    var keepsOpen: Bool
    /// Whether the client waits for `100 Continue` before it sends the body.
    var expectsContinue: Bool
}

/// How the end of a request's body is found (RFC 9112 §6.3).
enum BodyFraming: Sendable, Hashable {
    case none
    /// Exactly this many bytes, at least one.
    case length(Int)
    case chunked

    /// Whether it is known to be no longer.
    func isAtMost(_ bytes: Int) -> Bool {
        switch self {
        case .none: true
        case .length(let length): length <= bytes
        case .chunked: false
        }
    }
}
