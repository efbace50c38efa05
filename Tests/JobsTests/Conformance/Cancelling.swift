import MartletCore
import MartletJobs
import MartletJobsAPI
import MartletStorage
import MartletTestSupport
import Testing

@Suite struct Cancelling {
    @Test(arguments: JobEngine.all) func aWaitingJobIsCancelledAtOnce(engine: JobEngine) async throws {
        try await engine.run { instance in
            for delay in [nil, Duration.seconds(60)] {
                let id = try await instance.enqueue(Errand(name: "a"), after: delay).id
                try await instance.register.cancel(id)
                #expect(try await instance.register.find(id).state == .cancelled)
            }
            instance.time.advance(by: .seconds(60))
            try await instance.worker([perform(Errand.self, with: { _, _ in .done })]).runDue(expecting: 0)
        }
    }

    @Test(arguments: JobEngine.all) func aRunningJobIsToldToEnd(engine: JobEngine) async throws {
        try await engine.run { instance in
            let (begun, journal) = (Gate(), Journal())
            let id = try await instance.enqueue(Errand(name: "a")).id
            let worker = instance.worker([perform(Errand.self, with: untilCancelled(begun, journal))])
            try await worker.whileRunning {
                await begun.wait()
                try await instance.register.cancel(id)
                try await eventually { try await instance.register.find(id).state == .cancelled }
            }
            #expect(journal.entries == ["cancelled"])
            #expect(try await instance.stored(id).attempt == 1)
        }
    }

    @Test(arguments: JobEngine.all) func aJobThatFailsAsItIsCancelledIsNotTriedAgain(engine: JobEngine) async throws {
        try await engine.run { instance in
            let outcomes: [Outcome] = [.retry(because: "It broke."), .snooze(.seconds(5)), .retry(after: .zero, because: "It broke.")]
            for outcome in outcomes {
                for owner in [nil, Identifier<Account>()] {
                    let id = try await instance.enqueue(Errand(name: "a"), for: owner).id
                    let handler = perform(
                        Errand.self,
                        with: { _, work in
                            try await instance.register.cancel(work.id)
                            return outcome
                        })
                    try await instance.worker([handler]).runDue(expecting: 1)
                    let status = try await instance.register.find(id)
                    #expect(status.state == .cancelled)
                    #expect(status.finishedAt != nil)
                    #expect(try await instance.lastEvent(of: id)?.state == (owner == nil ? nil : .cancelled))
                }
            }
        }
    }

    @Test(arguments: JobEngine.all) func aJobThatIsDoneAsItIsCancelledIsDone(engine: JobEngine) async throws {
        try await engine.run { instance in
            let id = try await instance.enqueue(Errand(name: "a")).id
            let handler = perform(
                Errand.self,
                with: { _, work in
                    try await instance.register.cancel(work.id)
                    return .done
                })
            try await instance.worker([handler]).runDue(expecting: 1)
            #expect(try await instance.register.find(id).state == .done)
        }
    }

    @Test(arguments: JobEngine.all) func aCancelledJobThatIsLostIsNotTriedAgain(engine: JobEngine) async throws {
        try await engine.run(instances: 2) { instances in
            let id = try await instances[0].enqueue(Climb()).id
            let other = instances[1].worker([tell(Climb.self) { _, _ in .done }])
            let handler = tell(Climb.self) { _, work in
                try await instances[0].register.cancel(work.id)
                instances[0].time.advance(by: Instance.lease + .seconds(1))
                try await other.runDue(expecting: 0)
                return .done
            }
            try await instances[0].worker([handler]).runDue(expecting: 1)
            #expect(try await instances[0].register.find(id).state == .cancelled)
        }
    }

    @Test(arguments: JobEngine.all) func anAttemptThatTakesTooLongHasFailed(engine: JobEngine) async throws {
        try await engine.run { instance in
            let journal = Journal()
            let id = try await instance.enqueue(Hasty()).id
            let worker = instance.worker([tell(Hasty.self) { _, _ in try await untilCancelled(journal) }])
            try await worker.whileRunning {
                try await eventually { try await instance.register.find(id).state == .waiting }
            }
            let status = try await instance.register.find(id)
            #expect(status.error?.contains("took longer than") == true)
            #expect(status.attempt == 1)
            #expect(journal.entries == ["cancelled"])
        }
    }
}

extension Instance {
    fileprivate func lastEvent(of id: Identifier<JobRecord>) async throws -> JobEvent? {
        try await Outbox.last("jobs.events", key: id.description, in: database)?.payload(as: JobEvent.self)
    }
}

/// May take a few milliseconds.
private struct Hasty: Told {
    static let name = "test.hasty"
    static let policy = JobPolicy(retry: RetryPolicy(attempts: 2, base: .seconds(3_600)), timeout: .milliseconds(20))
    var name = "hasty"
}

/// Works until its task is cancelled, and notes that.
@discardableResult
func untilCancelled(_ journal: Journal) async throws -> Outcome {
    do {
        // Longer than any test: only a cancellation ends it.
        try await Task.sleep(for: .seconds(86_400))
        return .done
    } catch {
        journal.note("cancelled")
        throw error
    }
}

func untilCancelled(_ begun: Gate, _ journal: Journal) -> Errand.Does {
    { _, _ in
        await begun.open()
        return try await untilCancelled(journal)
    }
}
