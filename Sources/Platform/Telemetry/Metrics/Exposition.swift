/// Metrics as text: Prometheus 0.0.4 (prometheus.io/docs/instrumenting/exposition_formats) or OpenMetrics 1.0
/// (prometheus.io/docs/specs/om/open_metrics_spec).
struct Exposition {
    private let format: ExpositionFormat
    private var text = ""

    init(_ format: ExpositionFormat) { self.format = format }

    mutating func write(_ family: FamilySnapshot) {
        guard !family.samples.isEmpty else { return }
        writeHead(of: family.description)
        for (labels, value) in family.samples.sorted(by: { $0.key.text < $1.key.text }) {
            switch value {
            case .number(let number): line(family.description.name, labels.text, Self.number(number))
            case .histogram(let counts): write(counts, family.description.name, labels.text)
            }
        }
    }

    /// The whole text. OpenMetrics says where it ends, so that half of it is not taken for all.
    consuming func finished() -> String {
        format == .openMetrics ? text + "# EOF\n" : text
    }

    private mutating func writeHead(of description: MetricDescription) {
        let name = format == .openMetrics ? description.family : description.name
        let type = format == .prometheus && description.kind == .info ? "gauge" : description.kind.rawValue
        text += "# HELP \(name) \(help(description.help))\n# TYPE \(name) \(type)\n"
        if format == .openMetrics, let unit = description.unit { text += "# UNIT \(name) \(unit)\n" }
    }

    /// Buckets are cumulative; the last one counts everything.
    private mutating func write(_ counts: HistogramSeries.Counts, _ name: String, _ labels: String) {
        let separator = labels.isEmpty ? "" : ","
        var total = 0
        for (index, count) in counts.counts.enumerated() {
            total += count
            let bound = index < counts.bounds.count ? Self.bound(counts.bounds[index]) : "+Inf"
            line(name + "_bucket", "\(labels)\(separator)le=\"\(bound)\"", String(total))
        }
        line(name + "_sum", labels, Self.number(counts.sum))
        line(name + "_count", labels, String(total))
    }

    private mutating func line(_ name: String, _ labels: String, _ value: String) {
        text += labels.isEmpty ? "\(name) \(value)\n" : "\(name){\(labels)} \(value)\n"
    }

    private func help(_ text: String) -> String {
        let escaped = text.replacing("\\", with: "\\\\").replacing("\n", with: "\\n")
        return format == .openMetrics ? escaped.replacing("\"", with: "\\\"") : escaped
    }

    /// Whole numbers without a fraction, as far as they are exact.
    static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
        return Int64(exactly: value).map(String.init) ?? value.description
    }

    /// The same in both formats, so that a series does not change its name with the server's taste: `1.0`, as OpenMetrics wants it.
    static func bound(_ value: Double) -> String { value.description }
}
