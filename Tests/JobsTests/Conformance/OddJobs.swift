import MartletCore
import MartletJobs
import MartletJobsAPI
import MartletStorage
import MartletTestSupport
import Testing

@Suite struct OddJobs {
    @Test(arguments: JobEngine.all) func inputThatCannotBeReadMakesADeadLetter(engine: JobEngine) async throws {
        try await engine.run { instance in
            let id = try await instance.enqueue(Stubborn()).id
            try await instance.database.change("UPDATE job SET payload = \(#"{"title": 1}"#)")
            try await instance.worker([tell(Stubborn.self) { _, _ in .done }]).runDue(expecting: 1)
            let status = try await instance.register.find(id)
            #expect(status.state == .dead)
            #expect(status.error?.contains("cannot be read by this version") == true)
        }
    }

    @Test(arguments: JobEngine.all, [true, false]) func aLongReasonWithNULIsStoredCut(engine: JobEngine, isOwned: Bool) async throws {
        try await engine.run { instance in
            let owner = isOwned ? Identifier<Account>() : nil
            let id = try await instance.enqueue(Stubborn(), for: owner).id
            let reason = "a\0b" + String(repeating: "ü", count: 10_000)
            try await instance.worker([tell(Stubborn.self) { _, _ in .retry(because: reason) }]).runDue(expecting: 1)
            let expected = "ab" + String(repeating: "ü", count: 998)
            #expect(try await instance.stored(id).reasons.map(\.reason) == [expected])
            #expect(try await instance.register.find(id).message == (isOwned ? expected : nil))
        }
    }

    @Test(arguments: JobEngine.all) func aReportWithNULIsShownWithoutIt(engine: JobEngine) async throws {
        try await engine.run { instance in
            let owner = Identifier<Account>()
            let id = try await instance.enqueue(Errand(name: "a"), for: owner).id
            let worker = instance.worker([
                perform(
                    Errand.self,
                    with: { _, work in
                        work.report(0.5, "half\0way")
                        try await eventually { try await instance.register.find(id, owner: owner).message != nil }
                        let status = try await instance.register.find(id, owner: owner)
                        #expect(status.message == "halfway")
                        #expect(status.progress == 0.5)
                        return .done
                    })
            ])
            try await worker.runDue(expecting: 1)
        }
    }

    @Test(arguments: JobEngine.all) func aKindThatNobodyHandlesWaitsAndHoldsUpNoOther(engine: JobEngine) async throws {
        try await engine.run { instance in
            var strange: [Identifier<JobRecord>] = []
            for number in 0..<20 {
                let owner = number % 2 == 0 ? nil : Identifier<Account>()
                strange.append(try await instance.enqueue(Strange(), for: owner, priority: number < 10 ? .high : .normal).id)
            }
            try await instance.enqueue(Errand(name: "a"), for: Identifier())
            try await instance.enqueue(Errand(name: "b"), priority: .low)
            let worker = instance.worker([perform(Errand.self, with: { _, _ in .done })])
            try await worker.runDue(expecting: 2)
            #expect(try await instance.count(of: .ready) == 20)
            let handling = instance.worker([tell(Strange.self) { _, _ in .done }])
            try await handling.runDue(expecting: 20)
        }
    }

    @Test(arguments: JobEngine.all) func aJobOfAQueueThatItsKindHasLeftIsStillRun(engine: JobEngine) async throws {
        try await engine.run { instance in
            try await instance.enqueue(Errand(name: "a"))
            try await instance.database.change("UPDATE job SET queue = 'former'")
            let worker = instance.worker([perform(Errand.self, with: { _, _ in .done })], queues: [JobQueue("former", concurrency: 1)])
            try await worker.runDue(expecting: 1)
        }
    }
}
