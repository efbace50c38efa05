import Foundation
import MartletStorage
import MartletTestSupport
import Synchronization
import Testing

@Suite("DatabaseConformance: the outbox's tail")
struct DatabaseConformanceOutboxTail {
    struct Stop: Error {}

    @Test(arguments: DatabaseEngine.all)
    func everyProcessSeesEveryCommittedEntryOnceAndInTheOrderOfItsKey(engine: DatabaseEngine) async throws {
        try await engine.withOutboxPair { first, second in
            let (near, far) = try await (Following(first), Following(second))
            let committed = try await Self.write(first, second)
            #expect(committed.count > 300)
            for tail in [near, far] {
                try await tail.sees(committed.count)
                #expect(Set(tail.payloads) == committed, "what was committed and nothing else")
                for entries in Dictionary(grouping: tail.entries, by: \.key).values {
                    #expect(entries.map(\.position) == entries.map(\.position).sorted())
                    let payloads = try entries.map { try $0.payload(as: Int.self) }
                    #expect(payloads == payloads.sorted())
                }
            }
            // Nothing comes twice later, either.
            try await first.transaction { try await Outbox.append("news", key: "end", -1, in: $0) }
            for tail in [near, far] {
                try await tail.sees(committed.count + 1)
                await tail.stop()
                #expect(tail.payloads.count == committed.count + 1 && tail.payloads.last == -1)
            }
        }
    }

    /// A thousand transactions of fifty writers by two processes; each writer has a key of its own. Returns what was committed.
    private static func write(_ first: any Database, _ second: any Database) async throws -> Set<Int> {
        try await withThrowingTaskGroup(of: [Int].self) { group in
            for writer in 0..<50 {
                let db = writer % 2 == 0 ? first : second
                group.addTask {
                    var (committed, numbers) = ([Int](), SeededNumbers(seed: UInt64(writer)))
                    for step in 0..<20 {
                        let (number, fails) = (writer * 100 + step, Int.random(in: 0..<3, using: &numbers) == 0)
                        do {
                            try await db.transaction { tx in
                                try await Outbox.append("news", key: "\(writer)", number, in: tx)
                                if step % 5 == 0 { try? await tx.savepoint { try await Self.appendAndFail($0) } }
                                if fails { throw Stop() }
                            }
                            committed.append(number)
                        } catch is Stop {}
                    }
                    return committed
                }
            }
            return try await group.reduce(into: []) { $0.formUnion($1) }
        }
    }

    private static func appendAndFail(_ tx: any Transaction) async throws {
        try await Outbox.append("news", key: "never", 1_000_000, in: tx)
        throw Stop()
    }

    @Test(arguments: DatabaseEngine.all)
    func whatWasThereBeforeItBeganIsNotSeen(engine: DatabaseEngine) async throws {
        try await engine.withOutboxPair { db, _ in
            try await db.transaction { try await Outbox.append("news", key: "a", 1, in: $0) }
            let tail = try await Following(db)
            try await db.transaction { tx in
                try await Outbox.append("other-news", key: "a", 2, in: tx)
                try await Outbox.append("news", key: "a", 3, in: tx)
            }
            try await tail.sees(1)
            await tail.stop()
            #expect(tail.payloads == [3])
        }
    }

    @Test(arguments: DatabaseEngine.all)
    func aBacklogOfManyPagesComesWholeAndInOrder(engine: DatabaseEngine) async throws {
        try await engine.withOutboxPair { db, other in
            let tail = try await Following(db)
            // The numbers of entries around the ends of pages.
            for count in [2500, 1000, 2000, 999, 1001] {
                let before = tail.payloads.count
                try await other.transaction { try await Outbox.append("news", (0..<count).map { (key: "a", payload: $0) }, in: $0) }
                try await tail.sees(before + count)
                #expect(Array(tail.payloads[before...]) == Array(0..<count))
            }
            await tail.stop()
            #expect(tail.payloads.count == 7500)
        }
    }

