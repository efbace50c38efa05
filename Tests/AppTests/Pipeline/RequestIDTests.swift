import MartletContract
import MartletCore
import MartletSettings
import MartletTestKit
import Testing

@Suite("A request's identifier", .everyDatabase)
struct RequestIdentifiers {
    @Test(arguments: ["a", "3f2c-9.x:Y_z", String(repeating: "k", count: 128)])
    func isTheCallersWhenWellFormed(given: String) async throws {
        try await withApp { app in
            let answer = try await app.exchange("GET /health/live", ["X-Request-ID: \(given)"])
            #expect(answer["X-Request-ID"] == given)
        }
    }

    @Test(arguments: ["", "has space", "semi;colon", "quote\"", "<script>", "ü", String(repeating: "k", count: 129), "a\tb", "a,b"])
    func isReplacedWhenNot(given: String) async throws {
        try await withApp { app in
            let answer = try await app.exchange("GET /health/live", ["X-Request-ID: \(given)"])
            #expect(Identifier<TestApp>(try #require(answer["X-Request-ID"])) != nil)
        }
    }

    @Test func isMadeWhenAbsentAndDiffersEachTime() async throws {
        try await withApp { app in
            let first = try #require(try await app.exchange("GET /health/live")["X-Request-ID"])
            let second = try #require(try await app.exchange("GET /health/live")["X-Request-ID"])
            #expect(first != second)
        }
    }

    @Test func isOnErrorsAndInTheirBody() async throws {
        try await withApp(change: { $0.testRoutes = true }) { app in
            for path in ["/nothing", "/api/v1/auth/me", "/test/fail", "/health/live?x=1", "/%zz"] {
                let answer = try await app.exchange("GET \(path)", ["X-Request-ID: mine"])
                #expect(answer["X-Request-ID"] == "mine", "\(path)")
                #expect(try answer.problem().requestId == "mine", "\(path)")
            }
        }
    }

    @Test func isOnWhatTheWireRefusesToo() async throws {
        try await withApp { app in
            let answer = try await app.exchange(bytes: Array("GET / HTTP/1.1\r\n\r\n".utf8))
            #expect(answer.status == 400)
            #expect(try answer.problem().requestId == answer["X-Request-ID"])
        }
    }
}
