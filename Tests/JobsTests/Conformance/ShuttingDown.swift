import MartletCore
import MartletJobsAPI
import MartletStorage
import MartletTestSupport
import Testing

@testable import MartletJobs

@Suite struct ShuttingDown {
    @Test(arguments: JobEngine.all) func aCancelledWorkerReturnsItsJobs(engine: JobEngine) async throws {
        try await engine.run { instance in
            for _ in 0..<5 {
                let (begun, journal) = (Gate(), Journal())
                let id = try await instance.enqueue(Errand(name: "a"), for: Identifier()).id
                let worker = instance.worker([perform(Errand.self, with: untilCancelled(begun, journal))])
                try await worker.whileRunning { await begun.wait() }
                try await instance.expectReturned(id)
                try await instance.register.cancel(id)
            }
        }
    }

    @Test(arguments: JobEngine.all) func aShutdownLetsJobsEndInTheirGrace(engine: JobEngine) async throws {
        try await engine.run { instance in
            let (begun, end) = (Gate(), Gate())
            let id = try await instance.enqueue(Errand(name: "a")).id
            try await instance.enqueue(Errand(name: "b"), after: .seconds(1))
            let handler = perform(
                Errand.self,
                with: { _, work in
                    await begun.open()
                    await end.wait()
                    return try await work.finish { try await $0.leave("a") }
                })
            let worker = instance.worker([handler])
            try await worker.untilShutdown {
                await begun.wait()
                // It ends when the shutdown has begun already.
                Task {
                    try await eventually { worker.isClosing }
                    instance.time.advance(by: .seconds(1))
                    await end.open()
                }
            }
            #expect(try await instance.stored(id).state == .done)
            #expect(try await instance.effects == ["a"])
            #expect(try await instance.count(of: .waiting) == 1)
            #expect(try await instance.workers == [])
        }
    }

    @Test(arguments: JobEngine.all) func aShutdownReturnsWhatTakesLonger(engine: JobEngine) async throws {
        try await engine.run { instance in
            let (begun, journal) = (Gate(), Journal())
            let id = try await instance.enqueue(Errand(name: "a")).id
            let handler = perform(Errand.self, with: untilCancelled(begun, journal))
            let worker = instance.worker([handler], settings: .init(grace: .milliseconds(10)))
            try await worker.untilShutdown { await begun.wait() }
            try await instance.expectReturned(id)
            #expect(journal.entries == ["cancelled"])
        }
    }

    @Test(arguments: JobEngine.all) func aJobThatHeedsNoCancellationIsLeftBehind(engine: JobEngine) async throws {
        try await engine.run { instance in
            let (begun, end, left) = (Gate(), Gate(), Gate())
            let id = try await instance.enqueue(Errand(name: "a")).id
            let handler = perform(
                Errand.self,
                with: { _, work in
                    await begun.open()
                    await end.wait()
                    // In a task of its own, which nobody has cancelled.
                    let outcome = await Task { try await work.finish { try await $0.leave("late") } }.result
                    #expect(throws: LostLease.self) { try outcome.get() }
                    await left.open()
                    return try outcome.get()
                })
            let worker = instance.worker([handler], settings: .init(patience: .milliseconds(10)))
            try await worker.whileRunning { await begun.wait() }
            try await instance.expectReturned(id)
            await end.open()
            await left.wait()
            #expect(try await instance.effects == [])
        }
    }

    @Test(arguments: JobEngine.all) func nothingIsHalfDoneWheneverAWorkerIsCancelled(engine: JobEngine) async throws {
        try await engine.run { instance in
            var numbers = SeededNumbers(seed: 7)
            let names = (100..<180).map { "\($0)" }
            try await instance.database.transaction { transaction in
                for name in names { try await instance.jobs.enqueue(Errand(name: name), in: transaction) }
            }
            let finishing = perform(Errand.self, with: { errand, work in try await work.finish { try await $0.leave(errand.name) } })
            while case let done = try await instance.count(of: .done), done < names.count {
                let enough = min(names.count, done + Int.random(in: 0..<30, using: &numbers))
                try await instance.worker([finishing]).whileRunning {
                    try await eventually { try await instance.count(of: .done) >= enough }
                }
                #expect(try await instance.count(of: .running) == 0)
                #expect(try await instance.workers == [])
                #expect(try await instance.stored.allSatisfy { $0.attempt == ($0.state == .done ? 1 : 0) && $0.errors == "[]" })
            }
            #expect(try await instance.effects == names)
        }
    }
}

extension Instance {
    fileprivate func expectReturned(_ id: Identifier<JobRecord>) async throws {
        let job = try await stored(id)
        #expect(job.state == .ready)
        #expect(job.attempt == 0)
        #expect(job.errors == "[]")
        #expect(try await workers == [])
    }
}
