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

    /// Beats until cancelled. A database that does not answer holds up neither the one nor the other.
    func pulse() async {
        await withDiscardingTaskGroup { group in
            group.addTask { await self.beat { await self.keepLease() } }
            group.addTask { await self.beat { await self.flushProgress() } }
            await beat { stopOverdue() }
        }
    }

    private func beat(_ action: () async -> Void) async {
        while !Task.isCancelled {
            await action()
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
        state.withLock { $0.worker = worker }
        do {
            try await toItsEnd { [lease] in try await lease.acquire(worker) }
            state.withLock { $0.keeper.acquired(sentAt: sent) }
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
        if !(error is CancellationError) { logger.warning("The worker's lease could not be renewed yet", error: error) }
    }

    /// Lets others have at once what this worker leaves.
    func releaseLease() async {
        let worker = state.withLock(\.worker)
        do {
            // A lease whose request was not answered is released, too.
            try await toItsEnd {
                try await self.returnStray(worker)
                try await self.lease.release(worker)
            }
        } catch {
            logger.warning("The worker's lease could not be released; it ends by itself", error: error)
        }
    }

    /// Does something whether or not the caller is cancelled meanwhile: a statement that was given up may be carried out later than what
    /// is to follow it.
    func toItsEnd<Value: Sendable>(_ body: @escaping @Sendable () async throws -> Value) async throws -> Value {
        try await Task { try await body() }.value
    }

    private func stopOverdue() {
        let now = ContinuousClock.now
        let (running, closing) = state.withLock { (Array($0.running.values), $0.closing) }
        for attempt in running where attempt.deadline <= now { attempt.stop(.timedOut) }
        // Others may have the jobs of a lease that could not be renewed.
        let held = heldLease
        for attempt in running where attempt.claim.workerID != held { attempt.stop(.lostLease) }
        if let closing, closing <= now { stopAll(.shuttingDown) }
    }

    private func flushProgress() async {
        do {
            try await progressDesk.flush(to: database)
        } catch {
            logger.debug("Progress could not be written", error: error)
        }
    }
}
