import Foundation
import Logging
import MartletAdminAPI
import MartletAudit
import MartletContract
import MartletCore
import MartletHTTP
import MartletTelemetry

/// Shows and changes what is logged; every change is in the audit log first, and a line of the log itself, with who made it.
struct LogLevelDesk: Sendable {
    let levels: LogLevels
    let audit: AuditLog
    let logger: Logger
    let clock: WallClock

    func report() -> LogLevelReport {
        let (configured, now) = (levels.configured, clock.now)
        return LogLevelReport(
            standard: LogLevelName(configured.standard), configured: configured.labels.mapValues(LogLevelName.init),
            changed: levels.changes.mapValues { change in
                LogLevelReport.Changed(level: LogLevelName(change.level), expiresAt: now.addingTimeInterval(change.remaining / .seconds(1)))
            })
    }

    func change(_ change: LogLevelChange, by caller: Caller) async throws {
        let faults = Self.faults(of: change.levels)
        guard faults.isEmpty else { throw Failure.invalid(faults) }
        let seconds = change.expiresInSeconds?.raw ?? LogLevelTime.standard
        let shown = change.levels.map { "\($0.key)=\($0.value.rawValue)" }.sorted().joined(separator: ",")
        try await audit.record(AuditEvent(.logLevelsChanged, after: ["levels": .text(shown), "seconds": .number(seconds)]))
        levels.change(change.levels.mapValues(Logger.Level.init), for: .seconds(seconds))
        logger.notice(
            "Log levels are changed for a while",
            metadata: ["user": "\(caller.id)", "levels": "\(shown)", "seconds": .stringConvertible(seconds)])
    }

    func reset(by caller: Caller) async throws {
        try await audit.record(AuditEvent(.logLevelsReset))
        levels.reset()
        logger.notice("Log levels are those of the settings again", metadata: ["user": "\(caller.id)"])
    }

    private static let most = 50

    private static func faults(of levels: [String: LogLevelName]) -> [Fault] {
        guard (1...most).contains(levels.count) else {
            return [Fault(pointer: "/levels", code: "out_of_range", message: "Name 1 to \(most) labels.")]
        }
        return levels.keys.filter { !isLabel($0) }.sorted().map { _ in
            Fault(
                pointer: "/levels", code: "invalid_label",
                message: "A label has 1 to 100 letters, digits, dots, underscores and hyphens, such as martlet.jobs.")
        }
    }

    private static func isLabel(_ text: String) -> Bool {
        (1...100).contains(text.utf8.count)
            && text.utf8.allSatisfy { (0x61...0x7A).contains($0 | 0x20) || (0x30...0x39).contains($0) || "._-".utf8.contains($0) }
    }
}

extension AuditAction {
    static let logLevelsChanged = AuditAction("log_levels.changed")
    static let logLevelsReset = AuditAction("log_levels.reset")
}

extension LogLevelName {
    init(_ level: Logger.Level) {
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

extension Logger.Level {
    init(_ name: LogLevelName) {
        switch name {
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
