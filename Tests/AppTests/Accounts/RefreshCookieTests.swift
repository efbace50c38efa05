import MartletApp
import MartletContract
import MartletCore
import MartletIdentityAPI
import MartletSettings
import MartletTestKit
import NIOHTTP1
import Testing

@Suite(.everyDatabase) struct RefreshCookieTests {
    @Test(arguments: ["register", "login"])
    func onRequestTheTokenComesAsACookieAndNotInTheBody(_ endpoint: String) async throws {
        try await withApp { app in
            let answer = try await app.cookieSession(by: endpoint)
            let cookie = try #require(Cookie(answer))
            #expect(try answer.json()["refresh_token"] == nil)
            #expect(try answer.json()["access_token"]?.text?.isEmpty == false)
            #expect(!answer.text.contains(cookie.value))
            #expect(cookie.value.count == 43)
            #expect(cookie.attributes == ["Path=/api/v1/auth", "HttpOnly", "SameSite=Strict", "Max-Age=2592000"])
        }
    }

    @Test func behindTLSTheCookieIsSecure() async throws {
        try await withApp(change: { $0.cookieSecure = true }) { app in
            let answer = try await app.cookieSession(origin: "https://127.0.0.1:\(app.port)")
            #expect(Cookie(answer)?.attributes.contains("Secure") == true)
            #expect(
                try await app.logIn("ada", Registration.password, query: "?cookie=true", headers: [("Origin", app.baseURL)]).status == 403)
        }
    }

    @Test func withoutTheRequestThereIsNoCookie() async throws {
        try await withApp { app in
            for query in ["", "?cookie=false"] {
                let answer = try await app.register(
                    ["username": .string("ada\(query.count)"), "email": .string("a\(query.count)@example.org")], query: query)
                #expect(answer.headers["Set-Cookie"].isEmpty)
                #expect(try answer.refreshToken().count == 43)
            }
        }
    }

    @Test func aPageOfTheServerRefreshesByCookie() async throws {
        try await withApp { app in
            let cookie = try #require(Cookie(try await app.cookieSession()))
            let answer = try await app.send(cookie, to: "refresh", origin: app.baseURL)
            let next = try #require(Cookie(answer))
            #expect(answer.status == 200)
            #expect(try answer.json()["refresh_token"] == nil)
            #expect(next.value != cookie.value)
            #expect(next.attributes == cookie.attributes)
            #expect(try await app.me(answer.json()["access_token"]?.text).status == 200)
        }
    }

    @Test func theCookieIsFoundAmongOthers() async throws {
        try await withApp { app in
            let cookie = try #require(Cookie(try await app.cookieSession()))
            let field = "a=b; xmartlet_refresh=no; \(cookie.pair); theme=dark"
            let answer = try await app.raw(.POST, "/api/v1/auth/refresh", headers: [("Cookie", field), ("Origin", app.baseURL)])
            #expect(answer.status == 200)
        }
    }

    @Test(arguments: ["refresh", "logout"])
    func aPageOfAnotherSiteIsRefused(_ endpoint: String) async throws {
        try await withApp { app in
            let cookie = try #require(Cookie(try await app.cookieSession()))
            let foreign = [
                nil, "https://evil.example", "null", "", "\(app.baseURL).evil.example", "\(app.baseURL)/", "http://127.0.0.1",
                "http://localhost:\(app.port)",
                "*", "\(app.baseURL), https://evil.example",
            ]
            for origin in foreign {
                let answer = try await app.send(cookie, to: endpoint, origin: origin)
                #expect(answer.status == 403, "origin \(origin ?? "missing")")
                #expect(try answer.problem().code == "origin_refused")
                #expect(Cookie(answer) == nil)
            }
            #expect(try await app.send(cookie, to: "refresh", origin: app.baseURL).status == 200, "The session is as it was.")
        }
    }

    @Test(arguments: ["register", "login"])
    func aPageOfAnotherSiteGetsNoCookie(_ endpoint: String) async throws {
        try await withApp { app in
            _ = try await app.register()
            let answer = try await app.cookieSession(by: endpoint, name: "eve", origin: "https://evil.example")
            #expect(answer.status == 403)
            #expect(Cookie(answer) == nil)
        }
    }

    @Test func aPageOfAConfiguredOriginRefreshesByCookie() async throws {
        let origin = try #require(WebOrigin("https://app.example.org"))
        try await withApp(change: { $0.corsOrigins = .only([origin]) }) { app in
            let cookie = try #require(Cookie(try await app.cookieSession(origin: origin.description)))
            #expect(try await app.send(cookie, to: "refresh", origin: origin.description).status == 200)
            #expect(try await app.send(cookie, to: "refresh", origin: "https://app.example.org.evil.example").status == 403)
        }
    }

    @Test func whereAnyOriginMayCallNoneMayUseTheCookie() async throws {
        try await withApp(change: { $0.corsOrigins = .all }) { app in
            let cookie = try #require(Cookie(try await app.cookieSession()))
            #expect(try await app.send(cookie, to: "refresh", origin: "https://evil.example").status == 403)
            #expect(try await app.send(cookie, to: "refresh", origin: "*").status == 403)
        }
    }

    @Test func logoutEndsTheSessionAndClearsTheCookie() async throws {
        try await withApp { app in
            let cookie = try #require(Cookie(try await app.cookieSession()))
            let answer = try await app.send(cookie, to: "logout", origin: app.baseURL)
            let cleared = try #require(Cookie(answer))
            #expect(answer.status == 204)
            #expect(cleared.value.isEmpty)
            #expect(cleared.attributes == ["Path=/api/v1/auth", "HttpOnly", "SameSite=Strict", "Max-Age=0"])
            #expect(try await app.send(cookie, to: "refresh", origin: app.baseURL).status == 401)
        }
    }

    @Test func withNeitherCookieNorTokenThereIsNothingToRefresh() async throws {
        try await withApp { app in
            for headers in [[], [("Cookie", "theme=dark"), ("Origin", app.baseURL)]] {
                let answer = try await app.raw(.POST, "/api/v1/auth/refresh", headers: headers)
                #expect(answer.status == 401)
                #expect(try answer.problem().code == "refresh_token_missing")
            }
        }
    }

    @Test(arguments: ["", "garbage", "\"quoted\"", "q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA"])
    func aCookieThatIsNoTokenIsRefused(_ value: String) async throws {
        try await withApp { app in
            let answer = try await app.send(Cookie(value: value), to: "refresh", origin: app.baseURL)
            #expect(answer.status == 401)
            #expect(try answer.problem().code == "invalid_refresh_token")
        }
    }
}

