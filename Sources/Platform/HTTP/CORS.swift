import HTTPTypes
import HummingbirdCore

/// Which web pages of other origins may call (Fetch standard §3.2).
public struct CORS: Sendable {
    private let origins: Set<String>
    private let allowsAny: Bool
    private let allowsCredentials: Bool
    private let maximumAge: Int

    /// - Parameters:
    ///   - origins: Exact origins such as `https://app.example.org`, or `*` alone; `*` never goes with credentials.
    ///   - maximumAgeSeconds: How long browsers may remember a preflight.
    public init(origins: [String] = [], allowsCredentials: Bool = false, maximumAgeSeconds: Int = 600) {
        self.origins = Set(origins)
        self.allowsAny = origins.contains("*")
        self.allowsCredentials = allowsCredentials && !origins.contains("*")
        self.maximumAge = maximumAgeSeconds
    }

    /// Whether pages of the origin may call.
    public func allows(_ origin: String) -> Bool {
        allowsAny || origins.contains(origin)
    }

    /// The answer to OPTIONS: to a browser's preflight, or to whoever asks for the methods of a path.
    func preflight(_ request: HTTPRequest, allowed: String) -> Answer {
        var fields: HTTPFields = [.allow: allowed]
        if let origin = request.headerFields[.origin], request.headerFields.contains(.accessControlRequestMethod), allows(origin) {
            fields[.accessControlAllowMethods] = allowed
            fields[.accessControlAllowHeaders] = "Authorization, Content-Type, Idempotency-Key, Last-Event-ID, X-Request-ID"
            fields[.accessControlMaxAge] = String(maximumAge)
        }
        return Answer(.noContent, fields: fields)
    }

    func apply(to answer: inout Answer, for request: HTTPRequest) {
        guard !origins.isEmpty else { return }
        if !allowsAny { answer.fields.addVary("Origin") }
        guard let origin = request.headerFields[.origin], allows(origin) else { return }
        answer.fields[.accessControlAllowOrigin] = allowsAny ? "*" : origin
        answer.fields[.accessControlExposeHeaders] =
            "X-Request-ID, Retry-After, Content-Disposition, Idempotency-Replayed, \(LimitFields.exposed)"
        if allowsCredentials { answer.fields[.accessControlAllowCredentials] = "true" }
    }
}

extension HTTPFields {
    mutating func addVary(_ name: String) {
        self[.vary] = self[.vary].map { "\($0), \(name)" } ?? name
    }
}
