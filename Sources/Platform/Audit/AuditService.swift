import HTTPTypes
import MartletAuditAPI
public import MartletContract
public import MartletCore
public import MartletHTTP
public import MartletJobs
public import MartletService
public import MartletStorage

/// The log as operators read it, and its retention; read it first. What writes it is ``AuditLog``.
public struct AuditService: Service {
    private let database: any Database
    private let pruning: AuditPruning
    private let clock: WallClock

    /// - Parameter retention: How long rows are kept.
    public init(_ database: any Database, keys: AuditKeys, retention: Duration, clock: WallClock) {
        (self.database, self.clock) = (database, clock)
        pruning = AuditPruning(database: database, keys: keys, retention: retention, clock: clock)
    }

    public var operations: [NamedOperation] { AuditAPI.operations }
    public static var migrations: [Migration] { AuditTables.migrations }
    public static var tables: [StoredTable] { AuditTables.tables }

    public var jobs: [JobHandler] { [perform(PruneAudit.self, with: pruning)] }
    public var schedules: [ScheduledJob] { [schedule("audit.prune", .cron("47 * * * *")) { PruneAudit() }] }

    public var routes: [Route] {
        [
            serve(AuditAPI.list) { filter, _ in
                try await AuditReader(database).page(filter)
            },
            serve(AuditAPI.export) { filter, _ in
                AuditFile(AuditReader(database), filter, until: clock.now).document
            },
        ]
    }
}

extension AuditLog {
    /// Notes that a caller was refused for the want of a permission.
    public func noteRefusal(of caller: Caller, to operation: APIOperation) {
        guard case .permission(let permission) = operation.access else { return }
        let endpoint = AuditTarget(kind: "endpoint", id: "\(operation.method.rawValue) \(operation.path.path)")
        note(
            AuditEvent(
                .permissionRefused, on: endpoint, by: .account(caller.id), in: caller.organisation?.uuid, outcome: .refused,
                after: ["permission": .text("\(permission)")]))
    }
}

extension AuditAction {
    static let permissionRefused = AuditAction("permission.refused")
}
