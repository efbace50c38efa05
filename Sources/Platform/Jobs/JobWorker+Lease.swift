import Foundation
import Logging
import MartletCore
import MartletStorage
import Synchronization

// The worker's lease, and what is checked with every beat of its heart.
extension JobWorker {
    private static let beat = Duration.milliseconds(200)

    /// The worker under whose lease jobs may be taken; `nil` while there is none.
    var heldLease: UUID? {
        state.withLock { $0.keeper.isHeld(at: .now) ? $0.worker : nil }
    }

    func pulse() async {
        while !Task.isCancelled {
            await keepLease()
            stopOverdue()
            await flushProgress()
            // A cancelled sleep ends the loop.
            try? await Task.sleep(for: Self.beat)
        }
    }

    /// Does what the lease asks for at this moment.
    func keepLease() async {
        let now = ContinuousClock.now
        switch state.withLock({ $0.keeper.next(at: now) }) {
        case .wait, .stop, .release: break
        case .acquire: await acquireLease(now)
        case .renew: await renewLease(now)
        case .abandon:
            logger.error("The worker's lease is lost; its jobs are stopped")
            stopAll(.lostLease)
        }
    }

    private func acquireLease(_ sent: ContinuousClock.Instant) async {
        let worker = UUID()
        do {
            try await lease.acquire(worker)
            state.withLock { state in
                state.worker = worker
                state.keeper.acquired(sentAt: sent)
            }
            bell.ring()
        } catch {
            noteFailure(error, sent)
        }
    }

    private func renewLease(_ sent: ContinuousClock.Instant) async {
        let worker = state.withLock(\.worker)
        do {
            if try await lease.renew(worker) {
                state.withLock { $0.keeper.renewed(sentAt: sent) }
            } else {
                state.withLock { $0.keeper.refused(sentAt: sent) }
            }
        } catch {
            noteFailure(error, sent)
        }
    }

    private func noteFailure(_ error: any Error, _ sent: ContinuousClock.Instant) {
        state.withLock { $0.keeper.failed(sentAt: sent, at: .now) }
        if !(error is CancellationError) { logger.warning("The worker's lease could not be renewed yet", metadata: ["error": "\(error)"]) }
    }

    /// Lets others have at once what this worker leaves.
    func releaseLease() async {
        guard let worker = heldLease else { return }
        let outcome = await Task { try await lease.release(worker) }.result
        if case .failure(let error) = outcome {
            logger.warning("The worker's lease could not be released; it ends by itself", metadata: ["error": "\(error)"])
        }
    }

    private func stopOverdue() {
        let now = ContinuousClock.now
        let (running, closing) = state.withLock { (Array($0.running.values), $0.closing) }
        for attempt in running where attempt.deadline <= now { attempt.stop(.timedOut) }
        if let closing, closing <= now { stopAll(.shuttingDown) }
    }

    private func flushProgress() async {
        do {
            try await progressDesk.flush(to: database)
        } catch {
            logger.debug("Progress could not be written", metadata: ["error": "\(error)"])
        }
    }
}
