import MartletCore
import MartletJobs
import MartletJobsAPI
import MartletStorage
import MartletTestSupport
import Synchronization
import Testing

@Suite struct Queues {
    @Test(arguments: JobEngine.all) func noMoreRunAtOnceThanTheQueueAllows(engine: JobEngine) async throws {
        try await engine.run { instance in
            for owner in [nil, Identifier<Account>(), Identifier<Account>()] {
                for _ in 0..<20 { try await instance.enqueue(Eager(), for: owner) }
            }
            let crowd = Crowd()
            let handler = tell(Eager.self) { _, _ in await crowd.visit() }
            try await instance.worker([handler], queues: [JobQueue("eager", concurrency: 3)]).whileRunning {
                try await eventually { try await instance.count(of: .done) == 60 }
            }
            #expect(crowd.most == 3)
        }
    }

    @Test(arguments: JobEngine.all) func noMoreBeginThanTheRateAllowsOverAllInstances(engine: JobEngine) async throws {
        try await engine.run(instances: 2) { instances in
            for _ in 0..<30 { try await instances[0].enqueue(Eager()) }
            let journal = Journal()
            let handler = tell(Eager.self) { _, _ in
                journal.note("begun")
                return .done
            }
            let queue = JobQueue("eager", concurrency: 10, rate: .per(minute: 6, burst: 4))
            let workers = instances.map { $0.worker([handler], queues: [queue]) }
            for step in 0..<27 {
                try await withThrowingDiscardingTaskGroup { group in
                    for worker in workers { group.addTask { _ = try await worker.runDue() } }
                }
                #expect(journal.entries.count == min(30, 4 + step))
                instances[0].time.advance(by: .seconds(10))
            }
            #expect(journal.entries.count == 30)
        }
    }

    @Test(arguments: JobEngine.all) func aBusyQueueHoldsUpNoOther(engine: JobEngine) async throws {
        try await engine.run { instance in
            let (begun, end) = (Meeting(of: 3), Gate())
            for _ in 0..<20 { try await instance.enqueue(Eager()) }
            let busy = tell(Eager.self) { _, _ in
                await begun.arrive()
                await end.wait()
                return .done
            }
            let other = perform(Errand.self, with: { _, _ in .done })
            let worker = instance.worker([busy, other], queues: [JobQueue("eager", concurrency: 2)])
            try await worker.whileRunning {
                await begun.arrive()
                for number in 0..<5 { try await instance.enqueue(Errand(name: "\(number)")) }
                try await eventually { try await instance.count(of: .done) == 5 }
                #expect(try await instance.count(of: .running) == 2)
                await end.open()
            }
        }
    }
}

/// Counts how many are there at once.
private final class Crowd: Sendable {
    private let state = Mutex((present: 0, most: 0))
    var most: Int { state.withLock(\.most) }

    func visit() async -> Outcome {
        state.withLock { state in
            state.present += 1
            state.most = max(state.most, state.present)
        }
        for _ in 0..<20 { await Task.yield() }
        state.withLock { $0.present -= 1 }
        return .done
    }
}
