import MartletSettings
import MartletTestKit
import Testing

@Suite("The access log", .everyDatabase)
struct AccessLogLines {
    @Test func namesRequestRouteAndStatusOfEveryAnswer() async throws {
        let log = LinesOfLog()
        try await withApp(logger: log.logger) { app in
            let token = try await app.token()
            let id = "019bc05e-9a40-7c3d-8e11-5f0a4b7d2291"
            let fields = ["Authorization: Bearer \(token)"]
            _ = try await app.exchange("GET /api/v1/bookmarks/\(id)", fields + ["X-Request-ID: found-nothing"])
            _ = try await app.exchange("GET /health/live", ["X-Request-ID: alive"])
            _ = try await app.exchange("DELETE /health/live", ["X-Request-ID: not-so"])
            _ = try await app.exchange("GET /wp-login.php", ["X-Request-ID: stranger"])

            expect(log, "found-nothing", "GET", "/api/v1/bookmarks/{id}", 404)
            expect(log, "alive", "GET", "/health/live", 200)
            expect(log, "stranger", "GET", "none", 404)
            #expect(log.lines(of: "not-so").contains { $0.metadata["status"] == "405" })
            #expect(log.lines(of: "found-nothing").contains { $0.metadata["user"] != nil })
        }
    }

    @Test func hasOneLinePerAnswer() async throws {
        let log = LinesOfLog()
        try await withApp(logger: log.logger) { app in
            for number in 1...5 { _ = try await app.exchange("GET /nothing", ["X-Request-ID: number-\(number)"]) }
        }
        for number in 1...5 { #expect(log.lines(of: "number-\(number)").count { $0.metadata["status"] != nil } == 1) }
    }

    @Test func keepsNothingThatCallersConfideToUs() async throws {
        let log = LinesOfLog()
        try await withApp(logger: log.logger, change: { $0.testRoutes = true }) { app in
            let token = try await app.token()
            let json = ["Content-Type: application/json"]
            let fields = ["Authorization: Bearer \(token)", "Cookie: martlet_refresh=canarycookie"] + json
            let canaries = [
                #"{"login":"canarylogin","password":"canarypassword"}"#, #"{"login":"a","password":"canarypassword","canaryfield":1}"#,
                #"{"refresh_token":"canarytoken"}"#, #"{"url":"https://example.org/canaryurl","title":"canarytitle"}"#, #"{"canary"#,
            ]
            for path in ["/api/v1/auth/login", "/api/v1/auth/refresh", "/api/v1/bookmarks", "/canarypath"] {
                for body in canaries {
                    _ = try await app.exchange(
                        "POST \(path)?canaryname=canaryvalue", fields + ["Content-Length: \(body.utf8.count)"], body: Array(body.utf8))
                    _ = try await app.exchange("POST \(path)", fields + ["Content-Length: \(body.utf8.count)"], body: Array(body.utf8))
                }
            }
            _ = try await app.exchange("GET /api/v1/search/text?q=canarywords", fields)
            _ = try await app.exchange("GET /api/v1/bookmarks", ["Authorization: Bearer canary.bearer.token"])
            _ = try await app.exchange("GET /test/fail?x=canaryquery", fields)
            let all = log.lines.map(\.text).joined(separator: "\n")
            #expect(all.contains("/api/v1/search/text"))
            #expect(!all.lowercased().contains("canary"))
            #expect(!all.contains(token))
        }
    }

    private func expect(
        _ log: LinesOfLog, _ id: String, _ method: String, _ route: String, _ status: Int, at location: SourceLocation = #_sourceLocation
    ) {
        let line = log.lines(of: id).first { $0.metadata["status"] != nil }
        #expect(line?.metadata["method"] == method, sourceLocation: location)
        #expect(line?.metadata["route"] == route, sourceLocation: location)
        #expect(line?.metadata["status"] == String(status), sourceLocation: location)
    }
}