    @Test(arguments: DatabaseEngine.all)
    func pruningEverythingDoesNotStopIt(engine: DatabaseEngine) async throws {
        try await engine.withOutboxPair { db, other in
            let tail = try await Following(db)
            for number in 0..<5 {
                try await other.transaction { try await Outbox.append("news", key: "a", number, in: $0) }
                try await tail.sees(number + 1)
                try await Outbox.prune(before: Date(timeIntervalSinceNow: 3600), limit: 100, in: other)
            }
            await tail.stop()
            #expect(tail.payloads == [0, 1, 2, 3, 4])
        }
    }

    @Test(arguments: DatabaseEngine.all)
    func anAnnouncementMakesItLookAtOnce(engine: DatabaseEngine) async throws {
        try await engine.withOutboxPair { db, _ in
            let tail = try await Following(db, pollEvery: .seconds(1_000_000))
            try await db.transaction { try await Outbox.append("news", key: "a", 1, in: $0) }
            try await tail.sees(1)
            await tail.stop()
        }
    }

    @Test(arguments: DatabaseEngine.all)
    func itEndsWithTheDatabase(engine: DatabaseEngine) async throws {
        try await engine.withOutboxPair { db, _ in
            let tail = OutboxTail(db, logger: .silent)
            let running = Task { await tail.run() }
            await tail.hasBegun()
            await db.close()
            await running.value
            // One that never could begin keeps nobody waiting.
            let late = OutboxTail(db, logger: .silent)
            await late.run()
            await late.hasBegun()
        }
    }

    @Test func aTransactionThatTakesLongIsSeenWhenItCommitsAndDelaysNobody() async throws {
        try await DatabaseEngine.postgres.withOutboxPair { db, other in
            let tail = try await Following(db)
            let (hasAppended, end) = (Gate(), Gate())
            let long = Task {
                try await other.transaction { tx in
                    try await Outbox.append("news", key: "long", -1, in: tx)
                    await hasAppended.open()
                    await end.wait()
                    try await Outbox.append("news", key: "long", -2, in: tx)
                }
            }
            await hasAppended.wait()
            for number in 0..<20 {
                try await other.transaction { try await Outbox.append("news", key: "short", number, in: $0) }
                try await tail.sees(number + 1)
            }
            await end.open()
            try await long.value
            try await tail.sees(22)
            try await other.transaction { try await Outbox.append("news", key: "short", 20, in: $0) }
            try await tail.sees(23)
            await tail.stop()
            #expect(tail.payloads == Array(0..<20) + [-1, -2, 20])
        }
    }
}

/// What a tail of the topic `news` has seen since it began.
final class Following: Sendable {
    private let seen: Seen
    private let running: Task<Void, Never>

    private final class Seen: Sendable {
        let entries = Mutex<[OutboxEntry]>([])
    }

    init(_ database: any Database, pollEvery: Duration = .milliseconds(20)) async throws {
        let (seen, tail) = (Seen(), OutboxTail(database, pollEvery: pollEvery, logger: .silent))
        tail.subscribe("news") { entry in seen.entries.withLock { $0.append(entry) } }
        self.seen = seen
        running = Task { await tail.run() }
        await tail.hasBegun()
    }

    var entries: [OutboxEntry] { seen.entries.withLock { $0 } }
    var payloads: [Int] { entries.compactMap { Int($0.payload) } }

    func sees(_ count: Int) async throws {
        try await eventually("\(count) entries") { seen.entries.withLock { $0.count } >= count }
    }

    func stop() async {
        running.cancel()
        await running.value
    }
}

extension DatabaseEngine {
    func withOutboxPair(_ body: @Sendable (any Database, any Database) async throws -> Void) async throws {
        try await withPair { first, second in
            try await Migrator(first, Outbox.migrations).apply()
            try await body(first, second)
        }
    }
}
