import MartletContract
import MartletCore
import MartletJobs
import MartletJobsAPI
import MartletStorage
import MartletTestSupport
import Testing

@Suite struct Outcomes {
    @Test(arguments: JobEngine.all) func aJobIsDoneWithAResultOrWithout(engine: JobEngine) async throws {
        try await engine.run { instance in
            let owner = Identifier<Account>()
            let (plain, owned) = (try await instance.enqueue(Stubborn()).id, try await instance.enqueue(Stubborn(), for: owner).id)
            let handler = tell(Stubborn.self) { _, work in work.owner == nil ? .done : try .done(["pages": 3]) }
            try await instance.worker([handler]).runDue(expecting: 2)
            #expect(try await instance.register.find(plain).state == .done)
            #expect(try await instance.register.find(plain).result == nil)
            let status = try await instance.register.find(owned, owner: owner)
            #expect(status.state == .done)
            #expect(status.progress == 1)
            #expect(status.result?["pages"]?.integer == 3)
        }
    }

    @Test(arguments: JobEngine.all) func aFailedAttemptIsTriedAgainAfterThePolicysPause(engine: JobEngine) async throws {
        try await engine.run { instance in
            try await instance.enqueue(Stubborn())
            let worker = instance.worker([tell(Stubborn.self) { _, _ in throw Unwanted() }])
            try await worker.runDue(expecting: 1)
            for pause in [Duration.seconds(10), .seconds(30)] {
                instance.time.advance(by: pause - .milliseconds(1))
                try await worker.runDue(expecting: 0)
                instance.time.advance(by: .milliseconds(1))
                try await worker.runDue(expecting: 1)
            }
        }
    }

    @Test(arguments: JobEngine.all) func aJobChoosesItsOwnPause(engine: JobEngine) async throws {
        try await engine.run { instance in
            let id = try await instance.enqueue(Stubborn()).id
            let worker = instance.worker([tell(Stubborn.self) { _, _ in .retry(after: .seconds(5), because: "The other side is busy.") }])
            try await worker.runDue(expecting: 1)
            instance.time.advance(by: .seconds(5))
            try await worker.runDue(expecting: 1)
            #expect(try await instance.register.find(id).error == "The other side is busy.")
            #expect(try await instance.register.find(id).attempt == 2)
        }
    }

    @Test(arguments: JobEngine.all) func aSnoozeCountsAsNoAttempt(engine: JobEngine) async throws {
        try await engine.run { instance in
            let id = try await instance.enqueue(Stubborn()).id
            let worker = instance.worker([tell(Stubborn.self) { _, _ in .snooze(.seconds(60)) }])
            for _ in 0..<5 {
                try await worker.runDue(expecting: 1)
                instance.time.advance(by: .seconds(60))
            }
            #expect(try await instance.stored(id).attempt == 0)
            try await instance.worker([tell(Stubborn.self) { _, work in try .done(work.attempt) }]).runDue(expecting: 1)
            #expect(try await instance.register.find(id).result?.integer == 1)
        }
    }

    @Test(arguments: JobEngine.all) func aJobThatIsNotWantedIsCancelled(engine: JobEngine) async throws {
        try await engine.run { instance in
            let status = try await instance.end { .cancel(because: "Nobody waits.") }
            #expect(status.state == .cancelled)
            #expect(status.error == "Nobody waits.")
        }
    }

    @Test(arguments: JobEngine.all) func aJobThatCannotSucceedIsDeadAtOnce(engine: JobEngine) async throws {
        try await engine.run { instance in
            let status = try await instance.end { .discard(because: "It is gone.") }
            #expect(status.state == .dead)
            #expect(status.error == "It is gone.")
            #expect(status.attempt == 1)
        }
    }

    @Test(arguments: JobEngine.all) func aJobThatSaysFinishedWithoutFinishingHasFailed(engine: JobEngine) async throws {
        try await engine.run { instance in
            let status = try await instance.end { .finished }
            #expect(status.state == .waiting)
            #expect(status.error != nil)
        }
    }

    @Test(arguments: JobEngine.all) func aDeadJobKeepsEveryErrorInOrder(engine: JobEngine) async throws {
        try await engine.run { instance in
            let id = try await instance.enqueue(Stubborn()).id
            let worker = instance.worker([tell(Stubborn.self) { _, work in .retry(because: "Reason \(work.attempt)") }])
            for _ in 0..<3 {
                try await worker.runDue(expecting: 1)
                instance.time.advance(by: .seconds(30))
            }
            try await worker.runDue(expecting: 0)
            let dead = try await instance.stored(id)
            #expect(dead.state == .dead)
            #expect(try dead.reasons.map(\.reason) == ["Reason 1", "Reason 2", "Reason 3"])
            #expect(try dead.reasons.map(\.attempt) == [1, 2, 3])
        }
    }
}

extension Instance {
    /// Runs one job that ends as the test says.
    fileprivate func end(_ outcome: @escaping @Sendable () -> Outcome) async throws -> JobStatus {
        let id = try await enqueue(Stubborn()).id
        try await worker([tell(Stubborn.self) { _, _ in outcome() }]).runDue(expecting: 1)
        return try await register.find(id)
    }
}
