import MartletCore
import MartletStorage
import Synchronization

extension JobWorker {
    /// Runs everything that is due, and what becomes due by it, until nothing is left; returns how many attempts that took.
    ///
    /// For tests, and for machines that work from time to time: nothing runs afterwards. Not beside ``run()`` of the same worker.
    public func runDue() async throws -> Int {
        state.withLock { $0.keeper = LeaseKeeper(period: settings.lease) }
        await keepLease()
        guard heldLease != nil else { throw Failure.unavailable("jobs_unavailable", "Jobs cannot be run at the moment.") }
        let outcome = await Result { try await self.runAll() }
        await releaseLease()
        return try outcome.get()
    }

    private func runAll() async throws -> Int {
        var total = 0
        while true {
            let (begun, next) = try await begin()
            if begun.isEmpty, next > .zero { return total }
            total += begun.count
            await withDiscardingTaskGroup { group in
                for attempt in begun { group.addTask { await self.perform(attempt) } }
            }
            try await progressDesk.flush(to: database)
            await keepLease()
            try Task.checkCancellation()
        }
    }

    private func begin() async throws -> (begun: [Attempt], next: Duration) {
        var begun: [Attempt] = []
        let next = try await attend { begun.append($0) }
        return (begun, next)
    }
}
