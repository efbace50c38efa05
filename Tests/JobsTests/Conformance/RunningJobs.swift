import MartletCore
import MartletJobs
import MartletJobsAPI
import MartletStorage
import MartletTestSupport
import Synchronization
import Testing

@Suite struct RunningJobs {
    @Test(arguments: JobEngine.all) func whatWasCommittedRunsOnce(engine: JobEngine) async throws {
        try await engine.run { instance in
            let enqueued = try await instance.enqueue(Errand(name: "a"))
            let worker = instance.worker([perform(Errand.self, with: writing(instance))])
            #expect(try await worker.runDue() == 1)
            #expect(try await worker.runDue() == 0)
            #expect(try await instance.effects == ["a"])
            #expect(try await instance.register.find(enqueued.id).state == .done)
        }
    }

    @Test(arguments: JobEngine.all) func whatWasRolledBackLeavesNone(engine: JobEngine) async throws {
        try await engine.run { instance in
            let outcome = await Result {
                try await instance.database.transaction { transaction in
                    try await instance.jobs.enqueue(Errand(name: "a"), in: transaction)
                    throw Unwanted()
                }
            }
            #expect(throws: Unwanted.self) { try outcome.get() }
            let worker = instance.worker([perform(Errand.self, with: writing(instance))])
            let attempts = try await worker.runDue()
            #expect(attempts == 0)
        }
    }

    @Test(arguments: JobEngine.all) func aFailureIsTriedAgainLater(engine: JobEngine) async throws {
        try await engine.run { instance in
            let id = try await instance.enqueue(Errand(name: "a")).id
            let worker = instance.worker([perform(Errand.self, with: { _, _ in throw Unwanted() })])
            #expect(try await worker.runDue() == 1)
            #expect(try await worker.runDue() == 0)
            instance.time.advance(by: .seconds(10))
            #expect(try await worker.runDue() == 1)
            let status = try await instance.register.find(id)
            #expect(status.state == .waiting)
            #expect(status.attempt == 2)
            #expect(status.error?.contains("Unwanted") == true)
        }
    }

    private func writing(_ instance: Instance) -> Errand.Does {
        { errand, work in try await work.finish { try await $0.change("INSERT INTO effect (name) VALUES (\(errand.name))") } }
    }
}
