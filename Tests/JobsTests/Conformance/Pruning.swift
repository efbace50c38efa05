import MartletCore
import MartletJobs
import MartletJobsAPI
import MartletStorage
import MartletTestSupport
import Testing

@Suite struct Pruning {
    @Test(arguments: JobEngine.all) func jobsAreForgottenAfterTheirTime(engine: JobEngine) async throws {
        try await engine.run { instance in
            try await instance.endThree()
            let waiting = try await instance.enqueue(Errand(name: "a"), after: .seconds(86_400 * 365)).id
            let retention = JobRetention(finished: .seconds(100), dead: .seconds(200), events: .seconds(86_400 * 10_000))
            for (pause, left) in [(100, 4), (1, 2), (99, 2), (1, 1)] {
                instance.time.advance(by: .seconds(pause))
                _ = try await instance.register.prune(retention)
                #expect(try await instance.stored.count == left)
            }
            #expect(try await instance.stored.map(\.id) == [waiting])
        }
    }

    @Test(arguments: JobEngine.all) func aPruningTakesAsManyRowsAsItMay(engine: JobEngine) async throws {
        try await engine.run { instance in
            for _ in 0..<5 { try await instance.register.cancel(instance.enqueue(OneShot()).id) }
            instance.time.advance(by: .seconds(1))
            let retention = JobRetention(finished: .zero, dead: .zero)
            #expect(try await instance.register.prune(retention, limit: 2) == 2)
            #expect(try await instance.register.prune(retention, limit: 10) == 3)
            #expect(try await instance.register.prune(retention, limit: 10) == 0)
        }
    }

    @Test(arguments: JobEngine.all) func whatWasToldOfJobsIsForgotten(engine: JobEngine) async throws {
        try await engine.run { instance in
            let id = try await instance.enqueue(OneShot(), for: Identifier()).id
            try await instance.register.cancel(id)
            let register = JobRegister(instance.database, clock: .database)
            #expect(try await register.prune(JobRetention(events: .seconds(3_600))) == 0)
            #expect(try await instance.events(of: id) == 1)
            #expect(try await register.prune(JobRetention(events: .seconds(-3_600))) == 1)
            #expect(try await instance.events(of: id) == 0)
        }
    }
}

extension Instance {
    /// Leaves a job that is done, one that is cancelled, and a dead one.
    fileprivate func endThree() async throws {
        try await register.cancel(enqueue(Errand(name: "cancelled")).id)
        try await enqueue(Errand(name: "done"))
        try await enqueue(OneShot())
        let failing = tell(OneShot.self) { _, _ in throw Unwanted() }
        try await worker([failing, perform(Errand.self, with: { _, _ in .done })]).runDue(expecting: 2)
    }

    fileprivate func events(of id: Identifier<JobRecord>) async throws -> Int {
        try await Outbox.entries("jobs.events", key: id.description, after: 0, limit: 10, in: database).count
    }
}
