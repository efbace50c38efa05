import Foundation
import MartletCore
import MartletJobs
import MartletJobsAPI
import MartletStorage
import MartletTestSupport
import Testing

@Suite struct Schedules {
    @Test(arguments: JobEngine.all) func eachMomentFiresOnceOverAllInstances(engine: JobEngine) async throws {
        try await engine.run(instances: 2) { instances in
            let workers = instances.map { $0.worker([ignoring], schedules: [hourly(.each(atMost: 5)), halfDaily]) }
            for _ in 0...48 {
                try await withThrowingDiscardingTaskGroup { group in
                    for worker in workers { group.addTask { _ = try await worker.runDue() } }
                }
                instances[0].time.advance(by: .seconds(30 * 60))
            }
            let names = try await instances[0].names
            #expect(names.count { $0 == "hourly" } == 24)
            #expect(names.count { $0 == "half daily" } == 2)
        }
    }

    @Test(arguments: JobEngine.all) func aScheduleThatIsNewFiresNothing(engine: JobEngine) async throws {
        try await engine.run { instance in
            try await instance.worker([ignoring], schedules: [hourly(.once)]).runDue(expecting: 0)
            #expect(try await instance.stored.isEmpty)
        }
    }

    @Test(arguments: JobEngine.all, [(Schedule.Missed.once, 1), (.skip, 0), (.each(atMost: 3), 3), (.each(atMost: 10), 5)])
    func whatWasMissedFiresAsThePolicySays(engine: JobEngine, missed: (policy: Schedule.Missed, count: Int)) async throws {
        try await engine.run { instance in
            instance.align()
            try await instance.worker([ignoring], schedules: [hourly(missed.policy)]).runDue(expecting: 0)
            instance.time.advance(by: .seconds(5 * 3_600 + 600))
            let worker = instance.worker([ignoring], schedules: [hourly(missed.policy)])
            try await worker.runDue(expecting: missed.count)
            instance.time.advance(by: .seconds(3_000))
            try await worker.runDue(expecting: 1)
        }
    }

    @Test(arguments: JobEngine.all) func aUniqueJobOfAScheduleIsEnqueuedOnce(engine: JobEngine) async throws {
        try await engine.run { instance in
            let entry = schedule("test.lonely", .every(.seconds(3_600), missed: .each(atMost: 10))) { Lonely() }
            let worker = instance.worker([tell(Lonely.self) { _, _ in .done }], schedules: [entry])
            try await worker.runDue(expecting: 0)
            instance.time.advance(by: .seconds(5 * 3_600))
            try await worker.runDue(expecting: 1)
        }
    }

    @Test(arguments: JobEngine.all) func whatARunningWorkersScheduleFiresIsRun(engine: JobEngine) async throws {
        try await engine.run { instance in
            let done = Gate()
            let handler = perform(
                Errand.self,
                with: { _, _ in
                    await done.open()
                    return .done
                })
            try await instance.worker([handler], schedules: [hourly(.once)]).runDue(expecting: 0)
            instance.time.advance(by: .seconds(3_600))
            try await instance.worker([handler], schedules: [hourly(.once)]).whileRunning { await done.wait() }
        }
    }

    private var ignoring: JobHandler { perform(Errand.self, with: { _, _ in .done }) }

    private func hourly(_ missed: Schedule.Missed) -> ScheduledJob {
        schedule("test.hourly", .every(.seconds(3_600), missed: missed)) { Errand(name: "hourly") }
    }

    private var halfDaily: ScheduledJob { schedule("test.half_daily", .cron("30 */12 * * *")) { Errand(name: "half daily") } }
}

extension Instance {
    /// Moves the time to the beginning of an hour.
    fileprivate func align() {
        time.advance(by: .seconds(3_600 - time.now.timeIntervalSince1970.truncatingRemainder(dividingBy: 3_600)))
    }
}

/// One is unfinished at a time.
private struct Lonely: Told {
    static let name = "test.lonely"
    static let policy = JobPolicy(unique: .untilFinished)
    var name = "lonely"
}
