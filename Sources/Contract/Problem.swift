public import MartletCore

/// What an answer that is not a success says (RFC 9457, `application/problem+json`).
public struct Problem: Error, Codable, Sendable, Equatable {
    public static let mediaType = "application/problem+json"

    /// A URI that names the kind of problem.
    public var type: String
    public var title: String
    public var status: Int
    public var detail: String
    /// A stable name for programs, such as `bookmark_exists`.
    public var code: String
    /// The request this answers, as in the `X-Request-ID` header and the server's log.
    public var requestId: String
    /// Every fault of a bad input.
    public var errors: [Fault]?
    /// The permission that the caller lacks, such as `bookmarks:read`.
    public var permission: String?

    public init(
        type: String = "about:blank", title: String, status: Int, detail: String, code: String, requestId: String, errors: [Fault]? = nil,
        permission: String? = nil
    ) {
        self.type = type
        self.title = title
        self.status = status
        self.detail = detail
        self.code = code
        self.requestId = requestId
        self.errors = errors
        self.permission = permission
    }
}
