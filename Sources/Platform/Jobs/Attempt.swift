import Logging
import MartletCore
import Synchronization
import Tracing

/// One attempt under way, and why it was told to stop, if it was.
final class Attempt: Sendable {
    enum Stop: Sendable { case timedOut, cancelled, lostLease, shuttingDown }

    let claim: Claim
    let handler: JobHandler
    let deadline: ContinuousClock.Instant
    private let patience: Duration
    private let finish = Finish()
    private let state = Mutex(State())

    private struct State {
        var task: Task<Outcome, any Error>?
        var stop: Stop?
        var waiter: CheckedContinuation<Result<Outcome, any Error>, Never>?
        var isLeaving = false
    }

    /// - Parameter patience: How long it may take to end in a shutdown, before it is left to itself.
    init(_ claim: Claim, _ handler: JobHandler, at now: ContinuousClock.Instant, patience: Duration) {
        (self.claim, self.handler, self.patience) = (claim, handler, patience)
        deadline = now + handler.policy.timeout
    }

    /// Why it was told to stop; the first reason counts, but for a lost lease, after which nothing may be noted.
    var stopReason: Stop? { state.withLock { $0.stop } }

    /// Whether the job noted its end itself, together with its last work.
    var isNoted: Bool { finish.isNoted }

    func stop(_ reason: Stop) {
        let (task, leaves) = state.withLock { state in
            if state.stop == nil || reason == .lostLease { state.stop = reason }
            let leaves = reason == .shuttingDown && !state.isLeaving
            if leaves { state.isLeaving = true }
            return (state.task, leaves)
        }
        task?.cancel()
        if leaves { leaveBehind() }
    }

    /// A job that heeds no cancellation does not hold up the process: what it does later is refused.
    private func leaveBehind() {
        Task {
            // Nothing cancels this sleep: it ends by itself.
            try? await Task.sleep(for: patience)
            end(.failure(CancellationError()))
        }
    }

    private func end(_ result: Result<Outcome, any Error>) {
        let waiter = state.withLock { state in
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume(returning: result)
    }

    /// Runs the job to its end, whatever that is.
    ///
    /// - Parameter context: Of the trace that it is; `nil` for none.
    func run(_ notes: JobNotes, _ desk: ProgressDesk, _ logger: Logger, in context: ServiceContext?) async
        -> Result<Outcome, any Error>
    {
        var logger = logger
        logger[metadataKey: "job"] = "\(claim.id)"
        logger[metadataKey: "kind"] = "\(claim.kind)"
        logger[metadataKey: "attempt"] = "\(claim.attempt)"
        if let id = claim.requestID { logger[metadataKey: "request_id"] = "\(id)" }
        let reports = ProgressReports(desk: desk, job: claim.id, isWatched: claim.ownerID != nil)
        reports.begin()
        let work = CurrentRequest.$id.withValue(claim.requestID) {
            ServiceContext.$current.withValue(context) {
                Task { [claim, handler, finish, logger] in try await handler.run(claim, notes, finish, reports, logger) }
            }
        }
        let isStopped = state.withLock { state in
            state.task = work
            return state.stop != nil
        }
        if isStopped { work.cancel() }
        return await withTaskCancellationHandler {
            await ending(of: work)
        } onCancel: {
            stop(.shuttingDown)
        }
    }

    private func ending(of work: Task<Outcome, any Error>) async -> Result<Outcome, any Error> {
        await withCheckedContinuation { waiter in
            state.withLock { $0.waiter = waiter }
            Task { end(await work.result) }
        }
    }
}

extension Attempt {
    /// What is to be noted of the attempt; `nil` when it has been, or is not ours to note any more.
    func note(for result: Result<Outcome, any Error>, chance: Double) -> JobNotes.Note? {
        switch (result, stopReason) {
        case (_, .lostLease), (.failure(is LostLease), _): nil
        case (.success(.finished), _): finish.isNoted ? nil : failed("It ended as finished, and nothing was.", after: nil, chance)
        case (.success(let outcome), _): note(for: outcome, chance)
        case (.failure, .cancelled): .cancelled("It was cancelled while it ran.")
        case (.failure, .shuttingDown): .returned(after: nil)
        case (.failure, .timedOut): failed(Reason("The attempt took longer than \(handler.policy.timeout)."), after: nil, chance)
        case (.failure(let error), nil): failed(Reason(error), after: nil, chance)
        }
    }

    /// What is noted when the outcome itself cannot be stored, a result with the character NUL for example.
    func unstorable(_ failure: Failure) -> JobNotes.Note { .dead(Reason("Its outcome cannot be stored: \(Reason(failure).whole)")) }

    private func note(for outcome: Outcome, _ chance: Double) -> JobNotes.Note? {
        switch outcome {
        case .finished: nil
        case .done(let result): .done(result)
        case .retry(let delay, let reason): failed(Reason(reason), after: delay, chance)
        case .snooze(let delay): .returned(after: delay)
        case .cancel(let reason): .cancelled(Reason(reason))
        case .discard(let reason): .dead(Reason(reason))
        }
    }

    private func failed(_ reason: Reason, after delay: Duration?, _ chance: Double) -> JobNotes.Note {
        guard claim.attempt < claim.maxAttempts else { return .dead(reason) }
        let planned = handler.policy.retry.delay(afterAttempt: claim.attempt, chance: chance)
        return .failed(reason, again: delay ?? planned ?? .seconds(1))
    }
}
