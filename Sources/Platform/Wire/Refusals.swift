import HTTPTypes

// Every answer the wire gives by itself. RFC 9112 unless said otherwise.
extension Refusal {
    // The request line (§3).
    static let malformedRequestLine = Refusal(.badRequest, "malformed_request_line", "The request line is malformed.")
    static let malformedTarget = Refusal(.badRequest, "malformed_target", "The request target is malformed.")
    static let targetTooLong = Refusal(.uriTooLong, "target_too_long", "The request target is too long.")
    static let unknownMethod = Refusal(.badRequest, "unknown_method", "The request method is not one this server knows.")
    static let connectRefused = Refusal(.badRequest, "connect_refused", "This server is not a proxy.")
    static let unsupportedVersion = Refusal(
        .badRequest, "unsupported_version", "This server speaks HTTP/1.1 and HTTP/1.0 here.")

    // Fields (§5).
    static let malformedField = Refusal(.badRequest, "malformed_header", "A header field is malformed.")
    static let bareLineFeed = Refusal(.badRequest, "malformed_line_end", "Lines must end with CR LF.")
    static let headTooLarge = Refusal(.requestHeaderFieldsTooLarge, "header_too_large", "The request's header fields are too large.")

    // Host (§3.2).
    static let missingHost = Refusal(.badRequest, "missing_host", "The Host header is missing.")
    static let duplicateHost = Refusal(.badRequest, "duplicate_host", "There is more than one Host header.")
    static let malformedHost = Refusal(.badRequest, "malformed_host", "The Host header is malformed.")

    // Framing (§6, §7).
    static let ambiguousLength = Refusal(.badRequest, "ambiguous_length", "The length of the body is ambiguous.")
    static let malformedLength = Refusal(.badRequest, "malformed_length", "The Content-Length header is malformed.")
    static let malformedEncoding = Refusal(.badRequest, "malformed_transfer_encoding", "The Transfer-Encoding header is malformed.")
    static let unsupportedEncoding = Refusal(
        .badRequest, "unsupported_transfer_encoding", "The only supported transfer encoding is chunked.")
    static let malformedChunk = Refusal(.badRequest, "malformed_chunk", "The chunked body is malformed.")
    static let bodyTooLarge = Refusal(.contentTooLarge, "body_too_large", "The request body is too large.")
    static let incompleteRequest = Refusal(.badRequest, "incomplete_request", "The request ended before it was complete.")

    // Expectations (RFC 9110 §10.1.1) and deadlines.
    static let unknownExpectation = Refusal(.expectationFailed, "unknown_expectation", "The expectation cannot be met.")
    static let headTooSlow = Refusal(.requestTimeout, "header_timeout", "The request's header took too long to arrive.")
    static let bodyTooSlow = Refusal(.requestTimeout, "body_timeout", "The request's body took too long to arrive.")
}
