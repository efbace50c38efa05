public import Logging
import MartletCore

/// What swift-log calls: asks whether a line is wanted, and hands it on.
struct LineHandler: LogHandler {
    var metadata: Logger.Metadata = [:]
    var metadataProvider: Logger.MetadataProvider?
    private let logs: Logs
    private let label: String
    private let cell: LevelCell
    /// The level of this one logger, where somebody set it.
    private var chosen: Logger.Level?

    init(_ logs: Logs, label: String, metadataProvider: Logger.MetadataProvider?) {
        (self.logs, self.label, self.metadataProvider) = (logs, label, metadataProvider)
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

    func named(_ label: String) -> LineHandler {
        var handler = LineHandler(logs, label: label, metadataProvider: metadataProvider)
        (handler.metadata, handler.chosen) = (metadata, chosen)
        return handler
    }

    /// What was said nearest to the line counts.
    private func merged(with own: Logger.Metadata?) -> Logger.Metadata {
        var all = own ?? [:]
        if !metadata.isEmpty { all.merge(metadata) { own, _ in own } }
        if let metadataProvider { all.merge(metadataProvider.get()) { own, _ in own } }
        if all["request_id"] == nil, let id = CurrentRequest.id { all["request_id"] = .string(id) }
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
