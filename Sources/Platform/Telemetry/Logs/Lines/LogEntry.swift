import Logging
import MartletCore

/// What one line tells, before it is put in a form.
struct LogEntry {
    let moment: LogMoment
    let level: Logger.Level
    let label: String
    let message: String
    /// What went wrong, outermost first; empty for most lines.
    let errors: [String]
    /// What stands in the line before everything else that is told.
    let fields: [LogField]
    /// Named behind the first of the fields, where it is not among the metadata.
    let trace: Trace?
    let metadata: Logger.Metadata

    init(_ level: Logger.Level, _ message: String, _ fields: [LogField], _ trace: Trace?, label: String, at moment: LogMoment = .now) {
        (self.level, self.message, self.fields, self.label, self.moment) = (level, message, fields, label, moment)
        self.trace = trace
        (errors, metadata) = ([], [:])
    }

    init(_ event: LogEvent, label: String, metadata: Logger.Metadata, at moment: LogMoment = .now) {
        self.moment = moment
        level = event.level
        self.label = label
        message = event.message.description
        errors = event.error.map(ErrorChain.descriptions) ?? []
        (fields, trace) = ([], nil)
        self.metadata = metadata
    }

    /// The fields that every reader looks for, in the order in which they stand in a line.
    static let leadingNames = ["request_id", "trace_id", "span_id", "user", "route", "method", "status", "ms", "bytes", "client"]
    /// Of them, those that are numbers wherever they can be.
    static let numbers: Set<String> = ["status", "ms", "bytes", "milliseconds"]
    /// Names of the line itself: a field of such a name would make the line say two things.
    static let ownNames: Set<String> = ["time", "level", "logger", "message", "causes", "cut"]

    var leading: [(name: String, value: Logger.MetadataValue)] {
        metadata.isEmpty ? [] : Self.leadingNames.compactMap { name in metadata[name].map { (name, $0) } }
    }

    /// Whatever else was said, by name.
    func further(than count: Int) -> [(name: String, value: Logger.MetadataValue)] {
        guard count < metadata.count else { return [] }
        return metadata.filter { $0.key != "error" && !Self.leadingNames.contains($0.key) }.sorted { $0.key < $1.key }
            .map { (Self.ownNames.contains($0.key) ? $0.key + "_" : $0.key, $0.value) }
    }
}

/// An error, and what led to it.
enum ErrorChain {
    private static let longest = 8

    /// Each error in its own words, outermost first; at most eight.
    static func descriptions(of error: any Error) -> [String] {
        Array(sequence(first: error, next: cause).prefix(longest)).map(description)
    }

    private static func description(of error: any Error) -> String {
        guard let failure = error as? Failure else { return String(describing: error) }
        return "\(failure.code): \(failure.message)"
    }

    /// What an error says led to it. By reflection, since errors of any part, and of other people's libraries, name it in one of these ways.
    private static func cause(of error: any Error) -> (any Error)? {
        if let failure = error as? Failure { return failure.cause }
        let names: Set = ["cause", "underlying", "underlyingError"]
        return Mirror(reflecting: error).children.lazy.filter { names.contains($0.label ?? "") }.compactMap { $0.value as? any Error }.first
    }
}
