import MartletTestSupport
import Metrics
import Testing

@testable import MartletTelemetry

@Suite("A registry of metrics")
struct RegistryTests {
    @Test func countsExactlyHoweverManyCountAtOnce() async throws {
        let registry = MetricRegistry()
        let meter = Meter(label: "busy", dimensions: [], factory: registry)
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<200 {
                group.addTask {
                    let counter = Counter(label: "things", dimensions: [("kind", "one")], factory: registry)
                    let timer = Metrics.Timer(label: "waits", dimensions: [], factory: registry)
                    for _ in 0..<100 {
                        meter.increment(by: 1.0)
                        counter.increment()
                        timer.recordMilliseconds(250)
                        meter.decrement(by: 1.0)
                    }
                }
            }
        }
        let samples = try MetricSamples(registry.exposition(as: .prometheus))
        #expect(samples["things_total{kind=\"one\"}"] == 20_000)
        #expect(samples["waits_seconds_count"] == 20_000)
        #expect(samples["waits_seconds_sum"] == 5_000)
        #expect(samples["busy"] == 0)
    }

    @Test func boundsTheSeriesOfAName() throws {
        let registry = MetricRegistry([], seriesLimit: 10)
        for number in 0..<50 { Counter(label: "hits", dimensions: [("path", "/\(number)")], factory: registry).increment() }
        let samples = try MetricSamples(registry.exposition(as: .prometheus))
        #expect(samples.count(of: "hits_total") == 11)
        #expect(samples["hits_total{path=\"other\"}"] == 40)
        #expect(samples["martlet_metrics_dropped_series_total"] == 40)
    }

    @Test func exposesANameAsTheFirstOfItsKindsOnly() throws {
        let registry = MetricRegistry([])
        Counter(label: "hits", dimensions: [], factory: registry).increment()
        Meter(label: "hits", dimensions: [], factory: registry).set(17.0)
        Metrics.Timer(label: "hits_total", dimensions: [], factory: registry).recordSeconds(1)
        let samples = try MetricSamples(registry.exposition(as: .prometheus))
        #expect(samples["hits_total"] == 1)
        #expect(samples["hits"] == nil)
        #expect(samples["hits_total_value_seconds_count"] == 1)
        #expect(samples["martlet_metrics_dropped_series_total"] == 1)
    }

    @Test func givesTheSameSeriesForTheSameLabelsInAnyOrder() throws {
        let registry = MetricRegistry([])
        Counter(label: "hits", dimensions: [("a", "1"), ("b", "2")], factory: registry).increment()
        Counter(label: "hits", dimensions: [("b", "2"), ("a", "1")], factory: registry).increment()
        #expect(try MetricSamples(registry.exposition(as: .prometheus))["hits_total{a=\"1\",b=\"2\"}"] == 2)
    }

    @Test func keepsSeriesWhoseHandlesAreDestroyed() throws {
        let registry = MetricRegistry([])
        for _ in 0..<2 {
            let counter = Counter(label: "hits", dimensions: [], factory: registry)
            counter.increment()
            counter.destroy()
        }
        #expect(try MetricSamples(registry.exposition(as: .prometheus))["hits_total"] == 2)
    }

    @Test func ignoresWhatIsNoCountAndNoNumber() throws {
        let registry = MetricRegistry([])
        let counter = Counter(label: "hits", dimensions: [], factory: registry)
        counter.increment(by: -5)
        let recorder = Recorder(label: "sizes", dimensions: [], aggregate: true, factory: registry)
        for value in [Double.nan, .infinity, 1] { recorder.record(value) }
        Metrics.Timer(label: "waits", dimensions: [], factory: registry).recordNanoseconds(-7)
        let samples = try MetricSamples(registry.exposition(as: .prometheus))
        #expect(samples["hits_total"] == 0)
        #expect(samples["sizes_count"] == 1)
        #expect(samples["sizes_sum"] == 1)
        #expect(samples["waits_seconds_sum"] == 0)
    }

    /// Whatever libraries call their metrics, and whatever they put into labels, comes out as lines that a parser reads, and each only once.
    @Test func makesReadableTextOfAnyNamesAndLabels() throws {
        var numbers = SeededNumbers(seed: 7)
        for _ in 0..<40 {
            let registry = MetricRegistry([], seriesLimit: 5)
            for _ in 0..<30 { use(registry, &numbers) }
            for format in ExpositionFormat.allCases { _ = try MetricSamples(registry.exposition(as: format)) }
        }
    }

    private func use(_ registry: MetricRegistry, _ numbers: inout SeededNumbers) {
        let label = Self.word(&numbers)
        let dimensions = (0..<Int.random(in: 0...3, using: &numbers)).map { _ in (Self.word(&numbers), Self.word(&numbers)) }
        switch Int.random(in: 0...3, using: &numbers) {
        case 0: Counter(label: label, dimensions: dimensions, factory: registry).increment(by: 2)
        case 1: Meter(label: label, dimensions: dimensions, factory: registry).set(Double.random(in: -1e9...1e9, using: &numbers))
        case 2: Recorder(label: label, dimensions: dimensions, aggregate: true, factory: registry).record(3)
        default: Metrics.Timer(label: label, dimensions: dimensions, factory: registry).recordNanoseconds(5_000_000)
        }
    }

    private static func word(_ numbers: inout SeededNumbers) -> String {
        (0..<Int.random(in: 0...4, using: &numbers)).map { _ in pieces.randomElement(using: &numbers) ?? "" }.joined()
    }

    private static let pieces = [
        "a", "total", "_total", "_count", "_bucket", "_sum", "_info", "le", "__", "9", ".", " ", "\"", "\\", "\n", "é", "{", "}", ",", "=",
        "#",
    ]
}
