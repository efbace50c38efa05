import MartletCore
import MartletJobs
import MartletJobsAPI
import MartletStorage
import MartletTestSupport
import Testing

@Suite struct Checkpoints {
    @Test(arguments: JobEngine.all) func anAttemptGoesOnWhereTheOneBeforeFailed(engine: JobEngine) async throws {
        try await engine.run { instance in
            let id = try await instance.enqueue(Climb()).id
            let journal = Journal()
            let worker = instance.worker([climbing(journal) { step, attempt in if step == 2 * attempt { throw Unwanted() } }])
            for _ in 0..<3 {
                try await worker.runDue(expecting: 1)
                instance.time.advance(by: .seconds(10))
            }
            #expect(journal.entries == ["from nil", "from 2", "from 4"])
            #expect(try await instance.effects == ["1", "2", "3", "4", "5"])
            #expect(try await instance.register.find(id).state == .done)
        }
    }

    @Test(arguments: JobEngine.all) func whatASaveThatFailedWroteIsUndone(engine: JobEngine) async throws {
        try await engine.run { instance in
            try await instance.enqueue(Climb())
            let journal = Journal()
            let handler = tell(Climb.self) { _, work in
                journal.note("from \(work.checkpoint.map(String.init) ?? "nil")")
                if work.attempt > 1 { return .done }
                _ = try await work.save { transaction in
                    try await transaction.leave("half")
                    throw Unwanted()
                }
                return .done
            }
            try await instance.worker([handler]).runDue(expecting: 1)
            instance.time.advance(by: .seconds(1))
            try await instance.worker([handler]).runDue(expecting: 1)
            #expect(journal.entries == ["from nil", "from nil"])
            #expect(try await instance.effects == [])
        }
    }

    @Test(arguments: JobEngine.all) func anotherWorkerGoesOnWhereALostOneSaved(engine: JobEngine) async throws {
        try await engine.run(instances: 2) { instances in
            try await instances[0].enqueue(Climb())
            let journal = Journal()
            let other = instances[1].worker([climbing(journal)])
            let handler = climbing(journal) { step, _ in
                guard step == 3 else { return }
                instances[0].time.advance(by: Instance.lease + .seconds(1))
                try await other.runDue(expecting: 1)
            }
            try await instances[0].worker([handler]).runDue(expecting: 1)
            #expect(journal.entries == ["from nil", "from 3"])
            #expect(try await instances[0].effects == ["1", "2", "3", "4", "5"])
        }
    }

    /// Climbs five steps, each saved with its effect; `after` is told the step and the attempt.
    private func climbing(_ journal: Journal, after: @escaping @Sendable (Int, Int) async throws -> Void = { _, _ in }) -> JobHandler {
        tell(Climb.self) { _, work in
            journal.note("from \(work.checkpoint.map(String.init) ?? "nil")")
            var step = work.checkpoint ?? 0
            while step < 5 {
                step = try await work.save { [next = step + 1] transaction in
                    try await transaction.leave("\(next)")
                    return next
                }
                try await after(step, work.attempt)
            }
            return .done
        }
    }
}
