import MartletApp
import MartletContract
import MartletCore
import MartletIdentityAPI
import MartletJobs
import MartletSettings
import MartletStorage
import MartletTelemetry
import MartletTestKit
import MartletTestServers
import MartletTestSupport
import NIOHTTP1
import Testing

@Suite("What is measured", .everyDatabase)
struct Measuring {
    @Test func everyRequestIsCountedOnceByItsRouteAndStatus() async throws {
        try await withApp { app in
            let token = try await app.token()
            for _ in 0..<5 { #expect(try await app.raw(.GET, "/api/v1/bookmarks", token: token).status == 200) }
            for number in 0..<7 {
                let body = #"{"url":"https://example.org/\#(number % 4)"}"#
                _ = try await app.raw(.POST, "/api/v1/bookmarks", token: token, json: body)
            }
            for _ in 0..<3 { _ = try await app.raw(.HEAD, "/api/v1/bookmarks", token: token) }
            let samples = try app.samples()
            let duration = "http_server_request_duration_seconds_count"
            #expect(samples["\(duration){method=\"GET\",route=\"/api/v1/bookmarks\",status=\"200\"}"] == 5)
            #expect(samples["\(duration){method=\"HEAD\",route=\"/api/v1/bookmarks\",status=\"200\"}"] == 3)
            #expect(samples["\(duration){method=\"POST\",route=\"/api/v1/bookmarks\",status=\"201\"}"] == 4)
            #expect(samples["\(duration){method=\"POST\",route=\"/api/v1/bookmarks\",status=\"409\"}"] == 3)
            let size = "http_server_request_body_size_bytes"
            #expect(samples["\(size)_count{method=\"POST\",route=\"/api/v1/bookmarks\"}"] == 7)
            #expect(samples["\(size)_sum{method=\"POST\",route=\"/api/v1/bookmarks\"}"] == 7 * 31)
            #expect(samples["http_server_active_requests"] == 0)
        }
    }

    @Test func pathsThatAreNoRouteAndStrangeMethodsMakeNoSeries() async throws {
        try await withApp { app in
            for number in 0..<60 { #expect(try await app.raw(.GET, "/nothing/\(number)?q=\(number)").status == 404) }
            for number in 0..<10 { _ = try await app.raw(.RAW(value: "CANARY\(number)"), "/canary\(number)") }
            let text = app.instances.map { $0.metrics.exposition(as: .prometheus) }.joined()
            #expect(!text.lowercased().contains("canary") && !text.contains("/nothing"))
            let samples = try app.samples()
            let duration = "http_server_request_duration_seconds_count"
            #expect(samples["\(duration){method=\"GET\",route=\"none\",status=\"404\"}"] == 60)
            // The wire knows no such method.
            #expect(samples["martlet_wire_refusals_total{status=\"400\"}"] == 10)
        }
    }

    @Test func loginsAreCountedByHowTheyEnd() async throws {
        try await withApp { app in
            _ = try await app.register()
            for password in [Registration.password, Registration.password, "wrong", "wronger", "wrongest"] {
                _ = try await app.logIn("ada", password)
            }
            _ = try await app.logIn("nobody", "wrong")
            let samples = try app.samples()
            #expect(samples["martlet_logins_total{outcome=\"ok\"}"] == 2)
            #expect(samples["martlet_logins_total{outcome=\"failed\"}"] == 4)
        }
    }

    @Test func limitsAreCountedByWhatTheyDecide() async throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        let settings = try folder.settings(["RATE_LIMIT_ENABLED": "true", "RATE_LIMIT_READS": "3/h", "RATE_LIMIT_LOGIN": "100/h"])
        try await withRunningApp(settings, folder: folder.path) { app in
            let token = try await app.token()
            for _ in 0..<5 { _ = try await app.me(token) }
            let samples = try app.samples()
            #expect(samples["martlet_rate_limit_decisions_total{outcome=\"admitted\",rule=\"reads\"}"] == 3)
            #expect(samples["martlet_rate_limit_decisions_total{outcome=\"refused\",rule=\"reads\"}"] == 2)
            #expect(samples["martlet_rate_limit_degraded"] == 0)
        }
    }

    @Test func jobsAreCountedAndTheirBacklogIsKnown() async throws {
        try await withApp(change: { $0.testRoutes = true }) { app in
            let answer = try await app.raw(.POST, "/test/jobs", json: #"{"count":3}"#)
            #expect(answer.status == 204)
            try await eventually { try app.samples(of: 0)["martlet_jobs_queued{queue=\"test\"}"] == 3 }
            let oldest = try #require(try app.samples(of: 0)["martlet_jobs_oldest_due_seconds{queue=\"test\"}"])
            #expect((0..<600).contains(oldest))
            try await app.runJobs()
            let samples = try app.samples(of: 0)
            #expect(samples["martlet_jobs_attempts_total{kind=\"test.errand\",outcome=\"done\"}"] == 3)
            #expect(samples["martlet_jobs_attempts_total{kind=\"test.errand\",outcome=\"failed\"}"] == 0)
            #expect(samples["martlet_jobs_attempt_seconds_count{kind=\"test.errand\"}"] == 3)
            #expect(samples["martlet_jobs_running"] == 0)
        }
    }

    @Test func statementsAreTimedByTheirSort() async throws {
        try await withApp { app in
            let before = try app.samples(of: 0)
            for _ in 0..<4 { _ = try await app.app.database.first(Int.self, "SELECT 1") }
            try await app.app.database.transaction { transaction in _ = try await transaction.first(Int.self, "SELECT 1") }
            try await app.app.database.change("DELETE FROM job WHERE id IS NULL")
            let after = try app.samples(of: 0)
            func further(_ kind: String) -> Double {
                let series = "martlet_database_statement_seconds_count{kind=\"\(kind)\"}"
                return (after[series] ?? 0) - (before[series] ?? 0)
            }
            #expect(further("read") >= 4 && further("transaction") >= 1 && further("write") >= 1)
        }
    }

    @Test func countsNothingWhereItIsTurnedOff() async throws {
        try await withApp(change: { $0.metrics = false }) { app in
            let answer = try await app.raw(.GET, "/metrics")
            #expect(answer.status == 404)
            #expect(try app.samples().count(of: "http_server_request_duration_seconds_count") == 0)
        }
    }
}

extension TestApp {
    /// What all instances have counted, added up.
    func samples() throws -> MetricSums {
        try MetricSums(instances.indices.map { try samples(of: $0) })
    }

    func samples(of instance: Int) throws -> MetricSamples {
        try MetricSamples(instances[instance].metrics.exposition(as: .prometheus))
    }
}

struct MetricSums {
    private let all: [MetricSamples]

    init(_ all: [MetricSamples]) { self.all = all }

    subscript(series: String) -> Double { all.reduce(0) { $0 + ($1[series] ?? 0) } }

    func count(of name: String) -> Int { all.reduce(0) { $0 + $1.count(of: name) } }
}
