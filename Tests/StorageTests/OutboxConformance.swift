import Foundation
import MartletCore
import MartletStorage
import Testing

@Suite("DatabaseConformance: outbox")
struct DatabaseConformanceOutbox {
    struct Stop: Error {}

    struct Change: Codable, Sendable, Equatable {
        var name: String
        var moment: Date
        var tags: [String]
        var note: String?
    }

    static let change = Change(
        name: "Zoë \u{1F469}\u{200D}\u{1F680} \"quoted\" \\ \n \u{2028} 漢字 e\u{301}",
        moment: Date(timeIntervalSince1970: 1_700_000_000.123), tags: ["ä", "", "/"])

    @Test(arguments: DatabaseEngine.all)
    func whatWasAppendedIsReadInOrder(engine: DatabaseEngine) async throws {
        try await engine.withOutbox { db in
            for number in 1...5 {
                try await db.transaction { tx in
                    try await Outbox.append("news", key: "a", number, in: tx)
                    try await Outbox.append("news", key: "b", -number, in: tx)
                    try await Outbox.append("weather", key: "a", "rain", in: tx)
                }
            }
            let entries = try await Outbox.entries("news", key: "a", after: 0, limit: 100, in: db)
            #expect(try entries.map { try $0.payload(as: Int.self) } == [1, 2, 3, 4, 5])
            #expect(entries.allSatisfy { $0.topic == "news" && $0.key == "a" })
            #expect(entries.allSatisfy { abs($0.createdAt.timeIntervalSinceNow) < 600 })
            let rest = try await Outbox.entries("news", key: "a", after: entries[1].position, limit: 2, in: db)
            #expect(rest.map(\.position) == entries[2...3].map(\.position))
            #expect(try await Outbox.last("news", key: "a", in: db)?.position == entries[4].position)
            #expect(try await Outbox.last("news", key: "c", in: db) == nil)
            #expect(try await Outbox.entries("news", key: "a", after: entries[4].position, limit: 2, in: db).isEmpty)
        }
    }

    @Test(arguments: DatabaseEngine.all)
    func aPayloadComesBackAsItWas(engine: DatabaseEngine) async throws {
        try await engine.withOutbox { db in
            try await db.transaction { try await Outbox.append("news", key: "ключ", Self.change, in: $0) }
            let entry = try #require(try await Outbox.last("news", key: "ключ", in: db))
            #expect(try entry.payload(as: Change.self) == Self.change)
            #expect(throws: RowMismatch.self) { try entry.payload(as: Int.self) }
        }
    }

    @Test(arguments: DatabaseEngine.all)
    func whatIsUndoneWasNeverAppended(engine: DatabaseEngine) async throws {
        try await engine.withOutbox { (db) async throws in
            await #expect(throws: Stop.self) {
                try await db.transaction { tx in
                    try await Outbox.append("news", key: "a", 1, in: tx)
                    throw Stop()
                }
            }
            #expect(try await Outbox.last("news", key: "a", in: db) == nil)
            let failure = await thrown(Failure.self) {
                try await db.transaction { try await Outbox.append("news", key: "a", "\0", in: $0) }
            }
            #expect(failure?.kind == .invalid)
        }
    }

    @Test(arguments: DatabaseEngine.all)
    func severalAreAppendedInTheirOrderAndWakeTheirReaders(engine: DatabaseEngine) async throws {
        try await engine.withOutbox { db in
            var wakes = db.announcements.stream(of: "news").makeAsyncIterator()
            _ = await wakes.next()
            try await db.transaction { try await Outbox.append("news", [(key: String, payload: Int)](), in: $0) }
            #expect(try await db.count("outbox") == 0)
            try await db.transaction { try await Outbox.append("news", (0..<2500).map { (key: "a", payload: $0) }, in: $0) }
            _ = await wakes.next()
            let entries = try await Outbox.entries("news", key: "a", after: 0, limit: 10_000, in: db)
            #expect(try entries.map { try $0.payload(as: Int.self) } == Array(0..<2500))
        }
    }

    @Test(arguments: DatabaseEngine.all)
    func pruningRemovesTheOldestAndNoPositionComesBack(engine: DatabaseEngine) async throws {
        try await engine.withOutbox { db in
            try await db.transaction { try await Outbox.append("news", (0..<10).map { (key: "a", payload: $0) }, in: $0) }
            let last = try #require(try await Outbox.last("news", key: "a", in: db))
            #expect(try await Outbox.prune(before: Date(timeIntervalSinceNow: -3600), limit: 100, in: db) == 0)
            try await db.change("UPDATE outbox SET created_at = \(Date(timeIntervalSinceNow: -7200)) WHERE position < \(last.position - 2)")
            let moment = Date(timeIntervalSinceNow: -3600)
            #expect(try await Outbox.prune(before: moment, limit: 4, in: db) == 4)
            #expect(try await Outbox.prune(before: moment, limit: 4, in: db) == 3)
            #expect(try await Outbox.prune(before: moment, limit: 4, in: db) == 0)
            #expect(try await db.count("outbox") == 3)
            #expect(try await Outbox.prune(before: Date(timeIntervalSinceNow: 3600), limit: 100, in: db) == 3)
            try await db.transaction { try await Outbox.append("news", key: "a", 10, in: $0) }
            #expect(try #require(try await Outbox.last("news", key: "a", in: db)).position > last.position)
        }
    }

    @Test(arguments: DatabaseEngine.all)
    func theDeclaredTableIsTheOneThatIsMade(engine: DatabaseEngine) async throws {
        try await engine.withOutbox { db in
            let disagreements = try await StoredTable.disagreements(with: Outbox.tables, db)
            #expect(disagreements == [])
        }
    }
}

extension DatabaseEngine {
    func withOutbox(_ body: @Sendable (any Database) async throws -> Void) async throws {
        try await withDatabase { db in
            try await Migrator(db, Outbox.migrations).apply()
            try await body(db)
        }
    }
}
