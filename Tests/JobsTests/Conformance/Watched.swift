import MartletCore
import MartletJobs
import MartletJobsAPI
import MartletStorage
import MartletTestSupport
import Synchronization
import Testing

/// What a worker asks of the database, and what it makes of answers that do not come.
@Suite struct Watched {
    /// With the standard settings that is a statement every two seconds, and one for the lease every ten.
    @Test(arguments: JobEngine.all) func anIdleWorkerAsksOnceForEachLook(engine: JobEngine) async throws {
        try await engine.run { instance in
            let looks = Mutex(0)
            let database = WatchedDatabase(instance.database) { row in
                if row == "Finding" { looks.withLock { $0 += 1 } }
                return false
            }
            try await instance.enqueue(Strange())
            try await instance.enqueue(Errand(name: "later"), after: .seconds(60))
            let worker = Instance(database: database, time: instance.time).worker(
                [perform(Errand.self, with: { _, _ in .done })], queues: [JobQueue("other", concurrency: 1)],
                settings: .init(pollEvery: .milliseconds(5)))
            try await worker.whileRunning { try await eventually { looks.withLock { $0 } >= 30 } }
            // Taking the lease and giving it back, and asking every queue once when it begins.
            #expect(database.statements - looks.withLock { $0 } <= 10)
        }
    }

    @Test(arguments: JobEngine.all) func jobsOfAClaimWhoseAnswerWasLostAreRun(engine: JobEngine) async throws {
        try await engine.run { instance in
            for number in 0..<5 { try await instance.enqueue(Errand(name: "\(number)")) }
            let losses = Journal()
            let database = WatchedDatabase(instance.database) { row in
                guard row == "Claim", losses.entries.count < 2 else { return false }
                losses.note(row)
                return true
            }
            let handler = perform(Errand.self, with: { errand, work in try await work.finish { try await $0.leave(errand.name) } })
            try await Instance(database: database, time: instance.time).worker([handler]).whileRunning {
                try await eventually { try await instance.count(of: .done) == 5 }
            }
            #expect(try await instance.effects == ["0", "1", "2", "3", "4"])
            #expect(try await instance.stored.map(\.attempt) == [1, 1, 1, 1, 1])
        }
    }

    @Test(arguments: JobEngine.all) func jobsOfAClaimWhoseAnswerWasLostAreReturnedByAShutdown(engine: JobEngine) async throws {
        try await engine.run { instance in
            try await instance.enqueue(Errand(name: "a"))
            let (lost, losses) = (Gate(), Journal())
            let database = WatchedDatabase(instance.database) { row in
                guard row == "Claim", losses.entries.isEmpty else { return false }
                losses.note(row)
                Task { await lost.open() }
                return true
            }
            let worker = Instance(database: database, time: instance.time).worker([perform(Errand.self, with: { _, _ in .done })])
            try await worker.whileRunning { await lost.wait() }
            #expect(try await instance.stored.map(\.state) == [.ready])
            #expect(try await instance.stored.map(\.attempt) == [0])
            #expect(try await instance.workers == [])
        }
    }
}
