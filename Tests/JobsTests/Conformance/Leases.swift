import Foundation
import MartletContract
import MartletCore
import MartletJobs
import MartletJobsAPI
import MartletStorage
import MartletTestSupport
import Testing

/// A worker that was away for longer than its lease, and another that has its job meanwhile.
@Suite struct Leases {
    @Test(arguments: JobEngine.all) func whoeverWasAwayCannotFinish(engine: JobEngine) async throws {
        try await engine.overtake { work in
            let outcome = await Result { try await work.finish { try await $0.leave("late") } }
            #expect(throws: LostLease.self) { try outcome.get() }
            return try outcome.get()
        }
    }

    @Test(arguments: JobEngine.all) func whoeverWasAwayCannotSave(engine: JobEngine) async throws {
        try await engine.overtake { work in
            let saved = await Result {
                try await work.save { transaction in
                    try await transaction.leave("late")
                    return 1
                }
            }
            #expect(throws: LostLease.self) { try saved.get() }
            return .done
        }
    }

    @Test(arguments: JobEngine.all) func whoeverWasAwayIsNotNotedDone(engine: JobEngine) async throws {
        try await engine.overtake { _ in .done }
    }

    @Test(arguments: JobEngine.all) func theFailureOfWhoeverWasAwayIsNotNoted(engine: JobEngine) async throws {
        try await engine.overtake { _ in throw Unwanted() }
    }

    @Test(arguments: JobEngine.all) func whoeverWasAwayCannotFinishWhileAnotherHasTheJob(engine: JobEngine) async throws {
        try await engine.run(instances: 2) { instances in
            try await instances[0].enqueue(Climb())
            let handler = tell(Climb.self) { _, late in
                instances[0].time.advance(by: Instance.lease + .seconds(1))
                let other = tell(Climb.self) { _, work in
                    let outcome = await Result { try await late.finish { try await $0.leave("late") } }
                    #expect(throws: LostLease.self) { try outcome.get() }
                    return try await work.finish { try await $0.leave("in time") }
                }
                try await instances[1].worker([other]).runDue(expecting: 1)
                return .done
            }
            try await instances[0].worker([handler]).runDue(expecting: 1)
            #expect(try await instances[0].effects == ["in time"])
        }
    }

    @Test(arguments: JobEngine.all) func whoeverWasAwayCannotFinishThoughNobodyHasTheJob(engine: JobEngine) async throws {
        try await engine.run { instance in
            try await instance.enqueue(OneShot())
            let handler = tell(OneShot.self) { _, work in
                instance.time.advance(by: Instance.lease + .seconds(1))
                return try await work.finish { try await $0.leave("late") }
            }
            try await instance.worker([handler]).runDue(expecting: 1)
            #expect(try await instance.effects == [])
            #expect(try await instance.count(of: .dead) == 1)
        }
    }

    @Test(arguments: JobEngine.all) func aLostJobWithoutAttemptsLeftIsDead(engine: JobEngine) async throws {
        try await engine.run(instances: 2) { instances in
            let id = try await instances[0].enqueue(OneShot()).id
            let other = instances[1].worker([tell(OneShot.self) { _, _ in .done }])
            let handler = tell(OneShot.self) { _, work in
                instances[0].time.advance(by: Instance.lease + .seconds(1))
                try await other.runDue(expecting: 0)
                return try await work.finish { try await $0.leave("late") }
            }
            try await instances[0].worker([handler]).runDue(expecting: 1)
            let status = try await instances[0].register.find(id)
            #expect(status.state == .dead)
            #expect(status.error == "The worker was lost.")
            #expect(try await instances[0].effects == [])
        }
    }

    @Test(arguments: JobEngine.all) func whoeverRenewedKeepsItsJobs(engine: JobEngine) async throws {
        try await engine.run(instances: 2) { instances in
            let id = try await instances[0].enqueue(OneShot()).id
            let other = instances[1].worker([tell(OneShot.self) { _, _ in .done }])
            let handler = tell(OneShot.self) { _, work in
                for _ in 0..<3 {
                    instances[0].time.advance(by: Instance.lease * 2 / 3)
                    try await instances[0].renewLeases()
                    try await other.runDue(expecting: 0)
                }
                return try await work.finish { try await $0.leave("kept") }
            }
            try await instances[0].worker([handler]).runDue(expecting: 1)
            #expect(try await instances[0].register.find(id).state == .done)
            #expect(try await instances[0].effects == ["kept"])
        }
    }

    @Test(arguments: JobEngine.all) func whoeverWasAwayWorksOnUnderANewIdentity(engine: JobEngine) async throws {
        try await engine.run { instance in
            for number in 0..<10 { try await instance.enqueue(Climb(name: "\(number)")) }
            let journal = Journal()
            let handler = tell(Climb.self) { climb, work in
                journal.note("\(try await instance.workers)")
                if climb.name == "0", work.attempt == 1 { instance.time.advance(by: Instance.lease + .seconds(1)) }
                return try await work.finish { try await $0.leave(climb.name) }
            }
            let worker = instance.worker([handler], queues: [JobQueue("default", concurrency: 1)])
            try await worker.runDue(expecting: 11)
            #expect(try await instance.effects == (0..<10).map { "\($0)" })
            #expect(try await instance.stored.map(\.attempt) == [2] + Array(repeating: 1, count: 9))
            #expect(Set(journal.entries).count == 2)
            #expect(try await instance.workers.count == 1)
        }
    }
}

extension Instance {
    fileprivate func renewLeases() async throws {
        try await database.change("UPDATE job_worker SET lease_until = \(time.now + Instance.lease / .seconds(1))")
    }
}

extension JobEngine {
    /// Runs a job whose first worker's lease ends while it works, so that another worker runs it; then the first one ends as `ending` says.
    fileprivate func overtake(_ ending: @escaping @Sendable (Work<Climb>) async throws -> Outcome) async throws {
        try await run(instances: 2) { instances in
            let id = try await instances[0].enqueue(Climb()).id
            let other = instances[1].worker([tell(Climb.self) { _, work in try await work.finish(Self.leavingEffect) }])
            let handler = tell(Climb.self) { _, work in
                instances[0].time.advance(by: Instance.lease + .seconds(1))
                try await other.runDue(expecting: 1)
                return try await ending(work)
            }
            try await instances[0].worker([handler]).runDue(expecting: 1)
            let status = try await instances[0].register.find(id)
            #expect(status.state == .done)
            #expect(status.attempt == 2)
            #expect(status.result == .string("by the other"))
            #expect(try await instances[0].effects == ["in time"])
        }
    }

    @Sendable private static func leavingEffect(in transaction: any Transaction) async throws -> String {
        try await transaction.leave("in time")
        return "by the other"
    }
}
