import HTTPTypes
import MartletCore
import MartletIdentityAPI

/// The refresh token as a cookie: out of the reach of scripts, and honoured only for pages of known origins.
struct RefreshCookies: Sendable {
    static let name = "martlet_refresh"
    private let policy: IdentityPolicy.Cookies

    init(_ policy: IdentityPolicy.Cookies) {
        self.policy = policy
    }

    /// The token in the body, or else in the cookie, for which the request's origin must be known.
    func token(of request: HTTPRequest, orGiven given: RefreshToken?) throws(Failure) -> (token: RefreshToken, isCookie: Bool) {
        if let given { return (given, false) }
        guard let text = cookie(Self.name, of: request) else {
            throw .unauthenticated("refresh_token_missing", "This needs a refresh token.")
        }
        try checkOrigin(of: request, isCookie: true)
        do throws(Fault) {
            return (try RefreshToken(text), true)
        } catch {
            throw .unauthenticated("invalid_refresh_token", "The refresh token is not valid.")
        }
    }

    /// Refuses a cookie for pages of other sites (RFC 6265 §8.2): browsers say where a page comes from, and it must be us or a known origin.
    func checkOrigin(of request: HTTPRequest, isCookie: Bool) throws(Failure) {
        guard isCookie else { return }
        let origin = request.headerFields[.origin]
        guard let origin, policy.origins.contains(origin) || isOwn(origin, request) else {
            throw .forbidden("origin_refused", "Cookies are used only for pages of this server or of a configured origin.")
        }
    }

    private func isOwn(_ origin: String, _ request: HTTPRequest) -> Bool {
        guard let authority = request.authority else { return false }
        return origin == "https://\(authority)" || (!policy.areSecure && origin == "http://\(authority)")
    }

    func cookie(_ name: String, of request: HTTPRequest) -> String? {
        let pairs = request.headerFields[values: .cookie].flatMap { $0.split(separator: ";") }
        let found = pairs.first { $0.drop { $0 == " " }.hasPrefix("\(name)=") }
        return found.map { String($0.drop { $0 != "=" }.dropFirst()).filter { $0 != " " } }
    }

    func setting(_ token: RefreshToken, lifetime: Duration) -> HTTPFields {
        [.setCookie: "\(Self.name)=\(token.raw); \(attributes); Max-Age=\(lifetime.components.seconds)", .cacheControl: "no-store"]
    }

    var cleared: HTTPFields {
        [.setCookie: "\(Self.name)=; \(attributes); Max-Age=0"]
    }

    var attributes: String {
        "Path=/api/v1/auth; HttpOnly; SameSite=Strict" + (policy.areSecure ? "; Secure" : "")
    }
}
