import MartletCore
import MartletStorage
import Synchronization

extension JobWorker {
    /// Runs everything that is due, and what becomes due by it, until nothing is left; returns how many attempts that took.
    ///
    /// For tests, and for machines that work from time to time: nothing runs afterwards. Not beside ``run()`` of the same worker.
    public func runDue() async throws -> Int {
        state.withLock { $0.keeper = LeaseKeeper(period: settings.lease) }
        let outcome = await Result { try await self.runAll() }
        await releaseLease()
        return try outcome.get()
    }

    private func runAll() async throws -> Int {
        var total = 0
        while true {
            try await holdLease()
            let (begun, next) = try await begin()
            if begun.isEmpty, next > .zero { return total }
            total += begun.count
            await performAll(begun)
            try await progressDesk.flush(to: database)
            try Task.checkCancellation()
        }
    }

    /// Has a lease, under a new identity when the last one is lost.
    private func holdLease() async throws {
        // What is lost is given up first, and then asked for anew.
        for _ in 0..<2 where heldLease == nil { await keepLease() }
        guard heldLease != nil else { throw Failure.unavailable("jobs_unavailable", "Jobs cannot be run at the moment.") }
    }

    private func performAll(_ attempts: [Attempt]) async {
        await withDiscardingTaskGroup { group in
            group.addTask { await self.pulse() }
            await withDiscardingTaskGroup { group in
                for attempt in attempts { group.addTask { await self.perform(attempt) } }
            }
            group.cancelAll()
        }
    }

    private func begin() async throws -> (begun: [Attempt], next: Duration) {
        var begun: [Attempt] = []
        let next = try await attend { begun.append($0) }
        return (begun, next)
    }
}
