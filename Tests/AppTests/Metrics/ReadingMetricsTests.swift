import Logging
import MartletApp
import MartletContract
import MartletCore
import MartletSettings
import MartletStorage
import MartletTelemetry
import MartletTestKit
import MartletTestSupport
import NIOHTTP1
import Testing

@testable import MartletHTTP

@Suite("Reading metrics", .everyDatabase)
struct ReadingMetrics {
    private static let token = "k3hF9vQx2LmZ7wTtR4bNc8YpS6dJa1Ge"

    @Test(arguments: ["/metrics", "/health/metrics"])
    func isPossibleInBothFormats(path: String) async throws {
        try await withApp { app in
            let plain = try await app.raw(.GET, path)
            #expect(plain.status == 200)
            #expect(plain.headers.first(name: "Content-Type") == "text/plain; version=0.0.4; charset=utf-8")
            #expect(plain.headers.first(name: "Cache-Control") == "no-store")
            #expect(try MetricSamples(plain.text)["martlet_build_info{swift=\"6.3\",version=\"\(App.version)\"}"] == 1)
            let open = try await app.raw(.GET, path, headers: [("Accept", "application/openmetrics-text; version=1.0.0")])
            #expect(open.headers.first(name: "Content-Type") == "application/openmetrics-text; version=1.0.0; charset=utf-8")
            #expect(open.text.hasSuffix("\n# EOF\n"))
            _ = try MetricSamples(open.text)
        }
    }

    @Test func takesTheTokenWhereOneIsSet() async throws {
        try await withApp(change: { $0.metricsToken = Secret(Self.token) }) { app in
            let answer = try await app.raw(.GET, "/metrics")
            #expect(answer.status == 401)
            #expect(try answer.problem().code == "metrics_token_required")
            for wrong in ["Bearer ", "Bearer x", "Bearer \(Self.token)x", "Basic \(Self.token)", Self.token] {
                #expect(try await app.raw(.GET, "/metrics", headers: [("Authorization", wrong)]).status == 401)
            }
            for right in ["Bearer \(Self.token)", "bearer \(Self.token)"] {
                #expect(try await app.raw(.GET, "/metrics", headers: [("Authorization", right)]).status == 200)
            }
        }
    }

    @Test func isForNeighboursOnlyOutsideDevelopment() async throws {
        try await withApp(change: { $0.environment = .staging }) { app in
            #expect(try await app.raw(.GET, "/metrics").status == 200)
            for field in ["X-Forwarded-For", "Forwarded", "Via", "X-Real-IP", "X-Forwarded-Proto"] {
                let answer = try await app.raw(.GET, "/metrics", headers: [(field, "for=127.0.0.1")])
                #expect(answer.status == 404)
                #expect(try answer.problem().code == "no_such_path")
            }
        }
    }

    @Test(arguments: [
        ("127.0.0.1", true), ("::1", true), ("10.1.2.3", true), ("172.31.0.1", true), ("192.168.7.7", true), ("fd00::1", true),
        ("::ffff:10.0.0.1", true), ("172.32.0.1", false), ("11.0.0.1", false), ("203.0.113.9", false), ("2001:db8::1", false),
        ("::ffff:203.0.113.9", false),
    ])
    func neighboursAreOnLoopbackAndPrivateNetworks(address: String, isNear: Bool) throws {
        #expect(MetricsPage.isNear(try #require(IPAddress(address))) == isNear)
    }

    @Test func isNoNewsForTheLog() async throws {
        let log = LinesOfLog()
        try await withApp(logger: log.logger) { app in
            _ = try await app.exchange("GET /metrics", ["X-Request-ID: scrape"])
            _ = try await app.exchange("GET /health/live", ["X-Request-ID: alive"])
        }
        #expect(log.lines(of: "scrape").filter { $0.level > .debug }.isEmpty)
        #expect(log.lines(of: "scrape").contains { $0.metadata["route"] == "/metrics" })
        #expect(log.lines(of: "alive").contains { $0.level == .info })
    }

    @Test(.only(.sqlite)) func goesOnWhileTheDatabaseIsAway() async throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        // Nobody listens on the port of a service that is gone.
        let settings = try folder.settings(["DATABASE_URL": "postgres://nobody:nothing@127.0.0.1:9/nowhere"])
        let app = try await App(settings, logger: .silent)
        for _ in 0..<5 {
            let start = ContinuousClock.now
            let text = app.metrics.exposition(as: .prometheus)
            // A moment, but for a machine that is busy with tests; waiting for the database would be 30 s.
            #expect(start.duration(to: .now) < .seconds(10))
            let samples = try MetricSamples(text)
            #expect(samples["martlet_database_waiting"] != nil && samples["martlet_jobs_dead"] == nil)
        }
        await app.database.close()
    }
}
