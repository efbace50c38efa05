import Foundation
import MartletDataCopy
import MartletStorage
import MartletTestSupport
import Synchronization
import Testing

@Suite("Copies of data in use")
struct CopiesOfDataInUse {
    @Test(arguments: EnginePair.all)
    func whatChangesDuringTheCopyArrives(engines: EnginePair) async throws {
        try await engines.with(1000) { source, target in
            // Before every read something else changes, also behind the place where the copy is.
            let busy = InterferedDatabase(source, onRead: { try await disturb(source, $0) })
            let report = try await copy(busy, target).run()
            #expect(report.isComplete)
            try await expectEqualCounts(source, target)
            let renamed: SQL = "SELECT count(*) FROM thing WHERE title = 'renamed'"
            let expected = try await source.first(Int.self, renamed)
            #expect(try await target.first(Int.self, renamed) == expected)
            #expect(expected != 0)
        }
    }

    /// New owners with things, things renamed, owners deleted with all they have, and e-mail addresses exchanged.
    private func disturb(_ source: any Database, _ number: Int) async throws {
        var chance = SeededNumbers(seed: UInt64(number) &+ 1000)
        let (owner, thing) = (chance.uuid(), CopiedThing(&chance))
        let place = chance.uuid()
        try await source.transaction { transaction in
            try await transaction.change(
                "INSERT INTO owner VALUES (\(owner), \("new\(number)@example.org"), \(Date(timeIntervalSince1970: 5)))")
            try await transaction.change(thing.insertion(owner: owner))
            try await transaction.change(
                "UPDATE thing SET title = 'renamed' WHERE id IN (SELECT id FROM thing WHERE id > \(place) ORDER BY id LIMIT 3)")
            try await transaction.change("DELETE FROM owner WHERE id IN (SELECT id FROM owner WHERE id > \(place) ORDER BY id LIMIT 1)")
        }
        let two = try await source.transaction { try await $0.all(Owner.self, "SELECT id, email FROM owner ORDER BY email LIMIT 2") }
        guard two.count == 2 else { return }
        try await source.transaction { transaction in
            try await transaction.change("UPDATE owner SET email = 'nobody' WHERE id = \(two[0].id)")
            try await transaction.change("UPDATE owner SET email = \(two[0].email) WHERE id = \(two[1].id)")
            try await transaction.change("UPDATE owner SET email = \(two[1].email) WHERE id = \(two[0].id)")
        }
    }

    private struct Owner: Decodable, Sendable {
        let id: UUID
        let email: String
    }

    @Test(arguments: EnginePair.all)
    func exchangedUniqueValuesArriveWithAllThatRefersToThem(engines: EnginePair) async throws {
        try await engines.with(400) { source, target in
            // Copied but not finished: the exchange happens before the passes that catch up.
            let dying = InterferedDatabase(target, onTransaction: { if $0 == 20 { throw Killed() } })
            await #expect(throws: Killed.self) { _ = try await copy(source, dying, batchSize: 30).run() }
            let owners = try await source.all(Owner.self, "SELECT id, email FROM owner ORDER BY id")
            try await source.transaction { transaction in
                for owner in owners { try await transaction.change("UPDATE owner SET email = \("x" + owner.email) WHERE id = \(owner.id)") }
                for (owner, other) in zip(owners, owners.dropFirst() + owners.prefix(1)) {
                    try await transaction.change("UPDATE owner SET email = \(other.email) WHERE id = \(owner.id)")
                }
            }
            let report = try await copy(source, target, batchSize: 30).run()
            #expect(report.isComplete)
            #expect(report.tables.map(\.target.rows) == [20, 400, 134, 400])
        }
    }

    @Test(arguments: EnginePair.all)
    func writesAreHeldForTheLastPassOnly(engines: EnginePair) async throws {
        try await engines.with(100) { source, target in
            let events = Events()
            let arrived = Mutex<Task<Void, any Error>?>(nil)
            let report = try await copy(source, target).run { event in
                events.note(event)
                guard event == .holdingWrites else { return }
                // It waits for the lock, and is written when the copy has let go.
                arrived.withLock {
                    $0 = Task.detached { try await source.change("INSERT INTO owner VALUES (\(UUID()), 'late', \(SQL.now))") }
                }
            }
            try await #require(arrived.withLock { $0 }).value
            #expect(report.isComplete && report.heldWrites > .zero)
            #expect(try await source.count("owner") == 6)
            #expect(try await target.count("owner") == 5)
            #expect(events.all.contains(.heldWrites(report.heldWrites)))
        }
    }

    @Test(arguments: EnginePair.all)
    func aSourceAtRestIsReadOnceMoreAndTheTargetOnce(engines: EnginePair) async throws {
        try await engines.with(1000) { source, target in
            let counting = InterferedDatabase(target)
            _ = try await copy(source, counting).run()
            // The catalogue twice over and the progress aside, only the comparison at the end reads the target: 1 + 11 + 4 + 11 pages.
            #expect(counting.reads < 1 + 11 + 4 + 11 + 8)
        }
    }
}
