import Logging
import Synchronization

/// Keeps every line that is logged, at every level.
final class LinesOfLog: Sendable {
    struct Line: Sendable {
        let level: Logger.Level
        let message: String
        let metadata: [String: String]

        /// All that would be written, for searching.
        var text: String { "\(level) \(message) \(metadata)" }
    }

    private let kept = Mutex<[Line]>([])

    var lines: [Line] { kept.withLock { $0 } }

    var logger: Logger {
        Logger(label: "test") { _ in Handler(log: self) }
    }

    /// The lines about one request.
    func lines(of requestID: String?) -> [Line] {
        lines.filter { $0.metadata["request_id"] == requestID }
    }

    /// How many requests to the route were answered, by the access log.
    func answers(to route: String) -> Int {
        lines.count { $0.metadata["route"] == route && $0.metadata["ms"] != nil }
    }

    private struct Handler: LogHandler {
        let log: LinesOfLog
        var logLevel = Logger.Level.trace
        var metadata: Logger.Metadata = [:]

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            var all = metadata.merging(event.metadata ?? [:]) { $1 }.mapValues(\.description)
            if let error = event.error { all["error"] = String(reflecting: error) }
            log.kept.withLock { $0.append(Line(level: event.level, message: event.message.description, metadata: all)) }
        }
    }
}