/// The refresh cookie as an answer sets it.
private struct Cookie: Equatable {
    var value: String
    var attributes: Set<String> = []

    var pair: String { "martlet_refresh=\(value)" }

    init(value: String) { self.value = value }

    /// `nil` when the answer sets no cookie, or more than one.
    init?(_ answer: RawAnswer) {
        let fields = answer.headers["Set-Cookie"]
        guard fields.count == 1, fields[0].hasPrefix("martlet_refresh=") else { return nil }
        let parts = fields[0].split(separator: "; ", omittingEmptySubsequences: false).map(String.init)
        value = String(parts[0].dropFirst("martlet_refresh=".count))
        attributes = Set(parts.dropFirst())
    }
}

extension TestApp {
    /// Registers, or also logs in, as a page of `origin` does that wants a cookie.
    fileprivate func cookieSession(by endpoint: String = "register", name: String = "ada", origin: String? = nil) async throws -> RawAnswer
    {
        let headers = [("Origin", origin ?? baseURL)]
        let account: [String: JSON?] = ["username": .string(name), "email": .string("\(name)@example.org")]
        guard endpoint == "login" else { return try await register(account, query: "?cookie=true", headers: headers) }
        _ = try await register(account)
        return try await logIn(name, Registration.password, query: "?cookie=true", headers: headers)
    }

    fileprivate func send(_ cookie: Cookie, to endpoint: String, origin: String?) async throws -> RawAnswer {
        try await raw(.POST, "/api/v1/auth/\(endpoint)", headers: [("Cookie", cookie.pair)] + (origin.map { [("Origin", $0)] } ?? []))
    }
}
