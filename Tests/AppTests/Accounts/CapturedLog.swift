import Logging
import Synchronization

/// Keeps every line that the application logs, at any level, with all its metadata.
final class CapturedLog: Sendable {
    private let kept = Mutex<[String]>([])

    var lines: [String] { kept.withLock { $0 } }

    var logger: Logger { Logger(label: "test") { _ in Handler(log: self) } }

    /// How many requests to the path were answered, by the access log.
    func answers(to route: String) -> Int {
        lines.count { $0.contains(" route=\(route) ") && $0.contains(" ms=") }
    }

    fileprivate func keep(_ line: String) {
        kept.withLock { $0.append(line) }
    }

    private struct Handler: LogHandler {
        let log: CapturedLog
        var logLevel = Logger.Level.trace
        var metadata: Logger.Metadata = [:]

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            let details = metadata.merging(event.metadata ?? [:]) { $1 }.map { " \($0)=\($1) " }.joined()
            let cause = event.error.map { " \(String(reflecting: $0))" } ?? ""
            log.keep("\(event.level) \(event.message)\(details)\(cause)")
        }
    }
}
