import Foundation
import HTTPTypes
import MartletApp
import MartletTelemetry
import MartletTestKit
import MartletTestSupport
import Metrics
import Testing

@testable import MartletHTTP

@Suite("The catalogue of metrics")
struct CatalogueOfMetrics {
    @Test func namesEachFamilyOnceAndByTheRules() {
        let names = MetricDescription.catalogue.map(\.name)
        #expect(Set(names).count == names.count)
        for metric in MetricDescription.catalogue {
            #expect(metric.name.wholeMatch(of: /[a-z][a-z0-9_]*/) != nil && !metric.help.isEmpty)
            #expect((metric.kind == .counter) == metric.name.hasSuffix("_total"), "\(metric.name)")
            #expect((metric.kind == .histogram) != metric.buckets.isEmpty && metric.buckets == metric.buckets.sorted(), "\(metric.name)")
        }
    }

    /// What an app exposes is what was declared: names, kinds and labels.
    @Test(.everyDatabase) func namesWhateverAnAppExposes() async throws {
        try await withApp { app in
            _ = try await app.logIn("nobody", "nothing")
            try await eventually { try app.samples(of: 0)["martlet_jobs_dead"] != nil }
            let samples = try app.samples(of: 0)
            let declared = Dictionary(uniqueKeysWithValues: MetricDescription.catalogue.map { ($0.name, $0) })
            for (name, type) in samples.types {
                #expect(declared[name].map { $0.kind == .info ? "gauge" : $0.kind.rawValue } == type, "\(name)")
            }
            for series in samples.values.keys {
                let name = String(series.prefix { $0 != "{" }).replacing(/_(bucket|sum|count)$/, with: "")
                let labels = series.matches(of: /[{,]([a-z_]+)="/).map { String($0.1) }.filter { $0 != "le" }
                #expect(declared[name]?.labels.sorted() == labels, "\(series)")
            }
            #expect(samples["martlet_metrics_dropped_series_total"] == 0)
        }
    }

    /// Whatever clients send, the number of series stays that of the routes.
    @Test func isNotMadeLongerByClients() throws {
        let registry = MetricRegistry()
        let requests = RequestMetrics([], registry)
        var numbers = SeededNumbers(seed: 3)
        for _ in 0..<10_000 {
            let method = HTTPRequest.Method("M\(UInt32.random(in: 0...9_999, using: &numbers))") ?? .get
            let request = HTTPRequest(method: method, scheme: nil, authority: nil, path: "/\(numbers.next())?q=\(numbers.next())")
            requests.began()
            requests.ended(request, nil, Answer(.notFound), after: .milliseconds(1))
        }
        let samples = try MetricSamples(registry.exposition(as: .prometheus))
        #expect(samples.count(of: "http_server_request_duration_seconds_count") == 1)
        #expect(samples["http_server_request_duration_seconds_count{method=\"other\",route=\"none\",status=\"404\"}"] == 10_000)
    }

    /// What alerts and dashboards ask for exists.
    @Test(arguments: ["Deploy/prometheus/alerts.yml", "Deploy/grafana/martlet.json"])
    func knowsWhatIsAskedFor(path: String) throws {
        let asked = Set(try Checkout.text(path).matches(of: /\b(?:http_server|martlet|process)_[a-z_]+/).map { String($0.output) })
        #expect(asked.count > 10, "the search has gone blind")
        let known = MetricDescription.catalogue.flatMap { metric in
            metric.kind == .histogram ? ["_bucket", "_sum", "_count"].map { metric.name + $0 } : [metric.name]
        }
        #expect(asked.subtracting(known).isEmpty, "\(path) asks for what is not there: \(asked.subtracting(known).sorted())")
    }

    @Test func theDashboardIsJSONWithAQueryInEachPanel() throws {
        let dashboard = try JSONSerialization.jsonObject(with: Data(Checkout.text("Deploy/grafana/martlet.json").utf8)) as? [String: Any]
        let panels = try #require(dashboard?["panels"] as? [[String: Any]]).filter { $0["type"] as? String != "row" }
        #expect(panels.count >= 12)
        for panel in panels {
            let queries = (panel["targets"] as? [[String: Any]] ?? []).compactMap { $0["expr"] as? String }
            #expect(!queries.isEmpty && queries.allSatisfy { !$0.isEmpty }, "\(panel["title"] ?? "a panel without title")")
        }
    }
}
