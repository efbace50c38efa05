import MartletCore
import MartletStorage
import MartletTestSupport
import Testing

@testable import MartletPostgres

/// The server ends sessions.
struct LosingConnectionsTests {
    @Test(arguments: [PostgresSettings.unshared(3), .small]) func oneThatIsIdleIsReplaced(settings: PostgresSettings) async throws {
        try await UnderTest.run(settings) { test in
            for _ in 0..<3 {
                try await test.serves()
                try await test.terminate(test.sessions().map(\.pid))
                try await eventually { test.database.load.connections == 0 }
                try await test.serves()
            }
        }
    }

    @Test(arguments: [true, false]) func whatRanOnItIsUnavailableAndTheNextCallWorks(prepared: Bool) async throws {
        try await UnderTest.run(prepared: prepared) { test in
            let db = test.database
            for statement: SQL in ["SELECT true FROM pg_sleep(100)", "UPDATE item SET name = 'x' WHERE (SELECT true FROM pg_sleep(100))"] {
                try await test.serves()
                try await db.insert(1)
                let call = Task { try await db.change(statement) }
                try await test.running("pg_sleep")
                try await test.terminate(test.sessions().filter { $0.query.contains("pg_sleep") }.map(\.pid))
                let failure = try await unavailable { _ = try await call.value }
                #expect(failure.code == "database_unavailable")
                try await test.serves()
                try await db.change("DELETE FROM item")
            }
            try await test.comesToRest()
        }
    }

    @Test(arguments: [true, false]) func aTransactionIsUnavailableAndUndone(inStatement: Bool) async throws {
        try await UnderTest.run { test in
            let db = test.database
            let (begun, gone) = (Gate(), Gate())
            let call = Task {
                try await db.transaction { tx in
                    try await tx.insert(1)
                    await begun.open()
                    if !inStatement { await gone.wait() }
                    _ = try await tx.first(Bool.self, "SELECT true FROM pg_sleep(\(inStatement ? 100 : 0)::FLOAT8)")
                }
            }
            await begun.wait()
            if inStatement { try await test.running("pg_sleep") }
            // Again and again: a quiet statement makes the pool look by another connection whether the server is there.
            try await eventually {
                let sessions = try await test.sessions()
                try await test.terminate(sessions.map(\.pid))
                return sessions.isEmpty
            }
            await gone.open()
            try await unavailable { try await call.value }
            try await eventually { db.load.connections == 0 }
            #expect(try await db.ids == [])
            try await test.serves()
            try await test.comesToRest()
        }
    }

    @Test func inTheMiddleOfALoadOnlyWhatRanIsUnavailable() async throws {
        try await UnderTest.run { test in
            let db = test.database
            let killer = Task {
                while !Task.isCancelled {
                    if let one = try await test.sessions().randomElement() { try await test.terminate([one.pid]) }
                }
            }
            let kept = await withTaskGroup(of: Int?.self) { group in
                for id in 0..<600 {
                    group.addTask {
                        do {
                            if id % 2 == 0 { try await db.insert(id) } else { try await db.transaction { try await $0.insert(id) } }
                            return id
                        } catch {
                            #expect((error as? Failure)?.kind == .unavailable, "\(error)")
                            return nil
                        }
                    }
                }
                return await group.reduce(into: Set<Int>()) { kept, id in if let id { kept.insert(id) } }
            }
            killer.cancel()
            try? await killer.value
            try await eventually("it serves again") { (try? await db.first(Int.self, "SELECT 1")) == 1 }
            try await eventually { try await test.sessions().allSatisfy { !$0.isBusy } }
            #expect(kept.isSubset(of: try await test.observer.ids), "what was acknowledged is there")
            try await test.comesToRest()
        }
    }
}
