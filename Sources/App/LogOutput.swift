import Foundation
public import Logging
import MartletContract
import MartletCore
public import MartletSettings
import Synchronization

/// Log lines on standard error: readable ones on a terminal, JSON elsewhere, as the settings say.
public struct LogOutput: LogHandler {
    public var logLevel: Logger.Level
    public var metadata: Logger.Metadata = [:]
    private let label: String
    private let isJSON: Bool

    public static func logger(_ settings: Settings) -> Logger {
        let isJSON = settings.logFormat == .json || (settings.logFormat == .auto && isatty(STDERR_FILENO) == 0)
        let chosen = Logger.Level(rawValue: settings.logLevel.rawValue) ?? .info
        let level = settings.debug ? min(chosen, .debug) : chosen
        return Logger(label: "martlet") { LogOutput(logLevel: level, label: $0, isJSON: isJSON) }
    }

    private init(logLevel: Logger.Level, label: String, isJSON: Bool) {
        self.logLevel = logLevel
        self.label = label
        self.isJSON = isJSON
    }

    public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    public func log(event: LogEvent) {
        let all = metadata.merging(event.metadata ?? [:]) { $1 }
        let line = isJSON ? json(event, all) : text(event, all)
        StandardStream.error.write(line: line)
    }

    private func json(_ event: LogEvent, _ metadata: Logger.Metadata) -> String {
        var members: [JSON.Member] = [
            .init("time", .string(Timestamp.text(Date()))), .init("level", .string(event.level.rawValue)), .init("logger", .string(label)),
            .init("message", .string(event.message.description)),
        ]
        members += metadata.sorted { $0.key < $1.key }.map { .init($0.key, .string($0.value.description)) }
        // Strings cannot fail to encode.
        return String(decoding: (try? WireJSON.encode(JSON.object(members))) ?? [], as: UTF8.self)
    }

    private func text(_ event: LogEvent, _ metadata: Logger.Metadata) -> String {
        let details = metadata.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value.description.oneLine)" }.joined(separator: " ")
        return "\(Timestamp.text(Date())) \(event.level.rawValue.uppercased()) \(event.message.description.oneLine) \(details)"
    }
}

extension String {
    /// Line breaks would let a value pretend to be a line of its own.
    fileprivate var oneLine: String {
        contains(where: \.isNewline) ? replacing(/[\r\n]+/, with: "⏎") : self
    }
}
