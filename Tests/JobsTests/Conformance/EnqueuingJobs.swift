import MartletCore
import MartletJobs
import MartletJobsAPI
import MartletStorage
import MartletTestSupport
import Testing

@Suite struct EnqueuingJobs {
    @Test(arguments: JobEngine.all) func aThousandHistoriesLeaveWhatTheyCommitted(engine: JobEngine) async throws {
        try await engine.run { instance in
            let histories = (0..<1_000).map { History(seed: UInt64($0)) }
            await History.happen(histories, to: instance)
            let committed = histories.flatMap(\.committed).sorted()
            let names = try await instance.names
            #expect(names.sorted() == committed)
            #expect(try await instance.effects == committed)
        }
    }

    @Test(arguments: JobEngine.all) func aDelayedJobWaitsForItsTime(engine: JobEngine) async throws {
        try await engine.run { instance in
            let id = try await instance.enqueue(Errand(name: "later"), after: .seconds(60)).id
            let worker = instance.worker([perform(Errand.self, with: { _, _ in .done })])
            #expect(try await worker.runDue() == 0)
            instance.time.advance(by: .milliseconds(59_999))
            #expect(try await worker.runDue() == 0)
            #expect(try await instance.register.find(id).state == .waiting)
            instance.time.advance(by: .milliseconds(1))
            #expect(try await worker.runDue() == 1)
        }
    }

    @Test(arguments: JobEngine.all) func higherPrioritiesBeginFirst(engine: JobEngine) async throws {
        try await engine.run { instance in
            let journal = Journal()
            for priority in [JobPriority.low, .normal, .high] {
                for number in 1...2 { try await instance.enqueue(Errand(name: "\(priority) \(number)"), priority: priority) }
            }
            try await oneByOne(instance, journal).runDue(expecting: 6)
            #expect(journal.entries == ["high 1", "high 2", "normal 1", "normal 2", "low 1", "low 2"])
        }
    }

    @Test(arguments: JobEngine.all) func anOwnersJobsBeginInTheirOrder(engine: JobEngine) async throws {
        let names = (0..<20).map { "\($0)" }
        try await engine.run { instance in
            let (journal, owner) = (Journal(), Identifier<Account>())
            for name in names { try await instance.enqueue(Errand(name: name), for: owner) }
            try await oneByOne(instance, journal).runDue(expecting: 20)
            #expect(journal.entries == names)
        }
    }

    private func oneByOne(_ instance: Instance, _ journal: Journal) -> JobWorker {
        let handler = perform(
            Errand.self,
            with: { errand, _ in
                journal.note(errand.name)
                return .done
            })
        return instance.worker([handler], queues: [JobQueue("default", concurrency: 1)])
    }
}

extension JobWorker {
    func runDue(expecting attempts: Int) async throws {
        let count = try await runDue()
        #expect(count == attempts)
    }
}
