import Logging
import MartletContract
import MartletSettings
import MartletTestKit
import Testing

@Suite("An error that nobody expected", .everyDatabase)
struct UnexpectedErrors {
    @Test func isAnsweredWithoutAWordOfIt() async throws {
        try await withApp(change: { $0.testRoutes = true }) { app in
            let answer = try await app.exchange("GET /test/fail", ["X-Request-ID: failing"])
            let expected = Problem(
                title: "Internal Server Error", status: 500, detail: "Internal error.", code: "internal_error", requestId: "failing")
            #expect(answer.status == 500)
            #expect(try answer.problem() == expected)
            let whole =
                answer.fields.map { "\($0.name): \($0.value)" }.joined(separator: "\n") + String(decoding: answer.body, as: UTF8.self)
            #expect(!whole.contains("secret") && !whole.contains("UnexpectedError"))
        }
    }

    @Test func isLoggedWithItsCauseUnderTheRequestsIdentifier() async throws {
        let log = LinesOfLog()
        try await withApp(logger: log.logger, change: { $0.testRoutes = true }) { app in
            _ = try await app.exchange("GET /test/fail", ["X-Request-ID: failing"])
            let line = try #require(log.lines(of: "failing").first { $0.level == .error })
            #expect(line.text.contains("a secret that must not leave"))
            #expect(line.metadata["route"] == "/test/fail")
        }
    }

    @Test func leavesTheServerAnswering() async throws {
        try await withApp(change: { $0.testRoutes = true }) { app in
            for _ in 1...3 { _ = try await app.exchange("GET /test/fail") }
            let answer = try await app.exchange("GET /health/ready")
            #expect(answer.status == 200)
        }
    }

    @Test func cannotBeAskedForUnlessTestRoutesAreOn() async throws {
        try await withApp { app in
            for path in ["/test/fail", "/test/sleep?milliseconds=1", "/test/slow-query?milliseconds=1"] {
                let answer = try await app.exchange("GET \(path)")
                #expect(answer.status == 404, "\(path)")
            }
            let answer = try await app.exchange("POST /test/trap")
            #expect(answer.status == 404)
        }
    }
}
