import HTTPTypes
import MartletContract

/// What OpenAPI says of the limits.
enum LimitDescriptions {
    /// The components that ``references`` names.
    static let headers: JSON = .object(
        described.map { name, text in
            .init(name.rawName, ["description": .string(text), "schema": ["type": name.isText ? "string" : "integer"]])
        })

    /// The header of an answer that was counted.
    static let references: JSON = .object(
        described.filter { $0.name != .retryAfter }.map { name, _ in .init(name.rawName, reference(to: name)) })

    /// 429.
    static let answer: JSON = [
        "description": "These were too many calls: wait as long as `Retry-After` says (RFC 9110 §10.2.3).",
        "headers": .object(described.map { name, _ in .init(name.rawName, reference(to: name)) }),
        "content": .object([.init(Problem.mediaType, ["schema": ["$ref": "#/components/schemas/Problem"]])]),
    ]

    private static let described: [(name: HTTPField.Name, text: String)] = [
        (.rateLimitPolicy, "The limits that the call was counted by: `q` calls in `w` seconds (draft-ietf-httpapi-ratelimit-headers-10)."),
        (.rateLimit, "What is left of them: `r` calls now, and all of them again in `t` seconds."),
        (.rateLimitLimit, "The most calls at once, of the limit that is nearest."),
        (.rateLimitRemaining, "How many of them are left."),
        (.rateLimitReset, "When all of them are back, in seconds since 1970."),
        (.retryAfter, "In how many seconds to try again."),
    ]

    private static func reference(to name: HTTPField.Name) -> JSON {
        ["$ref": .string("#/components/headers/\(name.rawName)")]
    }
}

extension HTTPField.Name {
    fileprivate var isText: Bool { self == .rateLimit || self == .rateLimitPolicy }
}
