/// What collectors add to, at one scrape.
public struct Scrape {
    private(set) var families: [String: FamilySnapshot]

    init(_ families: [String: FamilySnapshot]) { self.families = families }

    /// Adds the value of a counter or gauge; one that is set twice under the same labels has the last.
    public mutating func set(_ metric: MetricDescription, _ labels: MetricLabel..., to value: Double) {
        set(metric, labels, value)
    }

    /// The same, for a value without labels.
    public mutating func set(_ metric: MetricDescription, _ value: Double) { set(metric, [], value) }

    /// The same, for a count.
    public mutating func set(_ metric: MetricDescription, _ labels: MetricLabel..., to value: Int) {
        set(metric, labels, Double(value))
    }

    private mutating func set(_ metric: MetricDescription, _ labels: [MetricLabel], _ value: Double) {
        let text = LabelText(labels.lazy.map { (name: $0.name, value: $0.value) })
        families[metric.family, default: FamilySnapshot(description: metric, samples: [:])].samples[text] = .number(value)
    }
}

/// A label whose value comes from a closed set: nothing that a client sends can be one.
public struct MetricLabel: Sendable, Hashable {
    let name: String
    let value: String

    /// A value that the program spells out.
    public init(_ name: StaticString, _ value: StaticString) {
        (self.name, self.value) = (name.description, value.description)
    }

    /// A value that the program declares, such as the name of a queue or a version; never one that somebody sends.
    public init(_ name: StaticString, declared value: String) {
        (self.name, self.value) = (name.description, value)
    }
}

/// The series of one name at one moment.
struct FamilySnapshot: Sendable {
    let description: MetricDescription
    var samples: [LabelText: SampleValue]
}

enum SampleValue: Sendable, Equatable {
    case number(Double)
    case histogram(HistogramSeries.Counts)
}
