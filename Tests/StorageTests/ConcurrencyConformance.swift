import MartletCore
import MartletStorage
import MartletTestSupport
import Synchronization
import Testing

@Suite("DatabaseConformance: many callers at once")
struct DatabaseConformanceConcurrency {
    struct Stop: Error {}

    @Test(arguments: DatabaseEngine.all)
    func twoHundredCallersWhoMixEverythingGetTheirOwnAnswers(engine: DatabaseEngine) async throws {
        try await engine.withItems { db in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for id in 0..<200 { group.addTask { try await Self.call(db, id) } }
                try await group.waitForAll()
            }
            #expect(try await db.items == (0..<200).filter { $0 % 5 < 3 })
            #expect(await db.comesToRest())
            #expect(db.load.connections > 0)
        }
    }

    /// One of five kinds of call, each of which sees what it wrote.
    private static func call(_ db: any Database, _ id: Int) async throws {
        switch id % 5 {
        case 0: try await db.insert(id, "item \(id)")
        case 1:
            try await db.transaction { tx in
                try await tx.insert(id, "first \(id)")
                try await tx.change("UPDATE item SET name = \("item \(id)") WHERE id = \(id)", else: .notFound("gone", "Gone."))
            }
        case 2:
            let name = try await db.first(String.self, "INSERT INTO item (id, name) VALUES (\(id), \("item \(id)")) RETURNING name")
            #expect(name == "item \(id)")
        case 3:
            await #expect(throws: Stop.self) {
                try await db.transaction { tx in
                    try await tx.insert(id, "never")
                    throw Stop()
                }
            }
        default:
            let numbers = try await db.all(Int.self, "SELECT \(id) UNION ALL SELECT \(id + 1) ORDER BY 1")
            #expect(numbers == [id, id + 1])
        }
        let seen = try await db.first(String.self, "SELECT name FROM item WHERE id = \(id)")
        #expect(seen == (id % 5 < 3 ? "item \(id)" : nil))
    }

    @Test(arguments: DatabaseEngine.all)
    func oneBrokenStatementAmongManyFailsAlone(engine: DatabaseEngine) async throws {
        try await engine.withItems { db in
            try await db.insert(1_000, "taken")
            try await withThrowingTaskGroup(of: Void.self) { group in
                for id in 0..<200 {
                    group.addTask {
                        guard id % 4 == 0 else { return try await db.insert(id, "item \(id)") }
                        let failure = await #expect(throws: SQLFailure.self) { try await db.insert(id, id % 8 == 0 ? "" : "taken") }
                        #expect(failure?.kind == (id % 8 == 0 ? .check : .unique))
                    }
                }
                try await group.waitForAll()
            }
            #expect(try await db.count("item") == 151)
            #expect(await db.comesToRest())
        }
    }

    @Test(arguments: DatabaseEngine.all)
    func waitersAreServedInTheOrderTheyCame(engine: DatabaseEngine) async throws {
        try await engine.withItems { db in
            let served = Mutex<[Int]>([])
            let waiters = try await db.whileOccupied { end in
                var waiters: [Task<Void, any Error>] = []
                for number in 0..<20 {
                    waiters.append(
                        try await db.waiting {
                            try await db.transaction { tx in
                                served.withLock { $0.append(number) }
                                try await tx.insert(number, "item \(number)")
                            }
                        })
                }
                #expect(db.load.waiting == 20)
                await end.open()
                for waiter in waiters { try await waiter.value }
                return waiters.count
            }
            #expect(served.withLock { $0 } == Array(0..<waiters))
            #expect(await db.comesToRest())
            #expect(db.load.waited >= 20 && db.load.waitedTime > .zero && db.load.refused == 0)
        }
    }

    @Test(arguments: DatabaseEngine.all)
    func readsWhileAllElseIsOccupiedSeeWhatIsCommitted(engine: DatabaseEngine) async throws {
        try await engine.withItems { db in
            try await db.insert(1, "a")
            try await db.transaction { tx in
                try await tx.insert(2, "b")
                try await withThrowingTaskGroup(of: [Int].self) { group in
                    for _ in 0..<100 { group.addTask { try await db.items } }
                    for try await items in group { #expect(items == [1]) }
                }
            }
            #expect(try await db.items == [1, 2])
        }
    }
}
