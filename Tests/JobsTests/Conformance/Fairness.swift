import Logging
import MartletCore
import MartletJobs
import MartletStorage
import MartletTestSupport
import Synchronization
import Testing

@Suite struct Fairness {
    @Test(arguments: JobEngine.all) func manyJobsOfOneOwnerDoNotHoldUpTheOthers(engine: JobEngine) async throws {
        try await engine.run { instance in
            let journal = Journal()
            try await instance.fill([("A", 500), ("B", 3), ("C", 3)])
            let worker = instance.worker([noting(journal, until: 40, instance)], queues: [JobQueue("eager", concurrency: 4)])
            _ = try await worker.runDue()
            #expect(Set(journal.entries.prefix(16).filter { $0 != "A" }) == ["B", "C"])
            #expect(journal.entries.prefix(16).count { $0 == "B" } == 3)
            #expect(journal.entries.prefix(16).count { $0 == "C" } == 3)
        }
    }

    @Test(arguments: JobEngine.all) func ownersTakeTurnsOneByOne(engine: JobEngine) async throws {
        try await engine.run { instance in
            let journal = Journal()
            try await instance.fill([("A", 5), ("B", 5), ("C", 5)])
            let worker = instance.worker([noting(journal, until: 15, instance)], queues: [JobQueue("eager", concurrency: 1)])
            try await worker.runDue(expecting: 15)
            for round in stride(from: 0, to: 15, by: 3) { #expect(Set(journal.entries[round..<round + 3]) == ["A", "B", "C"]) }
        }
    }

    @Test(arguments: JobEngine.all) func moreOwnersThanARoundHoldsAllHaveTheirTurn(engine: JobEngine) async throws {
        try await engine.run { instance in
            let journal = Journal()
            let owners = (0..<30).map { "\($0)" }
            try await instance.fill(owners.map { ($0, 10) })
            let worker = instance.worker([noting(journal, until: 60, instance)], queues: [JobQueue("eager", concurrency: 8)])
            _ = try await worker.runDue()
            #expect(Set(journal.entries.prefix(32)) == Set(owners))
        }
    }

    @Test(arguments: JobEngine.all) func freeSlotsAreFilledByWhoeverHasJobs(engine: JobEngine) async throws {
        try await engine.run { instance in
            let journal = Journal()
            try await instance.fill([("A", 20), ("B", 1)])
            let begun = Gate()
            let handler = tell(Eager.self) { eager, _ in
                journal.note(eager.name)
                if journal.entries.count == 10 { await begun.open() } else { await begun.wait() }
                return .done
            }
            // It would wait for ever if fewer than ten began together.
            try await instance.worker([handler], queues: [JobQueue("eager", concurrency: 10)]).runDue(expecting: 21)
        }
    }

    /// Notes whose job begins; after so many, those that are left are taken away.
    private func noting(_ journal: Journal, until most: Int, _ instance: Instance) -> JobHandler {
        tell(Eager.self) { eager, _ in
            journal.note(eager.name)
            if journal.entries.count == most { try await instance.database.change("DELETE FROM job WHERE state = 'ready'") }
            return .done
        }
    }
}

extension Instance {
    /// Enqueues so many jobs for each owner, who gives them his name.
    fileprivate func fill(_ owners: [(name: String, count: Int)]) async throws {
        try await database.transaction(isolation: .readCommitted) { transaction in
            for (name, count) in owners {
                let owner = Identifier<Account>()
                for _ in 0..<count { try await jobs.enqueue(Eager(name: name), for: owner, in: transaction) }
            }
        }
    }
}
