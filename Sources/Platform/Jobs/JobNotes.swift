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
            let isMine = try await transaction.change("UPDATE job SET checkpoint = \(text) WHERE \(fence(claim))") > 0
            guard isMine else { throw LostLease() }
            return checkpoint
        }
    }

    // MARK: By the worker

    /// What is written of an attempt that ended.
    enum Note: Sendable {
        case done(StoredResult?)
        case cancelled(String)
        case dead(String)
        /// Again after a time; `nil` is at once.
        case failed(String, again: Duration?)
        /// As if it had not been begun.
        case returned(after: Duration?)
    }

    func note(_ note: Note, of claim: Claim) async throws {
        guard claim.ownerID != nil else { return try await self.note(note, of: claim, in: database) }
        try await database.transaction(isolation: .readCommitted) { try await self.note(note, of: claim, in: $0) }
    }

    private func note(_ note: Note, of claim: Claim, in queries: any Queries) async throws {
        guard try await queries.change("UPDATE job SET \(change(note, claim)) WHERE \(fence(claim))") > 0 else { throw LostLease() }
        guard claim.ownerID != nil, let transaction = queries as? any Transaction else { return }
        try await Outbox.append(JobRegister.eventTopic, key: claim.id.description, note.event, in: transaction)
    }

    /// Notes many that are done, and leave nothing to read, by one statement; returns how many of them were this worker's to note.
    func done(_ claims: [Claim], worker: UUID) async throws -> Int {
        let pairs = claims.map { claim -> SQL in "(\(claim.id), \(claim.token))" }
        return try await database.change(
            """
            UPDATE job SET \(change(.done(nil), nil)) WHERE state = 'running' AND worker_id = \(worker) AND \(holdsLease(worker))
                AND (id, token) IN (VALUES \(SQL.joined(pairs, by: ", ")))
            """)
    }

    /// Frees a job whose worker is gone. Two who try it at once do it once.
    func release(_ claim: Claim, as note: Note) async throws {
        try await database.transaction(isolation: .readCommitted) { transaction in
            let shelf = JobShelf(database: database, clock: clock)
            let count = try await transaction.change(
                "UPDATE job SET \(change(note, claim)) WHERE id = \(claim.id) AND token = \(claim.token) AND state = 'running' AND \(shelf.isLost)"
            )
            guard count > 0, claim.ownerID != nil else { return }
            try await Outbox.append(JobRegister.eventTopic, key: claim.id.description, note.event, in: transaction)
        }
    }

    // MARK: The statements' parts

    /// Whether the attempt is still the worker's own.
    private func fence(_ claim: Claim) -> SQL {
        "id = \(claim.id) AND token = \(claim.token) AND state = 'running' AND worker_id = \(claim.workerID) AND \(holdsLease(claim.workerID))"
    }

    private func holdsLease(_ worker: UUID) -> SQL {
        "EXISTS (SELECT 1 FROM job_worker WHERE job_worker.id = \(worker) AND lease_until > \(clock.now))"
    }

    private func change(_ note: Note, _ claim: Claim?) -> SQL {
        let free: SQL = "worker_id = NULL, cancel_requested = \(false)"
        let end: SQL =
            "finished_at = \(clock.now), checkpoint = NULL, unique_key = CASE WHEN unique_rule = 'period' THEN unique_key END, \(free)"
        return switch note {
        case .done(let result): "state = 'done', result = \(result?.text), \(end)"
        case .cancelled(let reason): "state = 'cancelled', errors = \(errors(reason, claim)), \(end)"
        case .dead(let reason): "state = 'dead', errors = \(errors(reason, claim)), \(end)"
        case .failed(let reason, let delay): "\(again(delay)), errors = \(errors(reason, claim)), \(free)"
        case .returned(let delay): "\(again(delay)), attempt = attempt - 1, \(free)"
        }
    }

    private func again(_ delay: Duration?) -> SQL {
        guard let delay else { return "state = 'ready'" }
        return "state = 'waiting', run_at = \(clock.now(plus: delay))"
    }

    /// The errors so far and this one, as JSON.
    private func errors(_ reason: String, _ claim: Claim?) -> String {
        guard let claim else { return "[]" }
        let reason = String(reason.unicodeScalars.filter { $0 != "\0" }.prefix(AttemptError.longestReason).map(Character.init))
        let new = AttemptError(attempt: claim.attempt, at: Date(), reason: reason)
        do {
            let old = try StoredResult(text: claim.errors).decode([AttemptError].self)
            return try StoredResult(old + [new]).text
        } catch {
            // What cannot be read is no reason to lose the job.
            return "[]"
        }
    }
}

extension JobNotes.Note {
    fileprivate var event: JobEvent {
        switch self {
        case .done: JobEvent(state: .done, progress: 1)
        case .cancelled(let reason): JobEvent(state: .cancelled, message: reason)
        case .dead(let reason): JobEvent(state: .dead, message: reason)
        case .failed(let reason, let delay): JobEvent(state: delay == nil ? .ready : .waiting, message: reason)
        case .returned(let delay): JobEvent(state: delay == nil ? .ready : .waiting)
        }
    }
}
