import MartletCore
import MartletJobs
import MartletJobsAPI
import MartletStorage
import MartletTestSupport
import Testing

@Suite struct UniqueJobs {
    @Test(arguments: JobEngine.all) func oneWaitsAndAnotherIsTakenOnceItHasBegun(engine: JobEngine) async throws {
        try await engine.run { instance in
            let first = try await instance.enqueue(Refresh(key: "a"))
            try await instance.expect(Refresh(key: "a"), isThatOf: first)
            let handler = tell(Refresh.self) { refresh, work in
                if work.id == first.id { try await instance.expectNew(refresh) }
                return .done
            }
            try await instance.worker([handler]).runDue(expecting: 2)
        }
    }

    @Test(arguments: JobEngine.all) func oneIsUnfinishedAtATime(engine: JobEngine) async throws {
        try await engine.run { instance in
            let first = try await instance.enqueue(Import(key: "a"))
            try await instance.expect(Import(key: "a"), isThatOf: first)
            let handler = tell(Import.self) { job, work in
                try await instance.expect(job, isThatOf: first)
                return work.attempt == 1 ? .retry(after: .seconds(5), because: "of the test") : .done
            }
            try await instance.worker([handler]).runDue(expecting: 1)
            try await instance.expect(Import(key: "a"), isThatOf: first)
            instance.time.advance(by: .seconds(5))
            try await instance.worker([handler]).runDue(expecting: 1)
            try await instance.expectNew(Import(key: "a"))
        }
    }

    @Test(arguments: JobEngine.all) func oneIsEnqueuedInAPeriod(engine: JobEngine) async throws {
        try await engine.run { instance in
            let first = try await instance.enqueue(Digest(key: "a"))
            try await instance.worker([tell(Digest.self) { _, _ in .done }]).runDue(expecting: 1)
            instance.time.advance(by: .milliseconds(3_599_999))
            try await instance.expect(Digest(key: "a"), isThatOf: first)
            instance.time.advance(by: .milliseconds(1))
            try await instance.expectNew(Digest(key: "a"))
        }
    }

    @Test(arguments: JobEngine.all) func aCancelledOneMakesRoomUnlessItsPeriodLasts(engine: JobEngine) async throws {
        try await engine.run { instance in
            try await instance.register.cancel(instance.enqueue(Import(key: "a")).id)
            try await instance.expectNew(Import(key: "a"))
            let digest = try await instance.enqueue(Digest(key: "a"))
            try await instance.register.cancel(digest.id)
            try await instance.expect(Digest(key: "a"), isThatOf: digest)
        }
    }

    @Test(arguments: JobEngine.all) func keysOfDifferentKindsAreDifferent(engine: JobEngine) async throws {
        try await engine.run { instance in
            try await instance.expectNew(Import(key: "a"))
            try await instance.expectNew(Refresh(key: "a"))
            try await instance.expectNew(Import(key: "b"))
        }
    }

    @Test(arguments: JobEngine.all) func whatIsRolledBackMakesRoom(engine: JobEngine) async throws {
        try await engine.run { instance in
            let outcome = await Result {
                try await instance.database.transaction { transaction in
                    #expect(try await instance.jobs.enqueue(Import(key: "a"), in: transaction).isNew)
                    throw Unwanted()
                }
            }
            #expect(throws: Unwanted.self) { try outcome.get() }
            try await instance.expectNew(Import(key: "a"))
        }
    }

    @Test(arguments: JobEngine.all, [Isolation.readCommitted, .serializable])
    func whoeverRacesForAKeyFindsOneJob(engine: JobEngine, isolation: Isolation) async throws {
        try await engine.run(instances: 2) { instances in
            let enqueued = try await withThrowingTaskGroup { group in
                for number in 0..<200 {
                    let instance = instances[number % 2]
                    group.addTask {
                        try await instance.database.transaction(isolation: isolation) {
                            try await instance.jobs.enqueue(Import(key: "a"), in: $0)
                        }
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(enqueued.count { $0.isNew } == 1)
            #expect(Set(enqueued.map(\.id)).count == 1)
            #expect(try await instances[0].stored.count == 1)
        }
    }
}

extension Instance {
    fileprivate func expectNew(_ job: some Job) async throws {
        let enqueued = try await enqueue(job)
        #expect(enqueued.isNew)
    }

    fileprivate func expect(_ job: some Job, isThatOf first: Enqueued) async throws {
        let second = try await enqueue(job)
        #expect(second.id == first.id)
        #expect(!second.isNew)
    }
}

/// One waits at a time.
private struct Refresh: Told {
    static let name = "test.refresh"
    static let policy = JobPolicy(unique: .whileWaiting)
    let key: String
    var uniqueKey: String { key }
}

/// One is unfinished at a time.
private struct Import: Told {
    static let name = "test.import"
    static let policy = JobPolicy(unique: .untilFinished)
    let key: String
    var uniqueKey: String { key }
}

/// One in an hour.
private struct Digest: Told {
    static let name = "test.digest"
    static let policy = JobPolicy(unique: .within(.seconds(3_600)))
    let key: String
    var uniqueKey: String { key }
}
