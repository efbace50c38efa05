import MartletCore
import MartletStorage
import MartletTestSupport
import Testing

@testable import MartletPostgres

struct ClosingTests {
    @Test(arguments: [true, false]) func whatRunsEndsAndLaterCallsAreRefused(inTransactions: Bool) async throws {
        try await UnderTest.run(.unshared(50)) { test in
            let db = test.database
            var calls: [Task<Bool?, any Error>] = []
            try await test.whileSomebody("SELECT pg_advisory_xact_lock(72)") {
                calls = (0..<50).map { id in Task { try await Self.call(db, id, inTransactions) } }
                try await test.running("pg_advisory_xact_lock_shared", times: 50)
                let closing = Task { await db.close() }
                try await Self.isClosed(db)
                let transaction = try await unavailable { try await db.transaction { try await $0.insert(99) } }
                #expect(transaction.code == "database_closed")
                #expect(try await test.sessions().count { $0.state == "active" } == 50)
                _ = closing
            }
            for call in calls { #expect(try await call.value == true) }
            await db.close()
            try await eventually { try await test.sessions().isEmpty }
            #expect(try await test.observer.ids == (inTransactions ? Array(0..<50) : []))
            await db.close()
            #expect(db.load.connections == 0)
        }
    }

    @Test func thoseWhoShareAConnectionEndOrAreRefused() async throws {
        try await UnderTest.run { test in
            let db = test.database
            var calls: [Task<Bool?, any Error>] = []
            try await test.whileSomebody("SELECT pg_advisory_xact_lock(72)") {
                calls = (0..<50).map { id in Task { try await Self.call(db, id, false) } }
                try await test.running("pg_advisory_xact_lock_shared")
                Task { await db.close() }
                try await Self.isClosed(db)
            }
            for call in calls {
                do {
                    let answer = try await call.value
                    #expect(answer == true)
                } catch let failure as Failure {
                    #expect(failure.code == "database_closed")
                }
            }
            await db.close()
            try await eventually { try await test.sessions().isEmpty }
        }
    }

    private static func isClosed(_ db: PostgresDatabase) async throws {
        try await eventually {
            do {
                _ = try await db.first(Int.self, "SELECT 1")
                return false
            } catch let failure as Failure {
                return failure.code == "database_closed"
            }
        }
    }

    private static func call(_ db: PostgresDatabase, _ id: Int, _ inTransaction: Bool) async throws -> Bool? {
        let wait: SQL = "SELECT true FROM pg_advisory_xact_lock_shared(72)"
        guard inTransaction else { return try await db.first(Bool.self, wait) }
        return try await db.transaction { tx in
            let answer = try await tx.first(Bool.self, wait)
            try await tx.insert(id)
            return answer
        }
    }
}
