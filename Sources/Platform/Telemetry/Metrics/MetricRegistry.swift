public import Metrics
import Synchronization

/// Every metric of an app, as a factory of swift-metrics: parts of the platform take it in their init and make their handles once.
///
/// Making a handle takes a lock; using one takes none and allocates nothing. The same name and labels give the same series. Series live as
/// long as the registry, so that counters go on when a handle is made anew.
///
/// What comes in is bounded. Beyond ``seriesLimit`` series of one name, further ones are counted in one whose labels all say `other`; a
/// name that is used as two kinds is exposed as the first of them, and the handles of the other count nowhere. Both are counted in
/// `martlet_metrics_dropped_series_total`. Nothing here traps: a library's mistake is no reason to stop serving.
public final class MetricRegistry: MetricsFactory, Sendable {
    public let seriesLimit: Int
    private let declared: [String: MetricDescription]
    private let families = Mutex<[String: Family]>([:])
    private let collectors = Mutex<[@Sendable (inout Scrape) -> Void]>([])
    private let dropped = CounterSeries()

    /// - Parameters:
    ///   - descriptions: What is known by name; of two with one family the first counts.
    ///   - seriesLimit: The most series of one name.
    public init(_ descriptions: [MetricDescription] = MetricDescription.catalogue, seriesLimit: Int = 1_000) {
        self.seriesLimit = max(1, seriesLimit)
        declared = Dictionary(descriptions.map { ($0.family, $0) }, uniquingKeysWith: { first, _ in first })
    }

    /// Adds a collector, which is asked at every scrape: for numbers that are kept elsewhere. It must neither wait nor fail.
    public func onScrape(_ collect: @escaping @Sendable (inout Scrape) -> Void) {
        collectors.withLock { $0.append(collect) }
    }

    /// Everything, as text of the format, for the body of an answer.
    public func exposition(as format: ExpositionFormat) -> String {
        var exposition = Exposition(format)
        for family in snapshot() { exposition.write(family) }
        return exposition.finished()
    }

    func snapshot() -> [FamilySnapshot] {
        var scrape = Scrape(families.withLock { $0.mapValues(\.snapshot) })
        scrape.set(.droppedSeries, dropped.value)
        for collect in collectors.withLock({ $0 }) { collect(&scrape) }
        return scrape.families.values.sorted { $0.description.name < $1.description.name }
    }
}

// MARK: Handles

extension MetricRegistry {
    public func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler { counter(label, dimensions) }

    public func makeFloatingPointCounter(label: String, dimensions: [(String, String)]) -> any FloatingPointCounterHandler {
        counter(label, dimensions)
    }

    public func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler { gauge(label, dimensions) }

    public func makeRecorder(label: String, dimensions: [(String, String)], aggregate: Bool) -> any RecorderHandler {
        if aggregate { histogram(label, dimensions) } else { gauge(label, dimensions) }
    }

    public func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        histogram(label, dimensions, isTime: true)
    }

    /// Series stay: see the type.
    public func destroyCounter(_ handler: any CounterHandler) {}
    public func destroyFloatingPointCounter(_ handler: any FloatingPointCounterHandler) {}
    public func destroyMeter(_ handler: any MeterHandler) {}
    public func destroyRecorder(_ handler: any RecorderHandler) {}
    public func destroyTimer(_ handler: any TimerHandler) {}

    private func counter(_ label: String, _ dimensions: [(String, String)]) -> CounterSeries {
        guard case .counter(let series) = series(.counter, label, dimensions) else { return CounterSeries() }
        return series
    }

    private func gauge(_ label: String, _ dimensions: [(String, String)]) -> GaugeSeries {
        guard case .gauge(let series) = series(.gauge, label, dimensions) else { return GaugeSeries() }
        return series
    }

    private func histogram(_ label: String, _ dimensions: [(String, String)], isTime: Bool = false) -> HistogramSeries {
        guard case .histogram(let series) = series(.histogram, label, dimensions, isTime: isTime) else {
            return HistogramSeries(bounds: [])
        }
        return series
    }

    /// `nil` when the name is another kind's.
    private func series(
        _ kind: MetricDescription.Kind, _ label: String, _ dimensions: [(String, String)], isTime: Bool = false
    ) -> Series? {
        let name = MetricName.family(of: label, kind, isTime: isTime)
        return families.withLock { families in
            let description = declared[name] ?? MetricDescription(undeclared: name, kind)
            let (series, isWhole) = families[name, default: Family(description)].series(kind, dimensions, limit: seriesLimit)
            if !isWhole { dropped.increment(by: Int64(1)) }
            return series
        }
    }
}

/// The series of one name.
private struct Family {
    let description: MetricDescription
    private var series: [LabelText: Series] = [:]

    init(_ description: MetricDescription) { self.description = description }

    /// The series of these labels, and whether it is theirs: there may be too many already, or none of that kind.
    mutating func series(
        _ kind: MetricDescription.Kind, _ dimensions: [(String, String)], limit: Int
    ) -> (series: Series?, isWhole: Bool) {
        guard description.kind == kind else { return (nil, false) }
        let labels = LabelText(dimensions.lazy.map { (name: $0.0, value: $0.1) })
        if let found = series[labels] { return (found, true) }
        guard series.count >= limit else { return (add(labels), true) }
        let other = LabelText(dimensions.lazy.map { (name: $0.0, value: "other") })
        return (series[other] ?? add(other), false)
    }

    private mutating func add(_ labels: LabelText) -> Series {
        let made = Series(description)
        series[labels] = made
        return made
    }

    var snapshot: FamilySnapshot { FamilySnapshot(description: description, samples: series.mapValues(\.value)) }
}

private enum Series {
    case counter(CounterSeries)
    case gauge(GaugeSeries)
    case histogram(HistogramSeries)

    init(_ description: MetricDescription) {
        switch description.kind {
        case .counter: self = .counter(CounterSeries())
        case .gauge, .info: self = .gauge(GaugeSeries())
        case .histogram: self = .histogram(HistogramSeries(bounds: description.buckets))
        }
    }

    var value: SampleValue {
        switch self {
        case .counter(let series): .number(series.value)
        case .gauge(let series): .number(series.value)
        case .histogram(let series): .histogram(series.counts)
        }
    }
}
