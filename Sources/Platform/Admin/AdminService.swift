// MartletAdmin: a running instance, seen and steered by operators.

import Foundation
public import Logging
import MartletAdminAPI
public import MartletContract
public import MartletCore
public import MartletHTTP
public import MartletService
public import MartletStorage
public import MartletTelemetry

/// What operators can ask of this instance; read it first.
public struct AdminService: Service {
    private let levels: LogLevelDesk

    public init(logs: Logs, logger: Logger, clock: WallClock) {
        levels = LogLevelDesk(levels: logs.levels, logger: logger, clock: clock)
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
                try levels.change(change, by: caller)
                return levels.report()
            },
            serve(AdminAPI.resetLogLevels) { _, caller in
                levels.reset(by: caller)
                return levels.report()
            },
        ]
    }
}
