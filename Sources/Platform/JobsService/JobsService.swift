// MartletJobsService: jobs seen and steered from outside.

public import MartletAudit
public import MartletContract
public import MartletHTTP
public import MartletJobs
import MartletJobsAPI
public import MartletService
public import MartletStorage

/// What can be asked of jobs, and the pruning of those that ended; read it first.
public struct JobsService: Service {
    let register: JobRegister
    private let steering: JobSteering
    private let watch: JobWatch
    private let retention: JobRetention

    /// - Parameter tail: Where it hears what happens to jobs; it must not run yet.
    public init(_ database: any Database, tail: OutboxTail, clock: JobClock, retention: JobRetention, audit: AuditLog) {
        register = JobRegister(database, clock: clock)
        steering = JobSteering(register, audit: audit)
        watch = JobWatch(database, register, tail)
        self.retention = retention
    }

    public var operations: [NamedOperation] { JobsAPI.operations }
    public static var migrations: [Migration] { JobTables.migrations }
    public static var tables: [StoredTable] { JobTables.tables }

    public var jobs: [JobHandler] { [perform(PruneJobs.self, with: (register, retention))] }
    public var schedules: [ScheduledJob] { [schedule("jobs.prune", .cron("37 * * * *")) { PruneJobs() }] }

    public var routes: [Route] {
        [
            serve(JobsAPI.find) { job, caller in
                try await register.find(job.id, owner: caller.id)
            },
            serve(events: JobsAPI.events) { job, caller, lastEventID in
                try await watch.follow(job.id, owner: caller.id, after: lastEventID)
            },
            serve(JobsAPI.cancel) { job, caller in
                try await register.cancel(job.id, owner: caller.id)
                return try await register.find(job.id, owner: caller.id)
            },
            serve(JobsAPI.list) { filter, _ in
                try await register.page(filter)
            },
            serve(JobsAPI.inspect) { job, _ in
                try await register.find(job.id)
            },
            serve(JobsAPI.stop) { job, _ in
                try await steering.cancel(job.id)
                return try await register.find(job.id)
            },
            serve(JobsAPI.retry) { job, _ in
                try await steering.retry(job.id)
                return try await register.find(job.id)
            },
        ]
    }
}
