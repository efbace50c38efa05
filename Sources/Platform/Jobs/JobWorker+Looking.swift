import Foundation
import Logging
import MartletCore
import MartletStorage
import Synchronization

// What a worker does when something calls: it looks what there is to do, and begins as much of it as it has room for.
extension JobWorker {
    func look(_ group: inout DiscardingTaskGroup) async {
        do {
            let next = try await attend { attempt in
                group.addTask { await self.perform(attempt) }
            }
            state.withLock { $0.failures = 0 }
            alarm.set(after: max(next, .milliseconds(5)))
        } catch is CancellationError where Task.isCancelled {
            return
        } catch {
            alarm.set(after: afterFailure(error))
        }
    }

    /// Does what is due, and begins jobs; returns after what time to look again.
    func attend(begin: (Attempt) -> Void) async throws -> Duration {
        guard let worker = heldLease else { return longestWait }
        let known = runningCount
        let outlook = try await shelf.outlook(for: worker, queues: queues.keys.sorted(), kinds: kinds)
        guard outlook.isLeased else { return giveUpLease() }
        // Jobs run only here that this loop has taken, so that there are never more than it knew.
        let hasStray = outlook.running > known
        if hasStray { try await returnStray(worker) }
        if outlook.hasCancelled { try await stopCancelled(worker) }
        let tookBack = outlook.hasLost ? try await takeBackLost() : false
        let firing = await fireSchedules(at: outlook.now)
        let isDue = outlook.nextDue.map { $0 <= outlook.now } ?? false
        if isDue { _ = try await shelf.promote() }
        // What has just become ready is found by the next look, at once.
        let tooSoon: Duration? = isDue || tookBack || hasStray || firing.hasFired ? .zero : nil
        let nextRate = try await fill(outlook.ready, worker, begin)
        let moments = [firing.next, isDue ? nil : outlook.nextDue, nextRate].compactMap { $0 }
        let waits = moments.map { Duration.seconds($0.timeIntervalSince(outlook.now)) }
        return ([longestWait, tooSoon] + waits).compactMap { $0 }.min() ?? longestWait
    }

    /// Begins jobs while there are any and there is room; returns when a queue's rate allows more.
    private func fill(_ ready: Set<String>, _ worker: UUID, _ begin: (Attempt) -> Void) async throws -> Date? {
        var nextRate: Date?
        state.withLock { state in
            for queue in ready { state.slots.wake(queue) }
        }
        while let (queue, count) = state.withLock({ $0.slots.claim(limit: 100) }) {
            let taken: (claims: [Claim], next: Date?)
            do {
                taken = try await toItsEnd { try await self.take(count, queue, worker) }
            } catch {
                state.withLock { $0.slots.claimed(queue, wanted: count, got: 0) }
                throw error
            }
            state.withLock { $0.slots.claimed(queue, wanted: count, got: taken.claims.count) }
            for claim in taken.claims { if let attempt = register(claim) { begin(attempt) } }
            // Several owners had equal parts, which some did not use up: the others may have more.
            if taken.claims.count < count, Set(taken.claims.map(\.ownerID)).count > 1 { state.withLock { $0.slots.wake(queue) } }
            if let next = taken.next { nextRate = min(next, nextRate ?? next) }
        }
        return nextRate
    }

    private func take(_ count: Int, _ queue: String, _ worker: UUID) async throws -> (claims: [Claim], next: Date?) {
        var last = state.withLock { $0.lastTurns[queue] } ?? .zero
        defer { state.withLock { [last] in $0.lastTurns[queue] = last } }
        guard let rate = queues[queue]?.rate else {
            return (try await shelf.take(count, from: queue, kinds: kinds, worker: worker, after: &last, in: database), nil)
        }
        let before = last
        let (claims, next, after) = try await database.transaction(isolation: .readCommitted) { transaction in
            var last = before
            let allowance = QueueAllowance(queue: queue, rate: rate, clock: shelf.clock)
            let (granted, next) = try await allowance.granted(upTo: count, in: transaction)
            guard granted > 0 else { return ([Claim](), next, last) }
            let claims = try await shelf.take(granted, from: queue, kinds: kinds, worker: worker, after: &last, in: transaction)
            try await allowance.spend(claims.count, in: transaction)
            return (claims, claims.count == granted ? next : nil, last)
        }
        last = after
        return (claims, next)
    }

    /// Any kind in any queue: a kind may have left the queue where its jobs still are.
    private var kinds: [String] { handlers.keys.sorted() }

    private func register(_ claim: Claim) -> Attempt? {
        guard let handler = handlers[claim.kind] else { return nil }
        let attempt = Attempt(claim, handler, at: .now, patience: settings.patience)
        state.withLock { $0.running[claim.id] = attempt }
        return attempt
    }

    private func stopCancelled(_ worker: UUID) async throws {
        for id in try await shelf.cancelled(for: worker) { state.withLock { $0.running[id] }?.stop(.cancelled) }
    }

    /// An attempt that was lost with its worker is one, so that a job which ends processes comes to an end itself.
    /// Returns whether there were any.
    private func takeBackLost() async throws -> Bool {
        let lost = try await shelf.lost()
        for claim in lost {
            let reason: Reason = "The worker was lost."
            let note: JobNotes.Note = claim.attempt < claim.maxAttempts ? .failed(reason, again: nil) : .dead(reason)
            try await notes.release(claim, as: note)
            logger.warning("A job was lost with its worker", metadata: ["job": "\(claim.id)", "kind": "\(claim.kind)"])
        }
        try await lease.sweep()
        return !lost.isEmpty
    }

    /// The database's clock says that the lease has ended, whatever ours does. Nothing is taken before there is a new one.
    private func giveUpLease() -> Duration {
        state.withLock { $0.keeper.refused(sentAt: .now) }
        return .zero
    }

    /// Returns jobs that were taken by a statement whose answer was lost: nobody works on them.
    func returnStray(_ worker: UUID) async throws {
        for claim in try await shelf.running(under: worker) where state.withLock({ $0.running[claim.id] }) == nil {
            do { try await notes.note(.returned(after: nil), of: claim) } catch is LostLease { continue }
        }
    }

    /// A schedule that cannot be enqueued holds up no jobs.
    private func fireSchedules(at now: Date) async -> (hasFired: Bool, next: Date?) {
        do {
            return try await board.fire(at: now)
        } catch {
            if !Task.isCancelled { logger.error("A schedule could not be enqueued", error: error) }
            return (false, now.addingTimeInterval(5))
        }
    }

    private func afterFailure(_ error: any Error) -> Duration {
        let failures = state.withLock { state in
            state.failures += 1
            return state.failures
        }
        if failures == 1 { logger.warning("Jobs cannot be looked for", error: error) }
        return min(.milliseconds(100) * (1 << min(failures, 6)), .seconds(5))
    }
}
