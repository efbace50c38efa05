import Foundation
import MartletContract
import MartletCore
import MartletJobsAPI
import MartletStorage

/// Notes what became of attempts. Every statement is fenced: a worker whose lease ended, or whose job another one has, changes nothing.
struct JobNotes: Sendable {
    let database: any Database
    let clock: JobClock

    // MARK: By the job itself

    func finish(
        _ claim: Claim, _ isolation: Isolation, _ body: @Sendable (any Transaction) async throws -> StoredResult?
    ) async throws -> Outcome {
        try await database.transaction(isolation: isolation) { transaction in
            let result = try await body(transaction)
            try await note(.done(result), of: claim, in: transaction)
        }
        return .finished
    }

    func save<Checkpoint: Encodable & Sendable>(
        _ claim: Claim, _ isolation: Isolation, _ body: @Sendable (any Transaction) async throws -> Checkpoint
    ) async throws -> Checkpoint {
        try await database.transaction(isolation: isolation) { transaction in
            let checkpoint = try await body(transaction)
            let text = try StoredResult(checkpoint).text
            _ = try await change("checkpoint = \(text)", of: claim, in: transaction)
            return checkpoint
        }
    }

    // MARK: By the worker

    /// What is written of an attempt that ended.
    enum Note: Sendable {
        case done(StoredResult?)
        case cancelled(Reason)
        case dead(Reason)
        /// Again after a time; `nil` is at once.
        case failed(Reason, again: Duration?)
        /// As if it had not been begun.
        case returned(after: Duration?)
    }

    func note(_ note: Note, of claim: Claim) async throws {
        guard claim.ownerID != nil else { return try await self.note(note, of: claim, in: database) }
        try await database.transaction(isolation: .readCommitted) { try await self.note(note, of: claim, in: $0) }
    }

    private func note(_ note: Note, of claim: Claim, in queries: any Queries) async throws {
        let noted = try await change(change(note, claim), of: claim, in: queries)
        if let transaction = queries as? any Transaction { try await tell(claim, note.event(noted), in: transaction) }
    }

    /// Nobody watches the program's own.
    private func tell(_ claim: Claim, _ event: JobEvent, in transaction: any Transaction) async throws {
        guard claim.ownerID != nil else { return }
        try await Outbox.append(JobRegister.eventTopic, key: claim.id.description, event, in: transaction)
    }

    /// What attempts have in common that are noted together. Most jobs need one attempt: by its token, rather than by pairs of identifier
    /// and token, PostgreSQL compares each row once.
    struct Batch: Hashable {
        let worker: UUID
        let token: Int

        init(_ claim: Claim) { (worker, token) = (claim.workerID, claim.token) }
    }

    /// Tries the row's place first, since jobs that end at the same time would conflict by reading the index; it is another one after a
    /// checkpoint, or a request to cancel.
    private func change(_ values: SQL, of claim: Claim, in queries: any Queries) async throws -> JobState {
        for row in [SQL.stored(at: claim.place) + " AND ", ""] {
            let state = try await queries.first(
                JobState.self, "UPDATE job SET \(values) WHERE \(row)\(fence(claim, in: queries)) RETURNING state")
            if let state { return state }
        }
        throw LostLease()
    }

    /// Notes many that are done, and leave nothing to read, by one statement; returns how many of them were still the worker's to note.
    func done(_ jobs: [Identifier<JobRecord>], of batch: Batch) async throws -> Int {
        // The last one several times, so that few forms of the statement are prepared.
        var jobs = jobs
        while let last = jobs.last, jobs.count.nonzeroBitCount > 1 { jobs.append(last) }
        return try await database.change(
            """
            UPDATE job SET \(change(.done(nil), nil))
            WHERE state = 'running' AND worker_id = \(batch.worker) AND \(clock.isLeased(to: batch.worker)) AND token = \(batch.token)
                AND id IN \(list: jobs)
            """)
    }

    /// Frees a job whose worker is gone. Two who try it at once do it once.
    func release(_ claim: Claim, as note: Note) async throws {
        try await database.transaction(isolation: .readCommitted) { transaction in
            let shelf = JobShelf(database: database, clock: clock)
            let noted = try await transaction.first(
                JobState.self,
                """
                UPDATE job SET \(change(note, claim)) WHERE id = \(claim.id) AND token = \(claim.token) AND state = 'running' AND \(shelf.isLost)
                RETURNING state
                """)
            if let noted { try await tell(claim, note.event(noted), in: transaction) }
        }
    }

    // MARK: The statements' parts

    /// Whether the attempt is still the worker's own.
    ///
    /// A serializable transaction of PostgreSQL sees the lease as it was when it began, so it is asked whether it lasted then: who takes the
    /// job meanwhile changes its row, and the transaction is not committed.
    private func fence(_ claim: Claim, in queries: any Queries) -> SQL {
        let isLeased = clock.isLeased(to: claim.workerID, at: queries is any Transaction ? clock.begun : clock.now)
        return "id = \(claim.id) AND token = \(claim.token) AND state = 'running' AND worker_id = \(claim.workerID) AND \(isLeased)"
    }

    private func change(_ note: Note, _ claim: Claim?) -> SQL {
        let free: SQL = "worker_id = NULL, cancel_requested = \(false)"
        let end: SQL =
            "finished_at = \(clock.now), unique_key = CASE WHEN unique_rule = 'period' THEN unique_key END, \(free)"
        return switch note {
        case .done(let result): "state = 'done', result = \(result?.text), checkpoint = NULL, \(end)"
        case .cancelled(let reason): "state = 'cancelled', errors = \(errors(reason, claim)), \(end)"
        case .dead(let reason): "state = 'dead', errors = \(errors(reason, claim)), \(end)"
        case .failed(let reason, let delay): "\(again(delay)), errors = \(errors(reason, claim)), \(free)"
        case .returned(let delay): "\(again(delay)), attempt = attempt - 1, \(free)"
        }
    }

    /// Waiting or ready again; but a job that was told to end meanwhile does.
    private func again(_ delay: Duration?) -> SQL {
        let (state, moment): (SQL, SQL) = delay.map { ("'waiting'", ", run_at = \(clock.now(plus: $0))") } ?? ("'ready'", "")
        return """
            state = CASE WHEN cancel_requested THEN 'cancelled' ELSE \(state) END\(moment),
            finished_at = CASE WHEN cancel_requested THEN \(clock.now) END,
            unique_key = CASE WHEN cancel_requested AND unique_rule <> 'period' THEN NULL ELSE unique_key END
            """
    }

    /// The errors so far and this one, as JSON.
    private func errors(_ reason: Reason, _ claim: Claim?) -> String {
        guard let claim else { return "[]" }
        let new = AttemptError(
            attempt: claim.attempt, at: Date(), reason: reason.whole.kept(upTo: AttemptError.longestReason),
            shown: reason.shown.kept(upTo: AttemptError.longestReason))
        // What cannot be read of them is no reason to lose the job.
        let old = (try? StoredResult(text: claim.errors).decode([AttemptError].self)) ?? []
        return (try? StoredResult(old.suffix(AttemptError.most - 1) + [new]).text) ?? "[]"
    }
}

extension JobNotes.Note {
    /// What is told of it when it left the job in this state.
    fileprivate func event(_ state: JobState) -> JobEvent {
        switch self {
        case .done, .returned: JobEvent(state: state, progress: state == .done ? 1 : nil)
        case .cancelled(let reason), .dead(let reason), .failed(let reason, _):
            JobEvent(state: state, message: reason.shown.kept(upTo: AttemptError.longestReason))
        }
    }
}
