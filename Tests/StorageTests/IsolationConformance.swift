import MartletCore
import MartletStorage
import MartletTestSupport
import Synchronization
import Testing

@Suite("DatabaseConformance: isolation")
struct DatabaseConformanceIsolation {
    private func withCounters(_ engine: DatabaseEngine, _ body: @Sendable (any Database) async throws -> Void) async throws {
        try await engine.withDatabase { db in
            try await db.run("CREATE TABLE counter (id INTEGER PRIMARY KEY, value INTEGER NOT NULL)")
            try await db.change("INSERT INTO counter (id, value) VALUES (1, 1), (2, 1)")
            try await body(db)
        }
    }

    /// Two transactions, each of which reads both rows before the other writes; where transactions take turns, one after another.
    private func both(
        _ engine: DatabaseEngine, _ body: @escaping @Sendable (_ id: Int, _ meet: @Sendable () async -> Void) async throws -> Void
    )
        async throws
    {
        let meeting = Meeting(of: engine.runsTransactionsTogether ? 2 : 1)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for id in 1...2 {
                group.addTask {
                    let runs = Atomic(0)
                    // A body that is run again meets nobody any more.
                    try await body(id) { if runs.add(1, ordering: .relaxed).newValue == 1 { await meeting.arrive() } }
                }
            }
            try await group.waitForAll()
        }
    }

    @Test(arguments: DatabaseEngine.all)
    func writeSkewIsImpossible(engine: DatabaseEngine) async throws {
        for _ in 0..<5 {
            try await withCounters(engine) { db in
                // Each may go off duty while another is on.
                try await both(engine) { id, meet in
                    try await db.transaction { tx in
                        let onDuty = try await tx.first(Int.self, "SELECT count(*) FROM counter WHERE value = 1") ?? 0
                        await meet()
                        if onDuty > 1 { try await tx.change("UPDATE counter SET value = 0 WHERE id = \(id)") }
                    }
                }
                #expect(try await db.first(Int.self, "SELECT count(*) FROM counter WHERE value = 1") == 1)
            }
        }
    }

    @Test(arguments: DatabaseEngine.all)
    func anUpdateIsNeverLost(engine: DatabaseEngine) async throws {
        for _ in 0..<5 {
            try await withCounters(engine) { db in
                try await both(engine) { _, meet in
                    try await db.transaction(isolation: .serializable) { tx in
                        let value = try await tx.first(Int.self, "SELECT value FROM counter WHERE id = 1") ?? 0
                        await meet()
                        try await tx.change("UPDATE counter SET value = \(value + 1) WHERE id = 1")
                    }
                }
                #expect(try await db.first(Int.self, "SELECT value FROM counter WHERE id = 1") == 3)
            }
        }
    }

    @Test(arguments: DatabaseEngine.all)
    func aTransactionReadsOneSnapshot(engine: DatabaseEngine) async throws {
        try await withCounters(engine) { db in
            let (read, changed) = (Gate(), Gate())
            let reader = Task {
                try await db.transaction { tx in
                    let before = try await tx.first(Int.self, "SELECT value FROM counter WHERE id = 1")
                    await read.open()
                    // Where transactions take turns the writer waits for this one to end.
                    if engine.runsTransactionsTogether { await changed.wait() }
                    let after = try await tx.first(Int.self, "SELECT value FROM counter WHERE id = 1")
                    return before == after
                }
            }
            await read.wait()
            try await db.change("UPDATE counter SET value = 9 WHERE id = 1")
            await changed.open()
            #expect(try await reader.value)
        }
    }

    @Test(arguments: DatabaseEngine.all)
    func fiftyCallersWhoReadAndWriteOneRowCountRight(engine: DatabaseEngine) async throws {
        try await withCounters(engine) { db in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<50 {
                    group.addTask {
                        try await db.transaction { tx in
                            let value = try await tx.first(Int.self, "SELECT value FROM counter WHERE id = 1") ?? 0
                            await Task.yield()
                            try await tx.change("UPDATE counter SET value = \(value + 1) WHERE id = 1")
                        }
                    }
                }
                try await group.waitForAll()
            }
            #expect(try await db.first(Int.self, "SELECT value FROM counter WHERE id = 1") == 51)
        }
    }

    @Test(arguments: DatabaseEngine.all)
    func readCommittedKeepsWhatItsStatementsDo(engine: DatabaseEngine) async throws {
        try await withCounters(engine) { db in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<50 {
                    group.addTask {
                        try await db.transaction(isolation: .readCommitted) { tx in
                            try await tx.change("UPDATE counter SET value = value + 1 WHERE id = 1")
                            try await tx.change("UPDATE counter SET value = value + 1 WHERE id = 2")
                        }
                    }
                }
                try await group.waitForAll()
            }
            #expect(try await db.all(Int.self, "SELECT value FROM counter ORDER BY id") == [51, 51])
        }
    }

    @Test(arguments: DatabaseEngine.all)
    func readCommittedIsRolledBackToo(engine: DatabaseEngine) async throws {
        struct Stop: Error {}
        try await withCounters(engine) { (db) async throws in
            await #expect(throws: Stop.self) {
                try await db.transaction(isolation: .readCommitted) { tx in
                    try await tx.change("UPDATE counter SET value = 9")
                    throw Stop()
                }
            }
            #expect(try await db.all(Int.self, "SELECT value FROM counter") == [1, 1])
        }
    }

    @Test(arguments: DatabaseEngine.all)
    func aBodyRunAgainFindsNothingOfItsFirstRun(engine: DatabaseEngine) async throws {
        try await withCounters(engine) { db in
            let found = Mutex<[Int]>([])
            try await both(engine) { id, meet in
                try await db.transaction { tx in
                    let rows = try await tx.first(Int.self, "SELECT count(*) FROM counter WHERE id > 10 AND id % 2 = \(id % 2)") ?? -1
                    found.withLock { $0.append(rows) }
                    try await tx.change("INSERT INTO counter (id, value) VALUES (\(10 + id), 0)")
                    let sum = try await tx.first(Int.self, "SELECT CAST(sum(value) AS BIGINT) FROM counter WHERE id < 10") ?? 0
                    await meet()
                    try await tx.change("UPDATE counter SET value = \(sum) WHERE id = \(id)")
                }
            }
            #expect(found.withLock { $0.allSatisfy { $0 == 0 } })
            // One after another: 1 + 1, then 2 + 1.
            #expect(try await db.all(Int.self, "SELECT value FROM counter WHERE id < 10 ORDER BY value") == [2, 3])
            #expect(try await db.all(Int.self, "SELECT id FROM counter WHERE id > 10 ORDER BY id") == [11, 12])
        }
    }
}
