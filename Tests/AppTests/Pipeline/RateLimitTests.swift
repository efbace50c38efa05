import Foundation
import MartletContract
import MartletCore
import MartletIdentityAPI
import MartletSettings
import MartletTestKit
import MartletTestServers
import MartletTestSupport
import NIOHTTP1
import Testing

@Suite("Rate limits", .everyDatabase)
struct RateLimitsOfCalls {
    private static let me = "/api/v1/auth/me"

    /// Limits that nothing else of a test reaches, but for those that it sets.
    private func limited(_ change: [String: String] = [:], _ body: (TestApp) async throws -> Void) async throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        let settings = try folder.settings(
            [
                "RATE_LIMIT_ENABLED": "true", "RATE_LIMIT_READS": "1000/h", "RATE_LIMIT_WRITES": "1000/h", "RATE_LIMIT_LOGIN": "1000/h",
                "RATE_LIMIT_COSTLY": "1000/h",
            ].merging(change) { $1 })
        try await withRunningApp(settings, folder: folder.path, body)
    }

    // MARK: What answers say

    @Test func areToldWithEveryAnswerThatWasCounted() async throws {
        try await limited(["RATE_LIMIT_READS": "3/min"]) { app in
            let token = try await app.token()
            let answer = try await app.raw(.GET, Self.me, token: token)
            #expect(answer.status == 200)
            #expect(answer["RateLimit-Policy"] == #""reads";q=3;w=60"#)
            #expect(answer["RateLimit"] == #""reads";r=2;t=20"#)
            #expect(answer["X-RateLimit-Limit"] == "3" && answer["X-RateLimit-Remaining"] == "2")
            let reset = try #require(answer["X-RateLimit-Reset"].flatMap(Double.init))
            #expect((0...120).contains(reset - Date().timeIntervalSince1970))
            #expect(answer["Retry-After"] == nil)

            let missing = try await app.raw(.GET, "/api/v1/bookmarks/\(Identifier<Account>())", token: token)
            #expect(missing.status == 404 && missing["RateLimit"]?.hasPrefix(#""reads";r=1;"#) == true)
        }
    }

    @Test func areProblemsWhenTheyAreReached() async throws {
        try await limited(["RATE_LIMIT_READS": "2/h"]) { app in
            let token = try await app.token()
            for _ in 0..<2 { #expect(try await app.me(token).status == 200) }
            let refused = try await app.raw(.GET, Self.me, token: token)
            #expect(refused.status == 429)
            #expect(try refused.problem().code == "rate_limited")
            #expect(refused["Content-Type"] == Problem.mediaType)
            let wait = try #require(refused["Retry-After"].flatMap { Int($0) })
            #expect((1700...1800).contains(wait))
            #expect(refused["RateLimit"]?.hasPrefix(#""reads";r=0;t="#) == true)
            #expect(refused["X-RateLimit-Remaining"] == "0")
        }
    }

    @Test func mayBeReadByPagesOfOtherOrigins() async throws {
        try await limited(["CORS_ORIGINS": "https://app.example.org"]) { app in
            let answer = try await app.raw(.GET, Self.me, headers: [("Origin", "https://app.example.org")])
            let exposed = answer["Access-Control-Expose-Headers"] ?? ""
            for name in ["RateLimit", "RateLimit-Policy", "X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset", "Retry-After"]
            {
                #expect(exposed.split(separator: ", ").contains { $0 == name }, "\(name)")
            }
        }
    }

    @Test func doNotHoldForWhatHasNone() async throws {
        try await limited(["RATE_LIMIT_READS": "1/h", "RATE_LIMIT_WRITES": "1/h", "RATE_LIMIT_LOGIN": "1/h"]) { app in
            for _ in 0..<5 {
                let answer = try await app.raw(.GET, "/health/live")
                #expect(answer.status == 200 && answer["RateLimit"] == nil)
                #expect(try await app.raw(.GET, "/nothing").status == 404)
                #expect(try await app.raw(.OPTIONS, Self.me).status == 204)
            }
        }
    }

    @Test func doNotHoldWhenTurnedOff() async throws {
        try await limited(["RATE_LIMIT_ENABLED": "false", "RATE_LIMIT_READS": "1/h"]) { app in
            let token = try await app.token()
            for _ in 0..<3 { #expect(try await app.raw(.GET, Self.me, token: token)["RateLimit"] == nil) }
        }
    }

    // MARK: Who is counted

    @Test func holdForEachUserWhereverTheyCallFrom() async throws {
        try await limited(["RATE_LIMIT_READS": "2/h", "TRUSTED_PROXIES": "127.0.0.1"]) { app in
            let (ada, bob) = (try await app.token("ada"), try await app.token("bob"))
            for (address, status) in [("192.0.2.1", 200), ("192.0.2.2", 200), ("192.0.2.3", 429)] {
                let answer = try await app.raw(.GET, Self.me, token: ada, headers: [("X-Forwarded-For", address)])
                #expect(answer.status == status)
            }
            #expect(try await app.me(bob).status == 200)
        }
    }

    @Test func areCountedForEachKindOfCallByItself() async throws {
        try await limited(["RATE_LIMIT_READS": "1/h", "RATE_LIMIT_WRITES": "1/h"]) { app in
            let token = try await app.token()
            let save = {
                try await app.raw(.POST, "/api/v1/bookmarks", token: token, json: #"{"url":"https://example.org/\#($0 as Int)"}"#)
            }
            #expect(try await app.me(token).status == 200)
            #expect(try await save(1).status == 201)
            #expect(try await app.me(token).status == 429)
            #expect(try await save(2).status == 429)
        }
    }

    @Test func boundGuessesOfTokensByAddress() async throws {
        try await limited(["RATE_LIMIT_READS": "3/h", "TRUSTED_PROXIES": "127.0.0.1"]) { app in
            for guess in [nil, "mk_guess", "a.b.c"] {
                let answer = try await app.raw(.GET, Self.me, token: guess, headers: [("X-Forwarded-For", "192.0.2.1")])
                #expect(answer.status == 401 && answer["RateLimit"] != nil)
            }
            #expect(try await app.raw(.GET, Self.me, token: "d", headers: [("X-Forwarded-For", "192.0.2.1")]).status == 429)
            #expect(try await app.raw(.GET, Self.me, token: "d", headers: [("X-Forwarded-For", "192.0.2.2")]).status == 401)
            // Who is known is not held up by who guesses behind the same address.
            let token = try await app.token()
            #expect(try await app.raw(.GET, Self.me, token: token, headers: [("X-Forwarded-For", "192.0.2.1")]).status == 200)
        }
    }

    @Test func countCallsThatMayNotBeMade() async throws {
        try await limited(["RATE_LIMIT_READS": "2/h"]) { app in
            let token = try await app.token()
            for status in [403, 403, 429] { #expect(try await app.raw(.GET, "/api/v1/admin/jobs", token: token).status == status) }
        }
    }

    // MARK: Logging in

    @Test func boundLoginsOfOneAddressWhateverTheAccount() async throws {
        try await limited(["RATE_LIMIT_LOGIN": "5/15min"]) { app in
            for number in 0..<5 { #expect(try await app.logIn("nobody\(number)", "wrong wrong wrong").status == 401) }
            let refused = try await app.logIn("nobody6", "wrong wrong wrong")
            #expect(refused.status == 429)
            #expect(try refused.problem().code == "rate_limited")
            #expect(refused["RateLimit-Policy"] == #""login";q=5;w=900"#)
        }
    }

    @Test func boundRegistrationsOfOneAccountWhateverTheAddress() async throws {
        try await limited(["RATE_LIMIT_LOGIN": "2/15min", "TRUSTED_PROXIES": "127.0.0.1"]) { app in
            for (number, status) in [201, 409, 429].enumerated() {
                let email: JSON = number == 1 ? "ADA@example.org" : "ada@example.org"
                let answer = try await app.register(["email": email], headers: [("X-Forwarded-For", "192.0.2.\(number)")])
                #expect(answer.status == status)
                #expect(answer["RateLimit-Policy"] == #""login";q=2;w=900, "login-account";q=2;w=900"#)
            }
        }
    }

    // MARK: Addresses

    @Test func believeNoHeaderUnlessAProxyIsTrusted() async throws {
        try await limited(["RATE_LIMIT_READS": "2/h"]) { app in
            for (number, status) in [401, 401, 429].enumerated() {
                let headers = [("X-Forwarded-For", "192.0.2.\(number)"), ("Forwarded", "for=192.0.2.\(number)")]
                let answer = try await app.raw(.GET, Self.me, headers: headers)
                #expect(answer.status == status)
            }
        }
    }

    @Test func countTheRightmostAddressThatIsNoProxy() async throws {
        try await limited(["RATE_LIMIT_READS": "2/h", "TRUSTED_PROXIES": "127.0.0.1,10.0.0.0/8"]) { app in
            for (number, status) in [401, 401, 429].enumerated() {
                let invented = "192.0.2.\(number), 198.51.100.7, 10.0.0.1"
                let answer = try await app.raw(.GET, Self.me, headers: [("X-Forwarded-For", invented)])
                #expect(answer.status == status)
            }
        }
    }

    @Test func countANetworkOfIPv6AsOneAddress() async throws {
        try await limited(["RATE_LIMIT_READS": "2/h", "TRUSTED_PROXIES": "127.0.0.1"]) { app in
            for (address, status) in [("1::1", 401), ("1::ffff:ffff:ffff:ffff", 401), ("1::2", 429), ("1:0:0:1::1", 401)] {
                let answer = try await app.raw(.GET, Self.me, headers: [("Forwarded", #"for="[\#(address)]""#)])
                #expect(answer.status == status, "\(address)")
            }
        }
    }

    @Test func leaveTheClientsAddressInTheAccessLog() async throws {
        let log = LinesOfLog()
        let trusting: @Sendable (inout Settings) -> Void = { $0.trustedProxies = [IPNetwork("127.0.0.1")].compactMap { $0 } }
        try await withApp(logger: log.logger, change: trusting) { app in
            _ = try await app.exchange("GET /health/live", ["X-Request-ID: through", "X-Forwarded-For: 192.0.2.7"])
            _ = try await app.exchange("GET /health/live", ["X-Request-ID: direct"])
        }
        #expect(log.lines(of: "through").last?.metadata["client"] == "192.0.2.7")
        #expect(log.lines(of: "direct").last?.metadata["client"] == "127.0.0.1")
    }

    // MARK: Exactly

    @Test func admitExactlyTheLimitOf200AtOnce() async throws {
        try await limited(["RATE_LIMIT_READS": "50/h"]) { app in
            let token = try await app.token()
            let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<200 { group.addTask { try await app.raw(.GET, Self.me, token: token).status } }
                return try await group.reduce(into: [Int: Int]()) { $0[$1, default: 0] += 1 }
            }
            #expect(statuses == [200: 50, 429: 150])
        }
    }

    // MARK: While Redis is away

    @Test func areCountedByEachInstanceAndReadinessSaysSo() async throws {
        try await limited(["REDIS_URL": "redis://127.0.0.1:1", "RATE_LIMIT_READS": "2/h", "RATE_LIMIT_WRITES_FALLBACK": "closed"]) { app in
            try await eventually { try await app.readiness() == [["rate_limit", "cache"]] }
            let token = try await app.token()
            // None has ever heard of another.
            var admitted = 0
            for _ in 0..<3 * app.instances.count where try await app.me(token).status == 200 { admitted += 1 }
            #expect(admitted == 2 * app.instances.count)
            let refused = try await app.raw(.POST, "/api/v1/bookmarks", token: token, json: "{}")
            #expect(refused.status == 503)
            #expect(try refused.problem().code == "limits_unavailable")
        }
    }

    @Test func areSharedAgainByThemselvesWhenRedisIsThere() async throws {
        try await PrivateRedis.with { server in
            try await limited(["REDIS_URL": server.url]) { app in
                try await eventually { try await app.readiness() == [["rate_limit", "cache"]] }
                for _ in 0..<2 {
                    try await server.run(endedBy: SIGKILL) { try await eventually { try await app.readiness() == [[]] } }
                    try await eventually { try await app.readiness() == [["rate_limit", "cache"]] }
                }
            }
        }
    }

    @Test func refuseWithoutReadingTheBody() async throws {
        try await limited(["RATE_LIMIT_LOGIN": "1/h", "RATE_LIMIT_WRITES": "1/h"]) { app in
            let token = try await app.token()
            _ = try await app.raw(.POST, "/api/v1/bookmarks", token: token, json: "{}")
            // Neither is ever sent, and whoever read it would wait for it.
            for line in ["POST /api/v1/auth/login", "POST /api/v1/bookmarks"] {
                let fields = ["Content-Type: application/json", "Content-Length: 1000", "Authorization: Bearer \(token)"]
                #expect(try await app.exchange(line, fields).status == 429, "\(line)")
                #expect(try await app.exchange(line, fields + ["Expect: 100-continue"]).status == 429, "\(line)")
            }
        }
    }
}

extension TestApp {
    /// What the instances say is degraded, each of which answers two of the calls.
    fileprivate func readiness() async throws -> Set<[String]> {
        var said: Set<[String]> = []
        for _ in 0..<2 * instances.count {
            let answer = try await raw(.GET, "/health/ready")
            #expect(answer.status == 200)
            said.insert(try WireJSON.decode(Readiness.self, from: answer.bytes).degraded ?? [])
        }
        return said
    }
}

private struct Readiness: Decodable {
    let degraded: [String]?
}

extension RawAnswer {
    fileprivate subscript(_ name: String) -> String? { headers.first(name: name) }
}
