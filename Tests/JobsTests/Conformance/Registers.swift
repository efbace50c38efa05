import MartletContract
import MartletCore
import MartletJobs
import MartletJobsAPI
import MartletStorage
import MartletTestSupport
import Testing

@Suite struct Registers {
    @Test(arguments: JobEngine.all) func anothersJobIsNotFound(engine: JobEngine) async throws {
        try await engine.run { instance in
            let (mine, other) = (Identifier<Account>(), Identifier<Account>())
            let id = try await instance.enqueue(Errand(name: "a"), for: mine).id
            #expect(try await instance.register.find(id, owner: mine).id == id)
            for attempt in [
                { _ = try await instance.register.find(id, owner: other) }, { try await instance.register.cancel(id, owner: other) },
            ] {
                let outcome = await Result { try await attempt() }
                expect(outcome, fails: .notFound)
            }
            #expect(try await instance.register.find(id).state == .ready)
        }
    }

    @Test(arguments: JobEngine.all) func pagesShowEveryJobOnce(engine: JobEngine) async throws {
        try await engine.run { instance in
            var ids: [Identifier<JobRecord>] = []
            for number in 0..<120 { ids.append(try await instance.enqueue(Errand(name: "\(number)")).id) }
            var (found, filter) = ([Identifier<JobRecord>](), JobFilter())
            repeat {
                let page = try await instance.register.page(filter)
                found += page.items.map(\.id)
                filter.cursor = page.next
            } while filter.cursor != nil
            #expect(found == ids.reversed())
        }
    }

    @Test(arguments: JobEngine.all) func jobsAreFoundByStateAndKind(engine: JobEngine) async throws {
        try await engine.run { instance in
            let waiting = try await instance.enqueue(Errand(name: "a"), after: .seconds(1)).id
            let dead = try await instance.enqueue(OneShot()).id
            try await instance.worker([tell(OneShot.self) { _, _ in throw Unwanted() }]).runDue(expecting: 1)
            let register = instance.register
            #expect(try await register.page(JobFilter(state: .dead)).items.map(\.id) == [dead])
            #expect(try await register.page(JobFilter(state: .waiting)).items.map(\.id) == [waiting])
            #expect(try await register.page(JobFilter(kind: JobKind("test.one_shot"))).items.map(\.id) == [dead])
            #expect(try await register.page(JobFilter(state: .done, kind: JobKind("test.errand"))).items.isEmpty)
        }
    }

    @Test(arguments: JobEngine.all) func aDeadOrCancelledJobBeginsAnew(engine: JobEngine) async throws {
        try await engine.run { instance in
            let dead = try await instance.enqueue(OneShot()).id
            try await instance.worker([tell(OneShot.self) { _, _ in throw Unwanted() }]).runDue(expecting: 1)
            let cancelled = try await instance.enqueue(OneShot()).id
            try await instance.register.cancel(cancelled)
            for id in [dead, cancelled] { try await instance.register.retry(id) }
            try await instance.worker([tell(OneShot.self) { _, _ in .done }]).runDue(expecting: 2)
            for id in [dead, cancelled] {
                #expect(try await instance.register.find(id).state == .done)
                #expect(try await instance.register.find(id).attempt == 1)
                expect(await Result { try await instance.register.retry(id) }, fails: .conflict)
            }
            expect(await Result { try await instance.register.retry(Identifier()) }, fails: .notFound)
        }
    }

    private func expect(_ outcome: Result<Void, any Error>, fails kind: Failure.Kind) {
        let error = #expect(throws: Failure.self) { try outcome.get() }
        #expect(error?.kind == kind)
    }
}
