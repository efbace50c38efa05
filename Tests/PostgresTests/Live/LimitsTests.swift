import MartletCore
import MartletStorage
import MartletTestSupport
import Testing

@testable import MartletPostgres

/// Time limits, and transactions that get into each other's way.
struct LimitsTests {
    @Test func aStatementThatTakesTooLongIsStoppedByTheServer() async throws {
        try await UnderTest.run(.small.with { $0.statementTimeout = .seconds(1) }) { test in
            let db = test.database
            let alone = try await unavailable { _ = try await db.first(Bool.self, "SELECT true FROM pg_sleep(100)") }
            #expect(alone.state == "57014" && alone.code == "database_unavailable")
            let inside = try await unavailable {
                try await db.transaction { tx in _ = try await tx.first(Bool.self, "SELECT true FROM pg_sleep(100)") }
            }
            #expect(inside.state == "57014")
            try await test.comesToRest()
            try await test.serves()
        }
    }

    /// The server's own limits are not set behind a proxy.
    @Test func withoutTheServersLimitsTheStatementIsStoppedAsWell() async throws {
        try await UnderTest.run(.small.with { $0.statementTimeout = .seconds(1) }, prepared: false) { test in
            let db = test.database
            try await unavailable { _ = try await db.first(Bool.self, "SELECT true FROM pg_sleep(100)") }
            try await test.comesToRest()
            try await test.serves()
        }
    }

    @Test func aLockIsWaitedForAsLongAsAllowed() async throws {
        try await UnderTest.run(.small.with { $0.lockTimeout = .milliseconds(300) }) { test in
            let db = test.database
            try await db.insert(1)
            try await test.whileSomebody("UPDATE item SET name = 'changed' WHERE id = 1") {
                let alone = try await unavailable { _ = try await db.change("UPDATE item SET name = 'x' WHERE id = 1") }
                #expect(alone.state == "55P03" && alone.code == "database_unavailable")
                let inside = try await unavailable {
                    _ = try await db.transaction { tx in try await tx.change("UPDATE item SET name = 'x' WHERE id = 1") }
                }
                #expect(inside.state == "55P03")
                try await test.comesToRest()
            }
            try await test.serves()
        }
    }

    @Test func aTransactionThatDoesNothingIsEndedByTheServer() async throws {
        try await UnderTest.run(.small.with { $0.idleTransactionTimeout = .seconds(1) }) { test in
            let db = test.database
            let failure = try await unavailable {
                try await db.transaction { tx in
                    try await tx.insert(1)
                    try await eventually { try await test.sessions().isEmpty }
                    try await tx.insert(2)
                }
            }
            #expect(failure.code == "database_unavailable")
            #expect(try await db.ids == [])
            try await test.serves()
            try await test.comesToRest()
        }
    }

    @Test(arguments: [true, false]) func aTransactionThatTakesTooLongIsRolledBack(inStatement: Bool) async throws {
        try await UnderTest.run(.small.with { $0.timeout = .seconds(2) }) { test in
            let db = test.database
            let failure = try await unavailable {
                try await db.transaction { tx in
                    try await tx.insert(1)
                    if inStatement { _ = try await tx.first(Bool.self, "SELECT true FROM pg_sleep(100)") }
                    try await test.comesToRest()
                }
            }
            #expect(failure.code == "transaction_timeout")
            try await test.comesToRest()
            #expect(try await db.ids == [])
            try await test.serves()
        }
    }

    @Test(arguments: Isolation.allCases) func ofTwoWhoBlockEachOtherBothEnd(isolation: Isolation) async throws {
        try await UnderTest.run { test in
            let db = test.database
            for id in 1...2 { try await db.insert(id) }
            let meeting = Meeting(of: 2)
            try await withThrowingTaskGroup(of: Int.self) { (group) async throws in
                for (first, second) in [(1, 2), (2, 1)] {
                    group.addTask {
                        let runs = Count()
                        try await db.transaction(isolation: isolation) { tx in
                            try await tx.change("UPDATE item SET name = name || '+' WHERE id = \(first)")
                            if runs.add() == 1 { await meeting.arrive() }
                            try await tx.change("UPDATE item SET name = name || '+' WHERE id = \(second)")
                        }
                        return runs.value
                    }
                }
                let runs = try await group.reduce(0, +)
                #expect(runs > 2, "one was run again")
            }
            #expect(try await db.all(String.self, "SELECT name FROM item ORDER BY id") == ["item 1++", "item 2++"])
            try await test.comesToRest()
        }
    }

    @Test func oneThatNeverFitsAmongTheOthersIsGivenUp() async throws {
        try await UnderTest.run { test in
            let db = test.database
            try await db.insert(1)
            let runs = Count()
            let failure = try await unavailable {
                try await db.transaction { tx in
                    _ = try await tx.ids
                    let run = runs.add()
                    try await test.observer.change("UPDATE item SET name = \("other \(run)") WHERE id = 1")
                    try await tx.change("UPDATE item SET name = 'mine' WHERE id = 1")
                }
            }
            #expect(failure.state == "40001")
            #expect((2...25).contains(runs.value))
            #expect(try await db.first(String.self, "SELECT name FROM item") == "other \(runs.value)")
            try await test.comesToRest()
        }
    }
}
