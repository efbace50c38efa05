import MartletCore
import MartletPostgres
import MartletStorage
import MartletTestSupport
import Testing

/// Behind a proxy that gives each transaction another one of few sessions.
struct ProxyTests {
    @Test func theLoadOfTwoDatabasesGoesThroughTwoSessions() async throws {
        try await Bouncer.run(connections: 2) { proxy, server in
            let settings = PostgresSettings.small
            try await UnderTest.run(settings, prepared: false, url: proxy, observerURL: server) { test in
                let second = try PostgresDatabase(
                    url: proxy,
                    settings: settings.with { ($0.preparedStatements, $0.applicationName) = (false, test.name) }, logger: .silent)
                do { try await load(test, [test.database, second]) } catch {
                    await second.close()
                    throw error
                }
                await second.close()
            }
        }
    }

    private func load(_ test: UnderTest, _ databases: [PostgresDatabase]) async throws {
        let refused = Count()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for caller in 0..<60 {
                let db = databases[caller % 2]
                group.addTask { for call in 0..<6 { try await Self.call(db, caller * 6 + call, refused) } }
            }
            try await group.waitForAll()
        }
        #expect(refused.value == 60)
        let slow = Task { try await databases[0].first(Bool.self, "SELECT true FROM pg_sleep(100)") }
        try await test.running("pg_sleep")
        slow.cancel()
        await #expect(throws: CancellationError.self) { _ = try await slow.value }
        #expect(try await test.observer.ids == Array(0..<360).filter { $0 % 6 < 3 })
        #expect(try await test.sessions().count <= 2)
        for db in databases { try await eventually { db.load.inUse == 0 } }
        try await eventually { try await test.sessions().allSatisfy { !$0.isBusy } }
    }

    private static func call(_ db: PostgresDatabase, _ id: Int, _ refused: Count) async throws {
        switch id % 6 {
        case 0: try await db.insert(id)
        case 1: try await db.transaction(isolation: .readCommitted) { try await $0.insert(id) }
        case 2:
            try await db.transaction(isolation: .readCommitted) { tx in
                try await tx.insert(id)
                struct Undone: Error {}
                do {
                    try await tx.savepoint { part in
                        try await part.insert(id + 100_000)
                        throw Undone()
                    }
                } catch is Undone {}
            }
        case 3:
            do { try await db.insert(id - 3) } catch let failure as SQLFailure where failure.kind == .unique { refused.add() }
        case 4:
            let count = Count()
            try await db.batches(of: 7, Int.self, "SELECT generate_series(1, 30)::BIGINT") { count.add($0.count) }
            #expect(count.value == 30)
        default:
            let answer = try await db.first(Int.self, "SELECT \(id)::BIGINT")
            #expect(answer == id)
        }
    }
}
