import Foundation
public import Logging
public import MartletSettings
public import MartletTelemetry

extension Logs {
    /// The logs of a process: standard error, and the files that the settings name.
    ///
    /// - Parameter again: Reads the settings anew, for when the process is told to (SIGHUP).
    /// - Throws: ``LogFileUnusable``.
    public convenience init(
        _ settings: Settings, again: (@Sendable () throws -> Settings)? = nil
    ) throws(LogFileUnusable) {
        let rules: (@Sendable () throws -> LogLevelRules)? = if let again { { LogLevelRules(try again()) } } else { nil }
        try self.init(LogSettings(settings), rules: rules)
    }
}

extension LogSettings {
    init(_ settings: Settings) {
        let place = { LogFilePlace(path: $0, maximumBytes: settings.logFileSize, count: settings.logFileCount) }
        self.init(
            rules: LogLevelRules(settings), form: LogForm(settings), file: settings.logFile.map(place),
            errorFile: settings.logErrorFile.map(place), bufferBytes: settings.logBuffer)
    }
}

extension LogLevelRules {
    init(_ settings: Settings) {
        let chosen = Logger.Level(settings.logLevel)
        self.init(standard: settings.debug ? min(chosen, .debug) : chosen, labels: settings.logLevels.mapValues(Logger.Level.init))
    }
}

extension LogForm {
    /// Colours where a person looks on, unless they said not to (https://no-color.org).
    fileprivate init(_ settings: Settings) {
        let isTerminal = StandardStream.error.isTerminal
        let isJSON = settings.logFormat == .json || (settings.logFormat == .auto && !isTerminal)
        let refusesColour = ProcessInfo.processInfo.environment["NO_COLOR"]?.isEmpty == false
        self = isJSON ? .json : .text(inColour: isTerminal && !refusesColour)
    }
}

extension Logger.Level {
    init(_ level: Settings.LogLevel) {
        switch level {
        case .trace: self = .trace
        case .debug: self = .debug
        case .info: self = .info
        case .notice: self = .notice
        case .warning: self = .warning
        case .error: self = .error
        case .critical: self = .critical
        }
    }
}
