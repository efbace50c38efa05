import Metrics
import Testing

@testable import MartletTelemetry

@Suite("Metrics as text")
struct ExpositionTests {
    private static let descriptions = [
        MetricDescription("visits_total", .counter, "Visits, \"seen\" on a\nback\\slash.", labels: ["place"]),
        MetricDescription("wait_seconds", .histogram, "Waits.", labels: ["kind"], buckets: [0.1, 1]),
        MetricDescription("rooms", .gauge, "Rooms."), MetricDescription("shop_info", .info, "The shop.", labels: ["name"]),
    ]

    private func filled() -> MetricRegistry {
        let registry = MetricRegistry(Self.descriptions)
        Counter(label: "visits_total", dimensions: [("place", "a \"b\" \\ c\nd")], factory: registry).increment(by: 3)
        let waits = Metrics.Timer(label: "wait_seconds", dimensions: [("kind", "short")], factory: registry)
        for milliseconds in [50, 100, 101, 2_000] { waits.recordMilliseconds(milliseconds) }
        Meter(label: "rooms", dimensions: [], factory: registry).set(2.5)
        registry.onScrape { $0.set(Self.descriptions[3], MetricLabel("name", "corner"), to: 1) }
        return registry
    }

    @Test func isWhatPrometheusReads() {
        let expected = #"""
            # HELP rooms Rooms.
            # TYPE rooms gauge
            rooms 2.5
            # HELP shop_info The shop.
            # TYPE shop_info gauge
            shop_info{name="corner"} 1
            # HELP visits_total Visits, "seen" on a\nback\\slash.
            # TYPE visits_total counter
            visits_total{place="a \"b\" \\ c\nd"} 3
            # HELP wait_seconds Waits.
            # TYPE wait_seconds histogram
            wait_seconds_bucket{kind="short",le="0.1"} 2
            wait_seconds_bucket{kind="short",le="1.0"} 3
            wait_seconds_bucket{kind="short",le="+Inf"} 4
            wait_seconds_sum{kind="short"} 2.251
            wait_seconds_count{kind="short"} 4

            """#
        #expect(Self.withoutOwn(filled().exposition(as: .prometheus)) == expected)
    }

    @Test func isWhatOpenMetricsAsksFor() {
        let expected = #"""
            # HELP rooms Rooms.
            # TYPE rooms gauge
            rooms 2.5
            # HELP shop The shop.
            # TYPE shop info
            shop_info{name="corner"} 1
            # HELP visits Visits, \"seen\" on a\nback\\slash.
            # TYPE visits counter
            visits_total{place="a \"b\" \\ c\nd"} 3
            # HELP wait_seconds Waits.
            # TYPE wait_seconds histogram
            # UNIT wait_seconds seconds
            wait_seconds_bucket{kind="short",le="0.1"} 2
            wait_seconds_bucket{kind="short",le="1.0"} 3
            wait_seconds_bucket{kind="short",le="+Inf"} 4
            wait_seconds_sum{kind="short"} 2.251
            wait_seconds_count{kind="short"} 4
            # EOF

            """#
        #expect(Self.withoutOwn(filled().exposition(as: .openMetrics)) == expected)
    }

    @Test(arguments: [
        (0, "0"), (-0.5, "-0.5"), (1e15, "1000000000000000"), (.nan, "NaN"), (.infinity, "+Inf"), (-.infinity, "-Inf"), (1e300, "1e+300"),
    ])
    func numbersAreWrittenAsBothFormatsReadThem(value: Double, text: String) {
        #expect(Exposition.number(value) == text)
    }

    @Test(
        arguments: [
            (nil, .prometheus), ("", .prometheus), ("*/*", .prometheus), ("text/plain", .prometheus), ("application/json", .prometheus),
            // What Prometheus 2.42 sends.
            (
                """
                application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1
                """,
                .openMetrics
            ),
            ("application/openmetrics-text", .openMetrics), ("Application/OpenMetrics-Text ; Version=1.0.0", .openMetrics),
            ("application/openmetrics-text;version=0.0.1", .prometheus), ("application/openmetrics-text;q=0", .prometheus),
            ("application/openmetrics-text;q=0.4, text/plain;q=0.5", .prometheus),
            ("application/openmetrics-text;q=0.5, text/*;q=0.5", .openMetrics), ("application/openmetrics-text;q=2", .prometheus),
            ("application/openmetrics-text;q=x", .prometheus), (",;,=;q=,", .prometheus),
        ] as [(String?, ExpositionFormat)])
    func theFormatIsWhatTheClientWouldRatherHave(accept: String?, format: ExpositionFormat) {
        #expect(ExpositionFormat(accept: accept) == format)
    }

    /// Without what a registry says of itself.
    private static func withoutOwn(_ text: String) -> String {
        text.split(separator: "\n", omittingEmptySubsequences: false).filter { !$0.contains("martlet_metrics_dropped_series") }
            .joined(separator: "\n")
    }
}
