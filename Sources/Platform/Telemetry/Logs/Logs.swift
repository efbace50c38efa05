import Dispatch
import Foundation
public import Logging
import MartletCore

/// What a process logs, and where: levels that can be changed, and writers that nobody waits for.
///
/// ```swift
/// let logs = try Logs(LogSettings(…))
/// let logger = logs.logger("martlet.jobs")
/// ```
public final class Logs: Sendable {
    /// A writer, how its lines look, and the least severe that it gets.
    struct Output: Sendable {
        let writer: LogWriter
        let form: LogForm
        let least: Logger.Level
        var place = LogPlace.standardError
    }

    public let levels: LogLevels
    private let outputs: [Output]
    private let rules: (@Sendable () throws -> LogLevelRules)?

    /// Opens what the settings name.
    ///
    /// - Parameter rules: Reads the levels of the settings again, for ``reload()``.
    /// - Throws: ``LogFileUnusable``.
    public convenience init(
        _ settings: LogSettings, rules: (@Sendable () throws -> LogLevelRules)? = nil
    ) throws(LogFileUnusable) {
        let bounds = LogWriter.Bounds(bytes: settings.bufferBytes)
        var outputs: [Output] = []
        if settings.standardError { outputs.append(Output(StreamSink(descriptor: STDERR_FILENO), settings.form, .trace, bounds)) }
        if let place = settings.file { outputs.append(Output(try LogFile(place), settings.form.ofFiles, .trace, bounds, at: .file)) }
        if let place = settings.errorFile {
            outputs.append(Output(try LogFile(place), settings.form.ofFiles, .error, bounds, at: .errorFile))
        }
        self.init(LogLevels(settings.rules), outputs, rules: rules)
    }

    init(_ levels: LogLevels, _ outputs: [Output], rules: (@Sendable () throws -> LogLevelRules)? = nil) {
        (self.levels, self.outputs, self.rules) = (levels, outputs, rules)
    }

    /// Levels without anything that is written: for an app that logs elsewhere.
    public convenience init() { self.init(LogLevels(), []) }

    /// The logger of a part of the program: `martlet.jobs`. Its lines name the request and the trace that the current task works for.
    public func logger(_ label: String) -> Logger {
        Logger(label: label) { LineHandler(self, label: $0) }
    }

    /// What was written to each place that there is, what was dropped and what waits.
    public var statistics: [LogStatistics] {
        outputs.map { output in
            var statistics = output.writer.statistics
            statistics.place = output.place
            return statistics
        }
    }

    func write(_ entry: LogEntry) {
        var line: (form: LogForm, bytes: [UInt8])?
        for output in outputs where entry.level >= output.least {
            if line?.form != output.form { line = (output.form, output.form.line(of: entry)) }
            if let line { output.writer.write(line.bytes, entry.level) }
        }
    }

    /// Waits until what was logged so far is written, or the time is over; returns whether it is. Does not block the caller's thread.
    @discardableResult
    public func flush(within duration: Duration = .seconds(2)) async -> Bool {
        guard !outputs.isEmpty else { return true }
        let end = DispatchTime.now() + .milliseconds(Int(duration / .milliseconds(1)))
        return await withCheckedContinuation { waiter in
            // A thread of its own: those of the pool are few, and this one is blocked.
            Thread.detachNewThread { [outputs] in
                waiter.resume(returning: outputs.map { $0.writer.flush(until: end) }.allSatisfy { $0 })
            }
        }
    }

    /// Opens the files again, as after logrotate, and reads the levels of the settings again; changed levels stay until their time.
    ///
    /// Settings that cannot be read leave the levels as they are; that is thrown on.
    public func reload() throws {
        for output in outputs { output.writer.reopen() }
        if let rules { levels.configure(try rules()) }
    }
}

extension Logs.Output {
    init(
        _ sink: some LogSink, _ form: LogForm, _ least: Logger.Level, _ bounds: LogWriter.Bounds = .init(),
        at place: LogPlace = .standardError
    ) {
        self.init(writer: LogWriter(to: sink, bounds) { form.line(of: .dropped($0)) }, form: form, least: least, place: place)
    }
}

extension LogForm {
    /// Colours are for terminals.
    var ofFiles: LogForm { self == .json ? .json : .text(inColour: false) }
}

extension LogEntry {
    /// Tells how many lines were dropped, by level.
    static func dropped(_ counts: [Logger.Level: Int]) -> LogEntry {
        let fields = counts.map { ("dropped_\($0.key.rawValue)", Logger.MetadataValue.stringConvertible($0.value)) }
        let event = LogEvent(
            level: .warning, message: "Log lines were dropped", metadata: Logger.Metadata(uniqueKeysWithValues: fields),
            source: "martlet.log",
            file: #fileID, function: #function, line: #line)
        return LogEntry(event, label: "martlet.log", metadata: event.metadata ?? [:])
    }
}

/// What the settings say of logs.
public struct LogSettings: Sendable {
    public var rules: LogLevelRules
    public var form: LogForm
    public var file: LogFilePlace?
    /// For errors and what is worse, beside all other places.
    public var errorFile: LogFilePlace?
    /// Whether lines are written to standard error, as servers do; tests do not.
    public var standardError: Bool
    /// How much may wait for each place.
    public var bufferBytes: Int

    public init(
        rules: LogLevelRules = LogLevelRules(), form: LogForm = .json, file: LogFilePlace? = nil, errorFile: LogFilePlace? = nil,
        standardError: Bool = true, bufferBytes: Int = LogWriter.Bounds.standardBytes
    ) {
        (self.rules, self.form, self.file, self.errorFile) = (rules, form, file, errorFile)
        (self.standardError, self.bufferBytes) = (standardError, bufferBytes)
    }
}
