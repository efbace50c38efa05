import Foundation
import Logging
import MartletCore
import MartletJobsAPI
import MartletStorage
import MartletTelemetry
import Synchronization

// How an attempt is run and noted.
extension JobWorker {
    func perform(_ attempt: Attempt) async {
        let start = ContinuousClock.now
        metrics.began()
        let span = traces?.attempt(enqueuedBy: attempt.claim.traceparent.flatMap { TraceParent($0) })
        let result = await attempt.run(notes, progressDesk, logger, in: span?.context)
        let failure = attempt.failure(of: result)
        span?.end(AttemptSpan(attempt.claim), failed: failure != nil, failure: failure)
        progressDesk.drop(attempt.claim.id)
        // Noted even when this task is cancelled: a shutdown returns what it interrupts.
        let outcome = await Task { await settle(attempt, result) }.value
        metrics.ended(attempt.claim.kind, outcome, after: start.duration(to: .now))
        state.withLock { state in
            // The same job may run here again by now, under another lease.
            if state.running[attempt.claim.id] === attempt { state.running[attempt.claim.id] = nil }
            state.slots.ended(attempt.claim.queue)
        }
        bell.ring()
    }

    /// Notes the attempt's end, through an outage too: until it is noted, or another worker may have the job.
    private func settle(_ attempt: Attempt, _ result: Result<Outcome, any Error>) async -> JobMetrics.Outcome {
        guard var note = attempt.note(for: result, chance: .random(in: 0..<1)) else { return attempt.isNoted ? .done : .lost }
        log(note, of: attempt)
        var pause = Duration.milliseconds(50)
        repeat {
            do {
                try await write(note, of: attempt.claim)
                return JobMetrics.Outcome(note)
            } catch is LostLease {
                logger.warning("A job was taken over meanwhile", metadata: attempt.metadata)
                return .lost
            } catch let failure as Failure where failure.kind == .invalid {
                note = attempt.unstorable(failure)
            } catch {
                logger.warning("A job's end could not be noted yet", metadata: attempt.metadata.merging(["error": "\(error)"]) { $1 })
                // Not cancelled by anyone: it runs in a task of its own.
                try? await Task.sleep(for: pause)
                pause = min(pause * 2, .seconds(2))
            }
        } while attempt.stopReason != .lostLease && heldLease == attempt.claim.workerID
        return .lost
    }

    private func write(_ note: JobNotes.Note, of claim: Claim) async throws {
        if case .done(nil) = note, claim.ownerID == nil { return try await doneDesk.note(claim) }
        try await notes.note(note, of: claim)
    }

    private func log(_ note: JobNotes.Note, of attempt: Attempt) {
        switch note {
        case .done, .returned: break
        case .cancelled(let reason): logger.info("A job was cancelled", metadata: attempt.metadata(reason.whole))
        case .failed(let reason, _): logger.notice("A job failed and is tried again", metadata: attempt.metadata(reason.whole))
        case .dead(let reason): logger.error("A job is given up", metadata: attempt.metadata(reason.whole))
        }
    }
}

extension Attempt {
    fileprivate var metadata: Logger.Metadata {
        var metadata: Logger.Metadata = ["job": "\(claim.id)", "kind": "\(claim.kind)", "attempt": "\(claim.attempt)"]
        if let id = claim.requestID { metadata["request_id"] = "\(id)" }
        return metadata
    }

    fileprivate func metadata(_ reason: String) -> Logger.Metadata { metadata.merging(["reason": "\(reason)"]) { $1 } }
}
