import MartletCore
import MartletStorage
import MartletTestSupport
import Testing

@Suite("DatabaseConformance: savepoints and failed statements")
struct DatabaseConformanceSavepoints {
    struct Stop: Error {}

    @Test(arguments: DatabaseEngine.all)
    func aPartThatThrowsIsUndoneAndTheRestIsKept(engine: DatabaseEngine) async throws {
        try await engine.withItems { (db) async throws in
            try await db.transaction { (tx) async throws in
                try await tx.insert(1, "a")
                await #expect(throws: Stop.self) {
                    try await tx.savepoint { part in
                        try await part.insert(2, "b")
                        throw Stop()
                    }
                }
                let seen = try await tx.items
                #expect(seen == [1])
                try await tx.insert(3, "c")
            }
            #expect(try await db.items == [1, 3])
        }
    }

    @Test(arguments: DatabaseEngine.all)
    func aPartThatReturnsIsKeptWithItsResult(engine: DatabaseEngine) async throws {
        try await engine.withItems { db in
            let result = try await db.transaction { tx in
                try await tx.savepoint { part in
                    try await part.insert(1, "a")
                    return try await part.first(String.self, "SELECT name FROM item")
                }
            }
            #expect(result == "a")
            #expect(try await db.items == [1])
        }
    }

    @Test(arguments: DatabaseEngine.all)
    func aPartIsUndoneWithItsTransaction(engine: DatabaseEngine) async throws {
        try await engine.withItems { (db) async throws in
            await #expect(throws: Stop.self) {
                try await db.transaction { tx in
                    try await tx.savepoint { try await $0.insert(1, "a") }
                    throw Stop()
                }
            }
            #expect(try await db.items == [])
        }
    }

    @Test(arguments: DatabaseEngine.all)
    func partsNest(engine: DatabaseEngine) async throws {
        try await engine.withItems { (db) async throws in
            try await db.transaction { (tx) async throws in
                try await tx.savepoint { (outer) async throws in
                    try await outer.insert(1, "kept")
                    await #expect(throws: Stop.self) {
                        try await outer.savepoint { inner in
                            try await inner.insert(2, "undone")
                            throw Stop()
                        }
                    }
                    try await outer.savepoint { try await $0.insert(3, "kept too") }
                }
                await #expect(throws: Stop.self) {
                    try await tx.savepoint { outer in
                        try await outer.savepoint { try await $0.insert(4, "undone with the outer one") }
                        throw Stop()
                    }
                }
            }
            #expect(try await db.items == [1, 3])
        }
    }

    @Test(arguments: DatabaseEngine.all)
    func manyPartsOfOneTransactionFailAlone(engine: DatabaseEngine) async throws {
        try await engine.withItems { (db) async throws in
            try await db.transaction { (tx) async throws in
                for id in 0..<300 {
                    do {
                        try await tx.savepoint { part in
                            try await part.insert(id, "item \(id)")
                            if id % 3 == 1 { throw Stop() }
                            if id % 3 == 2 { try await part.insert(id, "twice") }
                        }
                    } catch is Stop {
                    } catch let failure as SQLFailure where failure.kind == .unique {}
                }
            }
            #expect(try await db.items == Array(stride(from: 0, to: 300, by: 3)))
        }
    }

    @Test(arguments: DatabaseEngine.all)
    func aFailedStatementDoomsItsTransaction(engine: DatabaseEngine) async throws {
        try await engine.withItems { (db) async throws in
            try await db.insert(1, "a")
            let failure = await thrown(SQLFailure.self) {
                try await db.transaction { (tx) async throws in
                    try await tx.insert(2, "b")
                    let own = await #expect(throws: SQLFailure.self) { try await tx.insert(1, "again") }
                    #expect(own?.kind == .unique)
                    for _ in 0..<2 {
                        let write = await #expect(throws: Failure.self) { try await tx.insert(3, "c") }
                        #expect(write?.kind == .internal && write?.code == "transaction_failed")
                        let read = await #expect(throws: Failure.self) { _ = try await tx.items }
                        #expect(read?.code == "transaction_failed")
                        let part = await #expect(throws: Failure.self) { try await tx.savepoint { _ in } }
                        #expect(part?.code == "transaction_failed")
                    }
                }
            }
            // The body returned as if nothing had happened.
            #expect(failure?.kind == .unique)
            #expect(try await db.items == [1])
        }
    }

    @Test(arguments: DatabaseEngine.all)
    func anErrorTheBodyMakesOfAFailureIsThrownAsItIs(engine: DatabaseEngine) async throws {
        try await engine.withItems { (db) async throws in
            let failure = await #expect(throws: Failure.self) {
                try await db.transaction { tx in
                    do { try await tx.insert(1, "") } catch is SQLFailure { throw Failure.conflict("name_empty", "It needs a name.") }
                }
            }
            #expect(failure?.code == "name_empty")
            #expect(try await db.items == [])
        }
    }

    @Test(arguments: DatabaseEngine.all, ["SELEKT 1", "SELECT 1 FROM nowhere", "INSERT INTO item (id, name) VALUES (9, '')"])
    func everyStatementTheEngineRefusesDooms(engine: DatabaseEngine, text: String) async throws {
        try await engine.withItems { (db) async throws in
            _ = await thrown(SQLFailure.self) {
                try await db.transaction { (tx) async throws in
                    try await tx.insert(1, "a")
                    await #expect(throws: SQLFailure.self) { _ = try await tx.first(Int.self, "\(unsafeRaw: text)") }
                    let later = await #expect(throws: Failure.self) { try await tx.insert(2, "b") }
                    #expect(later?.code == "transaction_failed")
                }
            }
            #expect(try await db.items == [])
        }
    }

    @Test(arguments: DatabaseEngine.all)
    func aFailedStatementInAPartDoomsThatPartAlone(engine: DatabaseEngine) async throws {
        try await engine.withItems { (db) async throws in
            try await db.transaction { (tx) async throws in
                try await tx.insert(1, "a")
                let failure = await thrown(SQLFailure.self) {
                    try await tx.savepoint { (part) async throws in
                        try await part.insert(2, "b")
                        await #expect(throws: SQLFailure.self) { try await part.insert(1, "again") }
                        let later = await #expect(throws: Failure.self) { try await part.insert(3, "c") }
                        #expect(later?.code == "transaction_failed")
                    }
                }
                #expect(failure?.kind == .unique)
                try await tx.insert(4, "d")
            }
            #expect(try await db.items == [1, 4])
        }
    }

    @Test(arguments: DatabaseEngine.all)
    func whatTheEngineDidNotRefuseDoomsNothing(engine: DatabaseEngine) async throws {
        try await engine.withItems { (db) async throws in
            try await db.transaction { (tx) async throws in
                try await tx.insert(1, "a")
                let refused = await #expect(throws: Failure.self) { try await tx.insert(2, "\u{0}") }
                #expect(refused?.kind == .invalid)
                await #expect(throws: RowMismatch.self) { _ = try await tx.first(Int.self, "SELECT name FROM item") }
                let missing = await #expect(throws: Failure.self) {
                    try await tx.change("DELETE FROM item WHERE id = 7", else: .notFound("gone", "Gone."))
                }
                #expect(missing?.code == "gone")
                try await tx.insert(3, "c")
            }
            #expect(try await db.items == [1, 3])
        }
    }

    @Test(arguments: DatabaseEngine.all)
    func aPartBegunAfterTheTransactionIsAClearError(engine: DatabaseEngine) async throws {
        try await engine.withItems { (db) async throws in
            let escaped = try await db.transaction { $0 }
            let failure = await #expect(throws: Failure.self) { try await escaped.savepoint { _ in } }
            #expect(failure?.code == "transaction_ended")
        }
    }

    @Test(arguments: DatabaseEngine.all)
    func partsBesideEachOtherAreAMistakeThatKeepsNothing(engine: DatabaseEngine) async throws {
        try await engine.withItems { (db) async throws in
            let (outerBegun, innerBegun, outerEnded) = (Gate(), Gate(), Gate())
            let failure = await #expect(throws: Failure.self) {
                try await db.transaction { (tx) async throws in
                    async let first: Void = tx.savepoint { part in
                        try await part.insert(1, "a")
                        await outerBegun.open()
                        await innerBegun.wait()
                    }
                    async let second: Void = {
                        await outerBegun.wait()
                        try await tx.savepoint { part in
                            try await part.insert(2, "b")
                            await innerBegun.open()
                            await outerEnded.wait()
                        }
                    }()
                    do { try await first } catch is Failure {}
                    await outerEnded.open()
                    do { try await second } catch is Failure {}
                }
            }
            #expect(failure?.code == "savepoint_overlap")
            #expect(try await db.items == [])
        }
    }

    @Test(arguments: DatabaseEngine.all)
    func aCancelledPartIsUndoneWithItsTransaction(engine: DatabaseEngine) async throws {
        try await engine.withItems { (db) async throws in
            let (wrote, cancelled) = (Gate(), Gate())
            let task = Task {
                try await db.transaction { tx in
                    try await tx.insert(1, "a")
                    try await tx.savepoint { part in
                        try await part.insert(2, "b")
                        await wrote.open()
                        await cancelled.wait()
                    }
                }
            }
            await wrote.wait()
            task.cancel()
            await cancelled.open()
            await #expect(throws: CancellationError.self) { try await task.value }
            #expect(try await db.items == [])
            try await db.insert(3, "c")
        }
    }
}
