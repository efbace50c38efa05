public import Logging
import Synchronization

extension Logger {
    /// Keeps nothing.
    public static let silent = Logger(label: "silent") { _ in SwiftLogNoOpLogHandler() }
}

/// Keeps what was logged.
public final class LogRecorder: LogHandler, Sendable {
    public struct Line: Sendable {
        public let level: Logger.Level
        public let message: String
        public let metadata: [String: String]
    }

    private let kept = Mutex<[Line]>([])
    public var lines: [Line] { kept.withLock { $0 } }
    public var logger: Logger { Logger(label: "test") { _ in self } }

    public init() {}

    public var metadata: Logger.Metadata {
        get { [:] }
        set {}
    }
    public var logLevel: Logger.Level {
        get { .trace }
        set {}
    }
    public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { nil }
        set {}
    }

    public func log(event: LogEvent) {
        var metadata = (event.metadata ?? [:]).mapValues { "\($0)" }
        if let error = event.error { metadata["error"] = "\(error)" }
        kept.withLock { $0.append(Line(level: event.level, message: "\(event.message)", metadata: metadata)) }
    }
}
