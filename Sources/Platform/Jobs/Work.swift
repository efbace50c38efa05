public import Logging
public import MartletCore
public import MartletJobsAPI
public import MartletStorage
import Synchronization

/// One attempt at a job, as its ``Job/run(_:with:)`` sees it.
public struct Work<Kind: Job>: Sendable {
    public let id: Identifier<JobRecord>
    /// From 1.
    public let attempt: Int
    /// Whose job it is; `nil` for the program's own.
    public let owner: Identifier<Account>?
    /// What an earlier attempt saved last.
    public let checkpoint: Kind.Checkpoint?
    /// Its lines carry the job's id and name, the attempt, and the request that enqueued it.
    public let logger: Logger
    let claim: Claim
    let notes: JobNotes
    let noted: Finish
    let progress: ProgressReports

    /// Commits what `body` writes together with the note that the job is done: both, once, or neither.
    ///
    /// Return it from `run`: `return try await work.finish { tx in … }`. Throws ``LostLease`` when another worker has the job by now; nothing is
    /// written then. `body` may run again, as that of any transaction.
    public func finish(
        isolation: Isolation = .serializable, _ body: @Sendable (any Transaction) async throws -> Void
    ) async throws -> Outcome {
        try await noted.after {
            try await notes.finish(claim, isolation) { transaction in
                try await body(transaction)
                return nil
            }
        }
    }

    /// The same, with what `body` returns as the result for the job's owner.
    public func finish<Result: Encodable & Sendable>(
        isolation: Isolation = .serializable, _ body: @Sendable (any Transaction) async throws -> Result
    ) async throws -> Outcome {
        try await noted.after { try await notes.finish(claim, isolation) { try StoredResult(try await body($0)) } }
    }

    /// Commits what `body` writes together with how far the job has come, which `body` returns: an attempt that follows finds it in
    /// ``checkpoint``.
    ///
    /// Throws ``LostLease`` as ``finish(isolation:_:)`` does.
    public func save(
        isolation: Isolation = .serializable, _ body: @Sendable (any Transaction) async throws -> Kind.Checkpoint
    ) async throws -> Kind.Checkpoint {
        try await notes.save(claim, isolation, body)
    }

    /// Tells the job's owner how far it is: a part between 0 and 1, and a few words. Costs nothing to call often: of those that come faster
    /// than four in a second the last one counts. Only jobs with an owner are watched.
    public func report(_ part: Double, _ message: String? = nil) {
        progress.report(part, message)
    }
}

/// Whether an attempt has noted itself that its job is done.
final class Finish: Sendable {
    private let isSet = Atomic(false)
    var isNoted: Bool { isSet.load(ordering: .acquiring) }

    func after(_ body: () async throws -> Outcome) async throws -> Outcome {
        let outcome = try await body()
        isSet.store(true, ordering: .releasing)
        return outcome
    }
}

/// Another worker has taken the job over: nothing more of this attempt is kept.
public struct LostLease: Error {}
