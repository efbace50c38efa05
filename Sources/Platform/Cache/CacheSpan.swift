public import MartletTelemetry
public import Tracing

/// A lookup as a trace shows it: where the answer came from. The key is left out, since it may be a path or somebody's identifier.
public struct CacheSpan: SpanDetail {
    private let source: String?
    private let isStale: Bool

    /// - Parameter found: `nil` when it failed.
    public init<Form>(_ found: Found<Form>?) {
        source = found.map { "\($0.source)" }
        isStale = found?.isStale ?? false
    }

    public var kind: SpanKind { .internal }

    public func describe() -> SpanDescription {
        let outcome = source == nil ? "failed" : isStale ? "stale" : source == "computed" ? "miss" : "hit"
        return SpanDescription(
            "cache", [SpanValue("martlet.cache.outcome", outcome), source.map { SpanValue("martlet.cache.source", $0) }])
    }
}
