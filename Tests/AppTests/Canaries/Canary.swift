import Foundation
import MartletContract
import NIOHTTP1

/// Words that callers confide to the server, each in its own place, and that nothing it tells of itself may hold: no log, metric or trace.
enum Canary {
    static let password = "canarypassword-7c1b"
    static let token = "canarytoken-9d2e"
    static let webToken = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJjYW5hcnkifQ.canaryjwt-51fa"
    static let cookie = "canarycookie-0b3d"
    static let key = "canarykey-44c8"
    static let value = "canaryvalue-e6a0"
    static let body = "canarybody-2f97"
    static let query = "canaryquery-8ab5"
    static let path = "canarypath-c013"
    static let field = "canaryfield-b77e"
    static let email = "canaryemail-66d1@example.org"

    /// Those that are values and never names.
    static let confided = [password, token, webToken, cookie, key, value, email]
    static let all = [password, token, webToken, cookie, key, value, body, query, path, field, email]

    /// What of these words is found in a text.
    static func found(in text: String) -> [String] {
        (all + ["canary"]).filter { text.range(of: $0, options: .caseInsensitive) != nil }
    }
}

/// A request that carries canaries.
struct CanaryRequest: Sendable {
    var method: HTTPMethod
    var path: String
    var token: String?
    var headers: [(String, String)] = []
    var body: String?
}

extension CanaryRequest {
    private static let json = ("Content-Type", "application/json")
    private static let confided = [("Cookie", "martlet_refresh=\(Canary.cookie)"), ("X-Anything", Canary.field)]

    /// Requests to an endpoint in every way that fails, and in one that may not.
    static func all(to operation: APIOperation, token: String) throws -> [CanaryRequest] {
        let declared = try DeclaredRequest(operation)
        let target = try declared.target
        let body = declared.body.map { String(decoding: $0, as: UTF8.self) }
        let plain = CanaryRequest(
            method: operation.httpMethod, path: target, token: token,
            headers: confided + (declared.contentType.map { [("Content-Type", $0)] } ?? []),
            body: body)
        let asked = target + (target.contains("?") ? "&" : "?") + "\(Canary.query)=\(Canary.query)"
        let reads = [
            plain, plain.with { $0.token = nil }, plain.with { $0.token = Canary.webToken }, plain.with { $0.token = Canary.token },
            plain.with { request in
                request.token = nil
                request.headers.append(("X-Api-Key", Canary.key))
            },
            plain.with { $0.path = asked }, plain.with { $0.path = target + "/\(Canary.path)" },
            plain.with { $0.headers.append(("Idempotency-Key", Canary.key + "\u{1}")) },
        ]
        return declared.body == nil ? reads : reads + spoiled(plain)
    }

    /// Bodies that are no JSON, of other types, of a type nobody takes, and too large.
    private static func spoiled(_ plain: CanaryRequest) -> [CanaryRequest] {
        [
            plain.with { $0.body = #"{"\#(Canary.body)": "# },
            plain.with {
                $0.body = #"{"login": 1, "password": "\#(Canary.password)", "url": ["\#(Canary.value)"], "\#(Canary.field)": 1}"#
            },
            plain.with { $0.body = #""\#(Canary.body)""# },
            plain.with { request in
                request.headers.removeAll { $0.0 == "Content-Type" }
                request.headers.append(("Content-Type", "text/\(Canary.field)"))
            },
            plain.with { $0.body = #"{"url": ""# + String(repeating: Canary.body, count: 700) },
        ]
    }

    /// Requests that are known to reach the database with what was confided, or to break in the handler.
    static func known(token: String) -> [CanaryRequest] {
        let account = #"{"email":"\#(Canary.email)","username":"somebody","password":"\#(Canary.password)"}"#
        let login = #"{"login":"somebody","password":"\#(Canary.password)"}"#
        let wrong = #"{"login":"\#(Canary.email)","password":"\#(Canary.password)x"}"#
        let bookmark =
            #"{"url":"https://example.org/\#(Canary.path)?\#(Canary.query)","title":"\#(Canary.value)","tags":["\#(Canary.body)"]}"#
        let posts = [
            ("/api/v1/auth/register", account), ("/api/v1/auth/register", account), ("/api/v1/auth/login", login),
            ("/api/v1/auth/login", wrong),
            ("/api/v1/auth/refresh", #"{"refresh_token":"\#(Canary.token)"}"#), ("/api/v1/bookmarks", bookmark),
            ("/api/v1/bookmarks", bookmark),
        ]
        let gets = [
            "/api/v1/search/text?q=\(Canary.query)", "/\(Canary.path)?token=\(Canary.token)", "/test/fail?x=\(Canary.query)",
            "/test/slow-query?milliseconds=1", "/api/v1/bookmarks?cursor=\(Canary.query)", "/api/v1/bookmarks/\(Canary.path)",
            "/health/ready",
        ]
        return posts.map { CanaryRequest(method: .POST, path: $0.0, token: token, headers: confided + [json], body: $0.1) }
            + gets.map { CanaryRequest(method: .GET, path: $0, token: token, headers: confided) }
    }

    private func with(_ change: (inout CanaryRequest) -> Void) -> CanaryRequest {
        var copy = self
        change(&copy)
        return copy
    }
}
