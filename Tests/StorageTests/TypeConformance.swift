import Foundation
import MartletCore
import MartletStorage
import Testing

/// What every engine must do alike. Each suite named `DatabaseConformance…` runs on all of ``DatabaseEngine/all``.
@Suite("DatabaseConformance: types")
struct DatabaseConformanceTypes {
    private static let table = SQL(
        sqlite: "CREATE TABLE thing (b INTEGER, i INTEGER, d REAL, t TEXT, x BLOB, u TEXT, m INTEGER)",
        postgres: "CREATE TABLE thing (b boolean, i bigint, d double precision, t text, x bytea, u uuid, m timestamptz)")

    struct Thing: Codable, Sendable, Equatable {
        var b: Bool?
        var i: Int64?
        var d: Double?
        var t: String?
        var x: [UInt8]?
        var u: UUID?
        var m: Date?
    }

    private func roundTrip(_ thing: Thing, on engine: DatabaseEngine) async throws {
        try await engine.withDatabase { db in
            try await db.run(try Self.table.text(for: db.dialect))
            try await db.change(
                """
                INSERT INTO thing (b, i, d, t, x, u, m)
                VALUES (\(thing.b), \(thing.i), \(thing.d), \(thing.t), \(thing.x), \(thing.u), \(thing.m))
                """)
            #expect(try await db.first(Thing.self, "SELECT b, i, d, t, x, u, m FROM thing") == thing)
            #expect(try await db.transaction { try await $0.all(Thing.self, "SELECT m, u, x, t, d, i, b FROM thing") } == [thing])
        }
    }

    @Test(arguments: DatabaseEngine.all)
    func nullIsReadAsNil(engine: DatabaseEngine) async throws {
        try await roundTrip(Thing(), on: engine)
    }

    @Test(arguments: DatabaseEngine.all)
    func theGreatestValuesReturnUnchanged(engine: DatabaseEngine) async throws {
        let latest = Date(timeIntervalSince1970: 253_402_300_799)
        try await roundTrip(
            Thing(
                b: true, i: .max, d: .greatestFiniteMagnitude, t: String(repeating: "é", count: 100_000), x: Array(0...255), u: UUID(),
                m: latest),
            on: engine)
    }

    @Test(arguments: DatabaseEngine.all)
    func theLeastValuesReturnUnchanged(engine: DatabaseEngine) async throws {
        let earliest = Date(timeIntervalSince1970: -62_135_596_800)
        let zero = try #require(UUID(uuidString: "00000000-0000-0000-0000-000000000000"))
        try await roundTrip(Thing(b: false, i: .min, d: -.leastNonzeroMagnitude, t: "", x: [], u: zero, m: earliest), on: engine)
    }

    @Test(arguments: DatabaseEngine.all)
    func anyTextReturnsUnchanged(engine: DatabaseEngine) async throws {
        for text in ["Ünï¢ødé", "日本語", "👩‍👩‍👧‍👦", "e\u{301}", "\u{FEFF}bom", "a\nb\tc\"'\\%_?$1", "\u{10FFFF}"] {
            try await roundTrip(Thing(t: text), on: engine)
        }
    }

    @Test(arguments: DatabaseEngine.all)
    func timesAreKeptToTheMillisecond(engine: DatabaseEngine) async throws {
        try await engine.withDatabase { db in
            let stored = try await db.first(Date.self, "SELECT \(Date(timeIntervalSince1970: 1_700_000_000.123_9))")
            #expect(stored == Date(timeIntervalSince1970: 1_700_000_000.123))
        }
    }

    @Test(arguments: DatabaseEngine.all)
    func whatCannotBeStoredIsRefusedAsInvalid(engine: DatabaseEngine) async throws {
        try await engine.withDatabase { db in
            let refused: [(SQL, String)] = [
                ("SELECT \("a\u{0}b")", "nul_character"), ("SELECT \(Double.nan)", "not_a_number"),
                ("SELECT \(Date(timeIntervalSince1970: 1e300))", "out_of_range"),
                ("SELECT \(Date(timeIntervalSince1970: -.infinity))", "out_of_range"),
            ]
            for (sql, code) in refused {
                let failure = await #expect(throws: Failure.self) { try await db.change(sql) }
                #expect(failure?.kind == .invalid && failure?.faults.map(\.code) == [code])
                _ = await #expect(throws: Failure.self) { try await db.transaction { _ = try await $0.first(Int.self, sql) } }
            }
        }
    }

    @Test(arguments: DatabaseEngine.all)
    func theNamedPartsWork(engine: DatabaseEngine) async throws {
        try await engine.withDatabase { db in
            let now = try #require(try await db.first(Date.self, "SELECT \(SQL.now)"))
            #expect(abs(now.timeIntervalSinceNow) < 60)
            let tags: SQL = "(SELECT \(json: ["swift", "c++"]))"
            #expect(try await db.first(Bool.self, "SELECT \(SQL.jsonArray(tags, contains: "c++"))") == true)
            #expect(try await db.first(Bool.self, "SELECT \(SQL.jsonArray(tags, contains: "c"))") == false)
            let names: SQL = "(SELECT \(["swift", "c++"]))"
            #expect(try await db.first(Bool.self, "SELECT \(SQL.texts(names, contain: "c++"))") == true)
            #expect(try await db.first(Bool.self, "SELECT \(SQL.texts(names, contain: "c"))") == false)
            #expect(try await db.first(Bool.self, "SELECT \(SQL.equalIgnoringCase("'Ada'", "aDA"))") == true)
            #expect(try await db.first(Bool.self, "SELECT \(SQL.equalIgnoringCase("'Ada'", "Adam"))") == false)
            #expect(try await db.first(Bool.self, "SELECT \(SQL.startsIgnoringCase("'Ada_%\\x'", with: "aDA_%\\"))") == true)
            for pattern in ["d", "A%", "A__", "ada_%\\x\\", "%"] {
                #expect(
                    try await db.first(Bool.self, "SELECT \(SQL.startsIgnoringCase("'Ada_%\\x'", with: pattern))") == false, "\(pattern)")
            }
            #expect(try await db.first(Int.self, "SELECT 1 WHERE 2 IN \(list: [1, 2])") == 1)
            #expect(try await db.first(Int.self, "SELECT 1 WHERE 2 IN \(list: [Int]())") == nil)
        }
    }
}
