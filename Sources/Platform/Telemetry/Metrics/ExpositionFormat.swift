/// A text format of metrics.
public enum ExpositionFormat: Sendable, CaseIterable {
    case prometheus, openMetrics

    public var mediaType: String {
        switch self {
        case .prometheus: "text/plain; version=0.0.4; charset=utf-8"
        case .openMetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8"
        }
    }

    /// The one that a client would rather have, by its `Accept` (RFC 9110 §12.5.1).
    ///
    /// OpenMetrics has to be named, with version 1 or none, and to weigh at least as much as plain text. Everybody else gets plain text,
    /// also who accepts neither: a scraper says more by an answer it cannot read than by none.
    public init(accept: String?) {
        let ranges = (accept ?? "").split(separator: ",").compactMap { MediaRange($0) }
        let open = ranges.filter { $0.type == "application/openmetrics-text" && $0.isFirstVersion }.map(\.weight).max() ?? 0
        let plain = ["text/plain", "text/*", "*/*"].lazy.compactMap { type in ranges.filter { $0.type == type }.map(\.weight).max() }.first
        self = open > 0 && open >= (plain ?? 0) ? .openMetrics : .prometheus
    }
}

/// One entry of `Accept`.
private struct MediaRange {
    let type: String
    private let version: String?
    let weight: Double

    /// `nil` for a weight that is none.
    init?(_ text: Substring) {
        let parts = text.lowercased().split(separator: ";").map { $0.filter { !$0.isWhitespace } }
        let parameters = parts.dropFirst().map { $0.split(separator: "=", maxSplits: 1).map(String.init) }.filter { $0.count == 2 }
        let weight = parameters.first { $0[0] == "q" }.map { Double($0[1]) } ?? 1
        guard let weight, (0...1).contains(weight), let type = parts.first else { return nil }
        self.type = type
        self.weight = weight
        version = parameters.first { $0[0] == "version" }?[1]
    }

    var isFirstVersion: Bool { version == nil || version == "1.0.0" }
}
