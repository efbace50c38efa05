import MartletCore
import MartletJobs
import MartletJobsAPI
import MartletStorage
import MartletTestSupport
import Testing

@Suite struct Finishing {
    @Test(arguments: JobEngine.all) func aFinishThatThrowsLeavesNothingAndHasFailed(engine: JobEngine) async throws {
        try await engine.run { instance in
            let id = try await instance.enqueue(Stubborn()).id
            let handler = tell(Stubborn.self) { _, work in
                try await work.finish { transaction in
                    try await transaction.leave("half")
                    throw Unwanted()
                }
            }
            try await instance.worker([handler]).runDue(expecting: 1)
            #expect(try await instance.effects == [])
            #expect(try await instance.stored(id).state == .waiting)
            #expect(try await instance.stored(id).reasons.count == 1)
        }
    }

    @Test(arguments: JobEngine.all) func effectsOfJobsThatGetInEachOthersWayAppearOnce(engine: JobEngine) async throws {
        try await engine.run(instances: 2) { instances in
            let names = (10..<40).map { "\($0)" }
            for name in names { try await instances[0].enqueue(Eager(name: name)) }
            let handler = tell(Eager.self) { eager, work in
                try await work.finish { transaction in
                    _ = try await transaction.first(Int.self, "SELECT count(*) FROM effect")
                    try await transaction.leave(eager.name)
                }
            }
            try await instances.runAll([handler])
            #expect(try await instances[0].effects == names)
            #expect(try await instances[0].count(of: .done) == names.count)
        }
    }

    @Test(arguments: JobEngine.all) func whatFollowsFromAJobIsEnqueuedWithIt(engine: JobEngine) async throws {
        try await engine.run { instance in
            try await instance.enqueue(Climb(name: "3"))
            let handler = tell(Climb.self) { climb, work in
                try await work.finish { transaction in
                    try await transaction.leave(climb.name)
                    guard let number = Int(climb.name), number > 1 else { return }
                    try await instance.jobs.enqueue(Climb(name: "\(number - 1)"), in: transaction)
                }
            }
            try await instance.worker([handler]).runDue(expecting: 3)
            #expect(try await instance.effects == ["1", "2", "3"])
        }
    }
}

extension [Instance] {
    /// Runs what is due on every instance at once, until nothing is left.
    func runAll(_ handlers: [JobHandler]) async throws {
        while try await self[0].database.first(Int.self, "SELECT 1 FROM job WHERE finished_at IS NULL") != nil {
            try await withThrowingDiscardingTaskGroup { group in
                for instance in self { group.addTask { _ = try await instance.worker(handlers).runDue() } }
            }
            self[0].time.advance(by: .seconds(1))
        }
    }
}
