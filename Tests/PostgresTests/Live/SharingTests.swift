import MartletStorage
import MartletTestSupport
import Testing

@testable import MartletPostgres

/// Statements of many callers share connections, which none of them may notice.
struct SharingTests {
    @Test(arguments: [true, false]) func whatBreaksAConstraintInCompanyFailsAlone(prepared: Bool) async throws {
        try await UnderTest.run(prepared: prepared) { test in
            let db = test.database
            let outcomes = await withTaskGroup(of: (id: Int, kind: SQLFailure.Kind?).self) { group in
                for number in 0..<200 {
                    group.addTask {
                        // Every id of the first fifty comes twice.
                        let id = number % 150
                        do {
                            try await db.insert(id)
                            return (id, nil)
                        } catch {
                            return (id, (error as? SQLFailure)?.kind ?? .statement)
                        }
                    }
                }
                return await group.reduce(into: []) { $0.append($1) }
            }
            #expect(outcomes.filter { $0.kind == nil }.map(\.id).sorted() == Array(0..<150))
            #expect(outcomes.filter { $0.kind == .unique }.map(\.id).sorted() == Array(0..<50))
            #expect(try await db.ids == Array(0..<150))
            try await test.comesToRest()
        }
    }

    @Test(arguments: [true, false]) func aBrokenRuleOfTheCommitFailsAloneToo(prepared: Bool) async throws {
        try await UnderTest.run(prepared: prepared) { test in
            try await test.observer.change("CREATE TABLE later (id BIGINT UNIQUE DEFERRABLE INITIALLY DEFERRED)")
            let db = test.database
            let refused = Count()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<40 {
                    group.addTask {
                        do { try await db.change("INSERT INTO later (id) VALUES (\(number % 30))") } catch let failure as SQLFailure
                            where failure.kind == .unique
                        { refused.add() }
                    }
                }
                try await group.waitForAll()
            }
            #expect(refused.value == 10)
            #expect(try await db.all(Int.self, "SELECT id FROM later ORDER BY id") == Array(0..<30))
            try await test.comesToRest()
        }
    }

    @Test(arguments: [true, false]) func aSlowReadHoldsNobodyUp(prepared: Bool) async throws {
        try await UnderTest.run(.small.with { $0.lockTimeout = .seconds(60) }, prepared: prepared) { test in
            try await test.serves()
            let db = test.database
            let slow = Count()
            try await test.whileSomebody("SELECT pg_advisory_xact_lock(71)") {
                // It comes among others, so that it travels with some of them.
                let waiting = Task {
                    _ = try await db.first(Bool.self, "SELECT true FROM pg_advisory_xact_lock_shared(71)")
                    slow.add()
                }
                let reads = try await Self.reads(db, 100)
                #expect(reads == 100)
                try await test.running("pg_advisory_xact_lock_shared")
                #expect(try await Self.reads(db, 100) == 100)
                #expect(slow.value == 0, "it still waits")
                _ = waiting
            }
            try await eventually { slow.value == 1 }
            try await test.comesToRest()
        }
    }

    @Test(arguments: [true, false]) func anInsertThatWaitsHoldsNobodyUp(prepared: Bool) async throws {
        try await UnderTest.run(.small.with { $0.lockTimeout = .seconds(60) }, prepared: prepared) { test in
            try await test.serves()
            let db = test.database
            let late = Count()
            try await test.whileSomebody("INSERT INTO item (id, name) VALUES (7, 'uncommitted')") {
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for id in 0..<100 where id != 7 { group.addTask { try await db.insert(id) } }
                    Task {
                        await #expect(throws: SQLFailure.self) { try await db.insert(7) }
                        late.add()
                    }
                    try await group.waitForAll()
                }
                #expect(late.value == 0)
                #expect(try await Self.reads(db, 50) == 50)
            }
            try await eventually { late.value == 1 }
            #expect(try await db.ids == Array(0..<100))
            try await test.comesToRest()
        }
    }

    @Test func aReadThatLocksRowsWaitsAlone() async throws {
        try await UnderTest.run(.small.with { $0.lockTimeout = .seconds(60) }) { test in
            let db = test.database
            try await db.insert(1)
            let locked = Count()
            try await test.whileSomebody("UPDATE item SET name = 'changed' WHERE id = 1") {
                Task {
                    let name = try await db.first(String.self, "SELECT name FROM item WHERE id = 1 FOR UPDATE")
                    #expect(name == "changed")
                    locked.add()
                }
                try await test.running("FOR UPDATE")
                #expect(try await Self.reads(db, 100) == 100)
                for id in 2..<20 { try await db.insert(id) }
                #expect(locked.value == 0)
            }
            try await eventually { locked.value == 1 }
            try await test.comesToRest()
        }
    }

    /// A watched statement may last longer than the server is believed to be silent for; looking for it must not use up connections.
    @Test func aLongStatementKeepsNoFurtherConnections() async throws {
        try await UnderTest.run(.unshared(2)) { test in
            let db = test.database
            let long = Task { try await db.first(Bool.self, "SELECT true FROM pg_sleep(3.5)") }
            var most = 0
            try await eventually {
                most = max(most, try await test.sessions().count)
                return try await test.sessions().contains { $0.state == "idle" && $0.query.contains("pg_sleep") }
            }
            #expect(try await long.value == true)
            #expect(most <= 3)
            #expect(db.load.connections <= 2)
            try await eventually { try await test.sessions().count <= 2 }
        }
    }

    private static func reads(_ db: PostgresDatabase, _ count: Int) async throws -> Int {
        try await withThrowingTaskGroup(of: Int?.self) { group in
            for number in 0..<count { group.addTask { try await db.first(Int.self, "SELECT \(number)::BIGINT") } }
            return Set(try await group.reduce(into: []) { $0.append($1) }).count
        }
    }
}
