import Logging
import MartletCore
import MartletStorage

/// A kind of job and what runs it; declared by a service beside its routes.
public struct JobHandler: Sendable {
    public let name: String
    public let policy: JobPolicy
    let run: @Sendable (Claim, JobNotes, Finish, ProgressReports, Logger) async throws -> Outcome
}

/// Performs jobs of a kind with what they need.
///
/// ```swift
/// public var jobs: [JobHandler] { [perform(ImportBookmarks.self, with: self)] }
/// ```
public func perform<Kind: Job>(_ kind: Kind.Type, with resources: Kind.Resources) -> JobHandler {
    JobHandler(name: kind.name, policy: kind.policy) { claim, notes, finish, progress, logger in
        let job: Kind
        let checkpoint: Kind.Checkpoint?
        do {
            job = try StoredResult(text: claim.payload).decode()
            checkpoint = try claim.checkpoint.map { try StoredResult(text: $0).decode() }
        } catch {
            return .discard(because: "Its stored input cannot be read by this version (\(type(of: error))).")
        }
        let work = Work<Kind>(
            id: claim.id, attempt: claim.attempt, owner: claim.ownerID, checkpoint: checkpoint, logger: logger, claim: claim, notes: notes,
            noted: finish, progress: progress)
        return try await job.run(work, with: resources)
    }
}

/// A job that the clock enqueues.
public struct ScheduledJob: Sendable {
    /// Its stored name, for ever.
    public let name: String
    public let schedule: Schedule
    let enqueue: @Sendable (Jobs, any Transaction) async throws -> Void
}

/// Enqueues a job whenever a schedule says so, once over all instances.
public func schedule<Kind: Job>(_ name: String, _ schedule: Schedule, _ job: @escaping @Sendable () -> Kind) -> ScheduledJob {
    ScheduledJob(name: name, schedule: schedule) { jobs, transaction in _ = try await jobs.enqueue(job(), in: transaction) }
}
