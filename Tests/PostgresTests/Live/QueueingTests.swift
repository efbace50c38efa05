import MartletCore
import MartletStorage
import MartletTestSupport
import Synchronization
import Testing

@testable import MartletPostgres

/// More callers than connections.
struct QueueingTests {
    @Test(arguments: [true, false]) func tenTimesMoreAreServedInTheOrderTheyCame(prepared: Bool) async throws {
        try await UnderTest.run(.unshared(5), prepared: prepared) { test in
            let db = test.database
            let served = Order()
            let holders = try await Holders(5, of: db)
            let before = db.load
            var callers: [Task<Void, any Error>] = []
            for number in 0..<50 {
                callers.append(
                    Task {
                        try await db.transaction { tx in
                            served.append(number)
                            try await tx.insert(number)
                        }
                    })
                try await eventually { db.load.waiting == number + 1 }
            }
            #expect(db.load.inUse == 5)
            // One connection serves them all, one after another.
            try await holders.release(1)
            for caller in callers { try await caller.value }
            #expect(served.numbers == Array(0..<50))
            try await holders.release(4)
            try await test.comesToRest()
            #expect(db.load.waited - before.waited == 50)
            #expect(db.load.refused == 0)
            #expect(db.load.waitedTime > before.waitedTime)
            #expect(try await db.ids == Array(0..<50))
        }
    }

    @Test func noneStarvesAmongReadsInsertsAndTransactions() async throws {
        try await UnderTest.run { test in
            let db = test.database
            try await withThrowingTaskGroup(of: Void.self) { group in
                for caller in 0..<60 {
                    group.addTask {
                        for call in 0..<10 {
                            let id = caller * 10 + call
                            switch caller % 3 {
                            case 0: _ = try await db.first(Int.self, "SELECT count(*) FROM item")
                            case 1: try await db.insert(id)
                            default: try await db.transaction(isolation: .readCommitted) { try await $0.insert(id) }
                            }
                        }
                    }
                }
                try await group.waitForAll()
            }
            #expect(try await db.ids.count == 400)
            #expect(db.load.refused == 0)
            #expect(try await test.sessions().count <= 6)
            try await test.comesToRest()
        }
    }

    @Test func whoComesWhenTooManyWaitIsRefusedAtOnce() async throws {
        try await UnderTest.run(.unshared(2).with { $0.maxWaiting = 10 }) { test in
            let db = test.database
            let holders = try await Holders(2, of: db)
            let callers = (0..<10).map { number in Task { try await db.transaction { try await $0.insert(number) } } }
            try await eventually { db.load.waiting == 10 }
            // Nothing is released, and the answer is there.
            let transaction = try await unavailable { try await db.transaction { try await $0.insert(99) } }
            #expect(transaction.code == "database_busy")
            let statement = try await unavailable { _ = try await db.ids }
            #expect(statement.code == "database_busy")
            #expect(db.load.refused == 2)
            try await holders.release(2)
            for caller in callers { try await caller.value }
            #expect(try await db.ids == Array(0..<10))
        }
    }

    @Test func thoseWhoWaitForASharedConnectionAreBoundedToo() async throws {
        try await UnderTest.run(.small.with { $0.maxWaiting = 10 }) { test in
            let db = test.database
            let holders = try await Holders(6, of: db)
            let callers = (0..<10).map { number in Task { try await db.first(Int.self, "SELECT \(number)::BIGINT") } }
            try await eventually { db.load.waiting == 10 }
            let failure = try await unavailable { _ = try await db.ids }
            #expect(failure.code == "database_busy")
            #expect(db.load.refused == 1)
            // Who leaves makes room.
            callers[4].cancel()
            await #expect(throws: CancellationError.self) { _ = try await callers[4].value }
            #expect(db.load.waiting == 9)
            let another = Task { try await db.first(Int.self, "SELECT 10::BIGINT") }
            try await eventually { db.load.waiting == 10 }
            try await holders.release(6)
            for (number, caller) in callers.enumerated() where number != 4 { #expect(try await caller.value == number) }
            #expect(try await another.value == 10)
            try await test.comesToRest()
        }
    }

    @Test(arguments: [0, 1]) func whoWaitsTooLongIsUnavailable(pipelines: Int) async throws {
        let settings = PostgresSettings.unshared(4).with { ($0.timeout, $0.pipelines) = (.milliseconds(1_500), pipelines) }
        try await UnderTest.run(settings) { test in
            let db = test.database
            let holders = try await Holders(4, of: db)
            let transaction = try await unavailable { try await db.transaction { try await $0.insert(1) } }
            #expect(transaction.code == "database_busy")
            let statement = try await unavailable { _ = try await db.ids }
            #expect(statement.code == "database_busy")
            #expect(db.load.refused == 2)
            #expect(db.load.waiting == 0)
            try await holders.release(4)
            #expect(try await db.ids == [])
            try await test.comesToRest()
        }
    }
}

/// Numbers in the order in which they came.
private final class Order: Sendable {
    private let kept = Mutex<[Int]>([])

    var numbers: [Int] { kept.withLock { $0 } }
    func append(_ number: Int) { kept.withLock { $0.append(number) } }
}

/// Callers who keep all connections until they are released.
private final class Holders: Sendable {
    private let tasks: Mutex<[(Task<Void, any Error>, Gate)]> = Mutex([])

    /// They read batches, which have no time limit.
    init(_ count: Int, of db: PostgresDatabase) async throws {
        for number in 1...count {
            let gate = Gate()
            let task = Task { try await db.batches(of: 1, Int.self, "SELECT 1") { _ in await gate.wait() } }
            tasks.withLock { $0.append((task, gate)) }
            try await eventually { db.load.inUse == number }
        }
    }

    func release(_ count: Int) async throws {
        for _ in 0..<count {
            let (task, gate) = tasks.withLock { $0.removeFirst() }
            await gate.open()
            try await task.value
        }
    }
}
