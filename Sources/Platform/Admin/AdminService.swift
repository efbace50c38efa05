// MartletAdmin: a running instance, seen and steered by operators.

import Foundation
public import Logging
import MartletAdminAPI
public import MartletAudit
public import MartletContract
public import MartletCore
public import MartletHTTP
public import MartletService
public import MartletStorage
public import MartletTelemetry

/// What operators can ask of this instance; read it first.
public struct AdminService: Service {
    private let levels: LogLevelDesk

    public init(logs: Logs, audit: AuditLog, logger: Logger, clock: WallClock) {
        levels = LogLevelDesk(levels: logs.levels, audit: audit, logger: logger, clock: clock)
    }

    public var operations: [NamedOperation] { AdminAPI.operations }
    public static var migrations: [Migration] { [] }
    public static var tables: [StoredTable] { [] }

    public var routes: [Route] {
        [
            serve(AdminAPI.logLevels) { _, _ in
                levels.report()
            },
            serve(AdminAPI.changeLogLevels) { change, caller in
                try await levels.change(change, by: caller)
                return levels.report()
            },
            serve(AdminAPI.resetLogLevels) { _, caller in
                try await levels.reset(by: caller)
                return levels.report()
            },
        ]
    }
}
