public import Logging

/// The least severe levels that are logged: one for all, and others for the loggers whose label begins with some name.
public struct LogLevelRules: Sendable, Equatable {
    /// For loggers that no label names.
    public var standard: Logger.Level
    /// `martlet.jobs` is the logger of that label and those below it, such as `martlet.jobs.lease`; the longest label decides.
    public var labels: [String: Logger.Level]

    public init(standard: Logger.Level = .info, labels: [String: Logger.Level] = [:]) {
        (self.standard, self.labels) = (standard, labels)
    }

    /// The level of a logger.
    public func level(of label: String) -> Logger.Level {
        labels.filter { Self.covers($0.key, label) }.max { $0.key.utf8.count < $1.key.utf8.count }?.value ?? standard
    }

    static func covers(_ prefix: String, _ label: String) -> Bool {
        label == prefix || label.hasPrefix(prefix + ".")
    }
}

/// The rules of the settings, and what was changed for a while: a pure value, told the time by whoever holds it.
struct LogLevelTable: Sendable, Equatable {
    struct Change: Sendable, Equatable {
        var level: Logger.Level
        var expiry: ContinuousClock.Instant
    }

    var configured: LogLevelRules
    private(set) var changes: [String: Change] = [:]

    init(_ configured: LogLevelRules) { self.configured = configured }

    /// The longest label decides; of two that are the same, the change.
    func level(of label: String) -> Logger.Level {
        LogLevelRules(standard: configured.standard, labels: configured.labels.merging(changes.mapValues(\.level)) { $1 }).level(of: label)
    }

    /// Changes some labels; further changes stay until their own time.
    mutating func change(_ levels: [String: Logger.Level], until expiry: ContinuousClock.Instant) {
        for (label, level) in levels { changes[label] = Change(level: level, expiry: expiry) }
    }

    mutating func reset() { changes = [:] }

    /// Takes back what is over.
    mutating func expire(at now: ContinuousClock.Instant) {
        changes = changes.filter { $0.value.expiry > now }
    }
}
