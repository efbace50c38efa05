// MartletAdminAPI: what operators can ask of a running instance. Shared by server, client, documentation and tests.

public import Foundation
public import MartletContract
public import MartletCore

/// A running instance, seen and steered by operators. Where there are several, each answers for itself alone.
public struct AdminAPI: API {
    public static let shared = AdminAPI()
    public static let name = "admin"

    public let logLevels = Endpoint<NoContent, LogLevelReport>.get(
        "/api/v1/admin/log-levels", "See what the instance logs", allow: .permission(Self.logs))

    public let changeLogLevels = Endpoint<LogLevelChange, LogLevelReport>.put(
        "/api/v1/admin/log-levels", "Log more or less for a while",
        details: """
            Levels of loggers by their label, which stands for all labels below it: `martlet.jobs` is `martlet.jobs.lease` too. Labels that are \
            not named stay as they are. Of the instance that answers only; when the time is over, its settings count again.
            """,
        allow: .permission(Self.logs))

    public let resetLogLevels = Endpoint<NoContent, LogLevelReport>.delete(
        "/api/v1/admin/log-levels", "Log again what the settings say", allow: .permission(Self.logs))

    /// The permission to choose what is logged.
    public static let logs: Permission = "admin:logs"
    public static let permissions = [PermissionGrant.own(logs)]
}

/// How severe a line is, least severe first.
public enum LogLevelName: String, Codable, Sendable, CaseIterable {
    case trace, debug, info, notice, warning, error, critical
}

/// Other levels, for a while.
public struct LogLevelChange: Codable, Sendable {
    /// By label; 1 to 50 of them, each of 1 to 100 letters, digits, `.`, `_` and `-`.
    public var levels: [String: LogLevelName]
    /// 900 unless it is said.
    public var expiresInSeconds: LogLevelTime?

    public init(levels: [String: LogLevelName], expiresInSeconds: LogLevelTime? = nil) {
        (self.levels, self.expiresInSeconds) = (levels, expiresInSeconds)
    }
}

/// How long a changed level holds: a second to a day.
public struct LogLevelTime: Parsed {
    public static let schema = Schema.integer(1...86_400, default: standard, "How long it holds, in seconds.")
    public static let example = standard
    public static let standard = 900
    public let raw: Int

    public init(_ raw: Int) throws(Fault) {
        guard (1...86_400).contains(raw) else {
            throw Fault(code: "out_of_range", message: "This must be a number of seconds from 1 to 86400.")
        }
        self.raw = raw
    }
}

/// What an instance logs.
public struct LogLevelReport: Codable, Sendable, Equatable {
    public struct Changed: Codable, Sendable, Equatable {
        public var level: LogLevelName
        public var expiresAt: Date

        public init(level: LogLevelName, expiresAt: Date) { (self.level, self.expiresAt) = (level, expiresAt) }
    }

    /// For loggers that no label names.
    public var standard: LogLevelName
    /// What the settings say of labels.
    public var configured: [String: LogLevelName]
    /// What was changed for a while.
    public var changed: [String: Changed]

    public init(standard: LogLevelName, configured: [String: LogLevelName], changed: [String: Changed]) {
        (self.standard, self.configured, self.changed) = (standard, configured, changed)
    }
}
