import MartletStorage
import MartletTestSupport
import Testing

@testable import MartletPostgres

struct CancellingTests {
    @Test(arguments: [true, false]) func aThousandCancelledCallsLeaveNothingBehind(prepared: Bool) async throws {
        try await UnderTest.run(.small.with { $0.maxWaiting = 2_000 }, prepared: prepared) { (test) async throws in
            let db = test.database
            try await test.serves()
            let calls = (0..<1_000).map { number in Task { try await Self.call(db, number) } }
            defer { for call in calls { call.cancel() } }
            // Some run, some are in transactions, all others wait.
            try await eventually { db.load.inUse >= 4 && db.load.waiting > 900 }
            try await test.running("pg_sleep")
            for call in calls { call.cancel() }
            for call in calls { await #expect(throws: CancellationError.self) { try await call.value } }
            try await test.comesToRest()
            #expect(try await db.ids == [])
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<30 { group.addTask { try await test.serves() } }
                try await group.waitForAll()
            }
            try await test.comesToRest()
            #expect(try await test.sessions().count <= 6)
        }
    }

    /// None of them ends by itself.
    private static func call(_ db: PostgresDatabase, _ number: Int) async throws {
        switch number % 4 {
        case 0: _ = try await db.first(Bool.self, "SELECT true FROM pg_sleep(100)")
        case 1: try await db.change("UPDATE item SET name = 'x' WHERE (SELECT true FROM pg_sleep(100))")
        case 2:
            try await db.transaction { tx in
                try await tx.insert(number)
                _ = try await tx.first(Bool.self, "SELECT true FROM pg_sleep(100)")
            }
        default:
            try await db.transaction { tx in
                try await tx.insert(number)
                try await Task.sleep(for: .seconds(100))
            }
        }
    }

    @Test func whoeverSharedABatchWithACancelledCallIsServed() async throws {
        try await UnderTest.run { test in
            let db = test.database
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<400 {
                    group.addTask {
                        let call = Task { try await db.first(Int.self, "SELECT \(number)::BIGINT") }
                        if number % 3 == 0 {
                            call.cancel()
                            // It may have been served before.
                            do {
                                let answer = try await call.value
                                #expect(answer == number)
                            } catch is CancellationError {}
                        } else {
                            #expect(try await call.value == number)
                        }
                    }
                }
                try await group.waitForAll()
            }
            try await test.comesToRest()
        }
    }
}
