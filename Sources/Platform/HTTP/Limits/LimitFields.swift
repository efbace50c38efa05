import Foundation
import HTTPTypes
import MartletRateLimit

/// Tells callers what their limits are and how much is left of them.
///
/// `RateLimit-Policy` and `RateLimit` are those of draft-ietf-httpapi-ratelimit-headers-10, with an item for each limit that the call was
/// counted by: `q` calls in `w` seconds, `r` of them left, all of them again in `t` seconds. The `X-RateLimit-` fields tell of the limit
/// that is nearest: the most calls, those left, and when all are back, in seconds since 1970 as most clients expect.
enum LimitFields {
    static let exposed = "RateLimit, RateLimit-Policy, X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset"

    static func apply(_ entries: [LimitEntry], to answer: inout Answer) {
        guard let nearest = entries.min(by: isNearer) else { return }
        answer.fields[.rateLimitPolicy] = entries.map(policy).joined(separator: ", ")
        answer.fields[.rateLimit] = entries.map(state).joined(separator: ", ")
        answer.fields[.rateLimitLimit] = String(nearest.decision.limit)
        answer.fields[.rateLimitRemaining] = String(nearest.decision.remaining)
        answer.fields[.rateLimitReset] = String(Int(Date().timeIntervalSince1970.rounded(.up)) + nearest.decision.resetAfter.wholeSeconds)
    }

    private static func policy(_ entry: LimitEntry) -> String {
        "\"\(entry.policy)\";q=\(entry.rate.calls);w=\(max(1, entry.rate.period.wholeSeconds))"
    }

    private static func state(_ entry: LimitEntry) -> String {
        "\"\(entry.policy)\";r=\(entry.decision.remaining);t=\(entry.decision.resetAfter.wholeSeconds)"
    }

    private static func isNearer(_ one: LimitEntry, _ other: LimitEntry) -> Bool {
        let (one, other) = (one.decision, other.decision)
        return one.isAdmitted == other.isAdmitted ? one.remaining < other.remaining : !one.isAdmitted
    }
}

extension HTTPField.Name {
    static let forwarded = known("Forwarded")
    static let forwardedFor = known("X-Forwarded-For")
    static let rateLimit = known("RateLimit")
    static let rateLimitPolicy = known("RateLimit-Policy")
    static let rateLimitLimit = known("X-RateLimit-Limit")
    static let rateLimitRemaining = known("X-RateLimit-Remaining")
    static let rateLimitReset = known("X-RateLimit-Reset")
}
