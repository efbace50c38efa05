import MartletDataCopy
import MartletStorage
import MartletTestSupport
import Testing

@Suite("Copies")
struct Copies {
    @Test(arguments: EnginePair.all)
    func everyRowArrivesAsItIs(engines: EnginePair) async throws {
        try await engines.with(5000) { source, target in
            let report = try await copy(source, target, batchSize: 1000).run()
            #expect(report.isComplete)
            #expect(report.tables.map(\.name) == ["owner", "thing", "entry", "label"])
            #expect(report.tables.map(\.target.rows) == [250, 5000, 1667, 5000])
            try await expectEqualCounts(source, target)
            #expect(try await StoredTable.disagreements(with: CopyTables.all, target) == [])
            await #expect(throws: SQLFailure.self) { try await target.count("data_copy") }
        }
    }

    @Test(arguments: EnginePair.all)
    func aCopyOfTheCopyIsTheSame(engines: EnginePair) async throws {
        try await engines.with(300) { source, target in
            let there = try await copy(source, target).run()
            try await engines.source.withDatabase { again in
                try await Migrator(again, CopyTables.migrations).apply()
                let back = try await copy(target, again).run()
                #expect(back.tables.map(\.target) == there.tables.map(\.source))
            }
        }
    }

    @Test(arguments: EnginePair.all)
    func whatAnEngineDerivesArises(engines: EnginePair) async throws {
        try await engines.with(200) { source, target in
            _ = try await copy(source, target).run()
            let match = SQL(
                sqlite: "SELECT count(*) FROM thing_search WHERE thing_search MATCH 'plain'",
                postgres: "SELECT count(*) FROM thing WHERE words @@ to_tsquery('simple', 'plain')")
            let plain = try await source.first(Int.self, "SELECT count(*) FROM thing WHERE title LIKE 'plain %'")
            #expect(try await target.first(Int.self, match) == plain)
            #expect(plain != 0)
        }
    }

    @Test(arguments: EnginePair.all)
    func theEngineCountsOnAfterTheGreatestNumber(engines: EnginePair) async throws {
        try await engines.with(30) { source, target in
            _ = try await copy(source, target).run()
            let next = try await target.first(Int.self, "INSERT INTO entry (note) VALUES ('next') RETURNING id")
            #expect(next == 11)
        }
    }

    @Test(arguments: EnginePair.all)
    func aKilledCopyGoesOnWhereItWas(engines: EnginePair) async throws {
        try await engines.with(1000) { source, target in
            var chance = SeededNumbers(seed: 7)
            var kills = 0
            for _ in 0..<60 {
                let fatal = 2 + chance.below(9)
                let dying = InterferedDatabase(target, onTransaction: { if $0 == fatal { throw Killed() } })
                do {
                    let report = try await copy(source, dying).run()
                    #expect(report.isComplete)
                    break
                } catch is Killed {
                    kills += 1
                }
            }
            #expect(kills > 2)
            #expect(await copy(source, target).result() == "target_not_empty")
            try await expectEqualCounts(source, target)
        }
    }

    @Test(arguments: EnginePair.all)
    func theBatchesBeforeAKillAreNotCopiedAgain(engines: EnginePair) async throws {
        try await engines.with(1000) { source, target in
            let dying = InterferedDatabase(target, onTransaction: { if $0 == 10 { throw Killed() } })
            await #expect(throws: Killed.self) { _ = try await copy(source, dying).run() }
            let events = Events()
            _ = try await copy(source, target).run { events.note($0) }
            // Two transactions were for `owner`, seven for batches of `thing`; the tenth died.
            #expect(events.all.first == .copiedTable("owner", rows: 50))
            #expect(
                events.all.first { if case .copied(table: "thing", _) = $0 { true } else { false } } == .copied(table: "thing", rows: 800))
        }
    }

    @Test(arguments: EnginePair.all)
    func aCancelledCopyGoesOnWhereItWas(engines: EnginePair) async throws {
        try await engines.with(500) { source, target in
            let gate = Gate()
            let slow = InterferedDatabase(target, onTransaction: { if $0 == 4 { await gate.wait() } })
            let task = Task { _ = try await copy(source, slow).run() }
            task.cancel()
            await gate.open()
            await #expect(throws: CancellationError.self) { try await task.value }
            let report = try await copy(source, target).run()
            #expect(report.isComplete)
        }
    }
}
