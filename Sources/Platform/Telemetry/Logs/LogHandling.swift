public import Logging
import MartletCore

/// What swift-log calls: asks whether a line is wanted, and hands it on.
struct LineHandler: LogHandler {
    var metadata: Logger.Metadata = [:]
    /// swift-log's own; the trace and the request that a line belongs to need none.
    var metadataProvider: Logger.MetadataProvider?
    private let logs: Logs
    private let label: String
    private let cell: LevelCell
    /// The level of this one logger, where somebody set it.
    private var chosen: Logger.Level?

    init(_ logs: Logs, label: String) {
        (self.logs, self.label) = (logs, label)
        cell = logs.levels.cell(of: label)
    }

    var logLevel: Logger.Level {
        get { chosen ?? cell.level }
        set { chosen = newValue }
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        logs.write(LogEntry(event, label: label, metadata: merged(with: event.metadata)))
    }

    /// Whether its lines hold no more than what is said with each.
    var addsNothing: Bool { metadata.isEmpty && metadataProvider == nil }

    /// As ``log(event:)``, for which a handler that ``addsNothing`` has no use. The trace stands behind the first field, the request.
    func write(_ level: Logger.Level, _ message: String, _ fields: [LogField], _ trace: Trace?) {
        logs.write(LogEntry(level, message, fields, trace, label: label))
    }

    func named(_ label: String) -> LineHandler {
        var handler = LineHandler(logs, label: label)
        (handler.metadata, handler.metadataProvider, handler.chosen) = (metadata, metadataProvider, chosen)
        return handler
    }

    /// What was said nearest to the line counts.
    private func merged(with own: Logger.Metadata?) -> Logger.Metadata {
        var all = own ?? [:]
        if !metadata.isEmpty { all.merge(metadata) { own, _ in own } }
        if let metadataProvider { all.merge(metadataProvider.get()) { own, _ in own } }
        if all["request_id"] == nil, let id = CurrentRequest.id { all["request_id"] = .string(id) }
        if all["trace_id"] == nil, let trace = TraceContext.current {
            (all["trace_id"], all["span_id"]) = (.string(trace.trace), .string(trace.span))
        }
        return all
    }
}

extension Logger {
    /// The logger of a part, `martlet.jobs`, so that its level can be chosen; where this one was not made by ``Logs``, it itself.
    public func named(_ label: String) -> Logger {
        guard let handler = handler as? LineHandler else { return self }
        return Logger(label: label) { _ in handler.named(label) }
    }
}
