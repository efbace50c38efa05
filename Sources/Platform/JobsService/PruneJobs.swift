import MartletJobs
import MartletStorage

/// Removes jobs that ended a while ago, and what was told of them.
struct PruneJobs: Job {
    static let name = "jobs.prune"
    static let policy = JobPolicy(priority: .low, unique: .untilFinished)

    func run(_ work: Work<PruneJobs>, with resources: (register: JobRegister, retention: JobRetention)) async throws -> Outcome {
        while try await resources.register.prune(resources.retention) > 0 { try Task.checkCancellation() }
        return .done
    }
}
