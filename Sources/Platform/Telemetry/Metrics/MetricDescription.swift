/// What a metric is: declared once, exposed with its help, its type and its unit.
///
/// Names follow the practice of Prometheus: `snake_case`, base units (seconds, bytes), `_total` behind what only grows.
public struct MetricDescription: Sendable, Hashable {
    public enum Kind: String, Sendable, Hashable, CaseIterable {
        case counter, gauge, histogram
        /// A gauge that is always 1, and says something by its labels.
        case info
    }

    /// As it is exposed, such as `martlet_cache_hits_total`.
    public let name: String
    public let kind: Kind
    public let help: String
    /// The names of its labels; their values come from closed sets only.
    public let labels: [String]
    /// The upper bounds of a histogram's buckets, ascending and without infinity, in the unit of the name.
    public let buckets: [Double]

    public init(_ name: String, _ kind: Kind, _ help: String, labels: [String] = [], buckets: [Double] = []) {
        (self.name, self.kind, self.help) = (name, kind, help)
        (self.labels, self.buckets) = (labels, buckets)
    }

    /// A metric that nobody declared: one of a library.
    init(undeclared family: String, _ kind: Kind) {
        self.init(
            kind == .counter ? family + "_total" : family, kind, "Measured by a library.",
            buckets: family.hasSuffix("_seconds") ? Buckets.request : Buckets.magnitude)
    }

    /// What OpenMetrics calls the metric family: the name without what its samples add to it.
    var family: String { MetricName.family(of: name, kind) }

    /// The unit, where the family's name ends with one.
    var unit: String? { ["seconds", "bytes"].first { family.hasSuffix("_\($0)") } }
}

/// Bounds of buckets, chosen by what is measured.
public enum Buckets {
    /// Seconds of a request: from what a read from memory takes to where clients give up.
    public static let request = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]
    /// Seconds of a statement: an embedded database answers in microseconds.
    public static let statement = [0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5, 30]
    /// Seconds that something stood in line.
    public static let lag = [0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5]
    /// Seconds of a job.
    public static let job = [0.005, 0.025, 0.1, 0.5, 1, 5, 15, 60, 300, 900, 3600]
    /// Bytes of a body.
    public static let bytes: [Double] = [64, 256, 1024, 4096, 16_384, 65_536, 262_144, 1_048_576, 4_194_304, 16_777_216]
    /// What is known of nothing but that it is a number.
    static let magnitude: [Double] = [0.001, 0.01, 0.1, 1, 10, 100, 1000, 10_000, 100_000, 1_000_000]
}
