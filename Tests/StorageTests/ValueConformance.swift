import Foundation
import MartletCore
import MartletStorage
import Testing

/// Each kind of value by itself: what is stored comes back, and NULL beside it.
@Suite("DatabaseConformance: values")
struct DatabaseConformanceValues {
    /// Stores the values and NULL, and reads them back.
    private func expectKept<Value: SQLBindable & Decodable & Equatable & Sendable>(
        _ values: [Value], as type: SQL, on engine: DatabaseEngine
    ) async throws {
        try await engine.withDatabase { db in
            try await db.run(sql: "CREATE TABLE kept (id INTEGER PRIMARY KEY, value \(type))")
            for (id, value) in values.enumerated() {
                let returned = try await db.first(Value.self, "INSERT INTO kept (id, value) VALUES (\(id), \(value)) RETURNING value")
                #expect(returned == value)
            }
            try await db.change("INSERT INTO kept (id, value) VALUES (\(values.count), \(Value?.none))")
            let read = try await db.all(Value?.self, "SELECT value FROM kept ORDER BY id")
            #expect(read == values + [nil])
            let inside = try await db.transaction { try await $0.all(Value?.self, "SELECT value FROM kept ORDER BY id") }
            #expect(inside == values + [nil])
        }
    }

    static let texts = [
        "", " ", "a", "Ünï¢ødé", "日本語", "👩‍👩‍👧‍👦", "é", "e\u{301}", "\u{FEFF}bom", "\u{10FFFF}", "\u{1}\u{7F}", "a\nb\r\tc", "\"",
        "'", "\\",
        "\\N", "\\x00",
        "\\u0000", "a,b", "{a,b}", "}{", "NULL", "null", "[1]", "%_?$1", "'; DROP TABLE kept; --", String(repeating: "é", count: 100_000),
    ]

    @Test(arguments: DatabaseEngine.all)
    func booleans(engine: DatabaseEngine) async throws {
        try await expectKept([true, false], as: SQL(sqlite: "INTEGER", postgres: "boolean"), on: engine)
    }

    @Test(arguments: DatabaseEngine.all)
    func integers(engine: DatabaseEngine) async throws {
        let powers = (0..<63).flatMap { [Int64(1) << $0, -(Int64(1) << $0)] }
        try await expectKept([0, .max, .min, .max - 1] + powers, as: "BIGINT", on: engine)
    }

    @Test(arguments: DatabaseEngine.all)
    func numbers(engine: DatabaseEngine) async throws {
        let numbers = [
            0, 1, -1, 0.1, 1 / 3, .pi, 1e15 + 0.3, .greatestFiniteMagnitude, -.greatestFiniteMagnitude, .leastNonzeroMagnitude,
            .leastNormalMagnitude, .infinity, -.infinity,
        ]
        try await expectKept(numbers, as: "DOUBLE PRECISION", on: engine)
    }

    @Test(arguments: DatabaseEngine.all)
    func texts(engine: DatabaseEngine) async throws {
        try await expectKept(Self.texts, as: "TEXT", on: engine)
    }

    @Test(arguments: DatabaseEngine.all)
    func bytes(engine: DatabaseEngine) async throws {
        let megabyte = (0..<1_000_000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        try await expectKept(
            [[], [0], Array(0...255), Array("\\x00".utf8), megabyte], as: SQL(sqlite: "BLOB", postgres: "bytea"), on: engine)
    }

    @Test(arguments: DatabaseEngine.all)
    func identifiers(engine: DatabaseEngine) async throws {
        let zero = try #require(UUID(uuidString: "00000000-0000-0000-0000-000000000000"))
        let greatest = try #require(UUID(uuidString: "FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF"))
        try await expectKept([zero, greatest] + (0..<20).map { _ in UUID() }, as: SQL(sqlite: "TEXT", postgres: "uuid"), on: engine)
    }

    @Test(arguments: DatabaseEngine.all)
    func times(engine: DatabaseEngine) async throws {
        let milliseconds: [Int64] = [
            0, 1, -1, 999, -999, 1_700_000_000_123, 951_782_400_000, -62_135_596_800_000, 253_402_300_799_999, 946_684_799_999,
            946_684_800_000,
        ]
        let times = milliseconds.compactMap { SQLValue.moment(milliseconds: $0) }
        #expect(times.count == milliseconds.count)
        try await expectKept(times, as: SQL(sqlite: "INTEGER", postgres: "timestamptz"), on: engine)
    }

    // MARK: Decimals

    private static let decimalType = SQL(sqlite: "TEXT", postgres: "numeric")

    static let decimals = [
        "0", "1", "-1", "0.1", "-0.1", "12.5", "100", "-1000000", "10000", "9999", "10001", "0.0001", "0.00010001", "1234567890.0123456789",
        "99999999999999999999999999999999999999", "-99999999999999999999999999999999999999", "0.00000000000000000001",
        "123456789012345678.01234567890123456789", "-999999999999999999.99999999999999999999", "0.99999999999999999999999999999999999999",
        "9007199254740993", "0.30000000000000004", "100000000000000000000000000000000000000000000000000",
    ]

    @Test(arguments: DatabaseEngine.all)
    func decimalsAreExact(engine: DatabaseEngine) async throws {
        let decimals = try Self.decimals.map { text in try #require(SQLValue.decimal(text)) }
        #expect(decimals.map(SQLValue.text(of:)) == Self.decimals)
        try await expectKept(decimals, as: Self.decimalType, on: engine)
    }

    @Test(arguments: DatabaseEngine.all)
    func randomDecimalsAreExact(engine: DatabaseEngine) async throws {
        let decimals = (0..<300).map { _ in
            let digits = (0..<Int.random(in: 1...38)).map { _ in String(Int.random(in: 0...9)) }.joined()
            let number = SQLValue.decimal(digits) ?? .nan
            return Decimal(sign: Bool.random() ? .plus : .minus, exponent: -Int.random(in: 0...38), significand: number)
        }
        try await expectKept(decimals, as: Self.decimalType, on: engine)
    }

    @Test(arguments: DatabaseEngine.all)
    func aDecimalIsReadFromIntegersButNeverFromFloatingPoint(engine: DatabaseEngine) async throws {
        try await engine.withDatabase { (db) async throws in
            #expect(try await db.first(Decimal.self, "SELECT CAST(7 AS BIGINT)") == 7)
            #expect(
                try await db.first(Decimal.self, "SELECT \(SQL(sqlite: "'1.5'", postgres: "1.50::numeric"))") == SQLValue.decimal("1.5"))
            let mismatch = await #expect(throws: RowMismatch.self) {
                _ = try await db.first(Decimal.self, "SELECT CAST(1.5 AS DOUBLE PRECISION)")
            }
            #expect(mismatch?.reason.contains("a number") == true)
        }
    }

    @Test(
        arguments: DatabaseEngine.all,
        [
            String(repeating: "123456789", count: 7), "0." + String(repeating: "123456789", count: 5), "NaN",
            "1" + String(repeating: "0", count: 170),
            "0." + String(repeating: "0", count: 128) + "1",
        ])
    func aNumberThatNoDecimalHoldsIsAMismatch(engine: DatabaseEngine, text: String) async throws {
        try await engine.withDatabase { (db) async throws in
            let sql: SQL = "SELECT CAST('\(unsafeRaw: text)' AS \(Self.decimalType)) AS amount"
            struct Row: Decodable, Sendable { let amount: Decimal }
            let mismatch = await #expect(throws: RowMismatch.self) { _ = try await db.first(Row.self, sql) }
            #expect(mismatch?.column == "amount")
            // The statement went well, and so does the next.
            try await db.check()
        }
    }

    @Test(arguments: DatabaseEngine.all)
    func aSumOfIntegersIsReadAsAnInteger(engine: DatabaseEngine) async throws {
        try await engine.withDatabase { (db) async throws in
            #expect(try await db.first(Int.self, "SELECT sum(n) FROM (SELECT CAST(3 AS BIGINT) AS n UNION ALL SELECT 4) AS numbers") == 7)
        }
    }

    // MARK: Arrays and JSON

    @Test(arguments: DatabaseEngine.all)
    func arraysOfTexts(engine: DatabaseEngine) async throws {
        let many = (0..<10_000).map { "element \($0)" }
        let arrays = [[], [""], ["", ""], ["a"], Self.texts, many] + Self.texts.map { [$0] } + Self.texts.map { ["x", $0, "y"] }
        try await expectKept(arrays, as: SQL(sqlite: "TEXT", postgres: "text[]"), on: engine)
    }

    struct Document: Codable, Sendable, Equatable {
        var title: String
        var at: Date
        var amount: Decimal
        var tags: [String]
        var inner: [String: Int]
        var note: String?
    }

    private func withDocuments(_ engine: DatabaseEngine, _ body: @Sendable (any Database) async throws -> Void) async throws {
        try await engine.withDatabase { db in
            let json = SQL(sqlite: "TEXT", postgres: "jsonb")
            try await db.run(sql: "CREATE TABLE page (id INTEGER PRIMARY KEY, document \(json), tags \(json))")
            try await body(db)
        }
    }

    struct Page: Decodable, Sendable, Equatable {
        var document: Document?
        var tags: [String]?
    }

    @Test(arguments: DatabaseEngine.all)
    func structuredValuesAreKeptAsJSON(engine: DatabaseEngine) async throws {
        try await withDocuments(engine) { db in
            let amount = try #require(SQLValue.decimal("123456789012345678.01234567890123456789"))
            for (id, text) in Self.texts.enumerated() {
                let document = Document(
                    title: text, at: Date(timeIntervalSince1970: 1.5), amount: amount, tags: [text, text], inner: [text: 1], note: nil)
                let page = Page(document: document, tags: [text, "b"])
                try await db.change("INSERT INTO page (id, document, tags) VALUES (\(id), \(json: document), \(json: page.tags))")
                #expect(try await db.first(Page.self, "SELECT document, tags FROM page WHERE id = \(id)") == page)
                #expect(try await db.first([String].self, "SELECT tags FROM page WHERE id = \(id)") == page.tags)
            }
        }
    }

    @Test(arguments: DatabaseEngine.all)
    func absentDocumentsAreNull(engine: DatabaseEngine) async throws {
        try await withDocuments(engine) { db in
            let none: Document? = nil
            try await db.change("INSERT INTO page (id, document, tags) VALUES (1, \(json: none), \(json: [String]?.none))")
            #expect(try await db.first(Page.self, "SELECT document, tags FROM page WHERE document IS NULL AND tags IS NULL") == Page())
        }
    }

    @Test(arguments: DatabaseEngine.all)
    func aJSONDocumentIsReadAsText(engine: DatabaseEngine) async throws {
        try await withDocuments(engine) { db in
            try await db.change("INSERT INTO page (id, document) VALUES (1, \(SQLValue.json(#"["a"]"#)))")
            #expect(try await db.first(String.self, "SELECT document FROM page") == #"["a"]"#)
        }
    }

    @Test(arguments: DatabaseEngine.all)
    func anArrayOfATypeThatIsATextIsReadToo(engine: DatabaseEngine) async throws {
        enum Colour: String, Codable, Sendable { case red, green }
        try await engine.withDatabase { (db) async throws in
            try await db.run(sql: "CREATE TABLE paint (colours \(SQL(sqlite: "TEXT", postgres: "text[]")))")
            try await db.change("INSERT INTO paint (colours) VALUES (\(["red", "green"]))")
            #expect(try await db.first([Colour].self, "SELECT colours FROM paint") == [.red, .green])
            #expect(try await db.first(Set<String>.self, "SELECT colours FROM paint") == ["red", "green"])
            await #expect(throws: RowMismatch.self) { _ = try await db.first([Int].self, "SELECT colours FROM paint") }
        }
    }

    // MARK: What cannot be stored

    @Test(arguments: DatabaseEngine.all)
    func whatNotEveryEngineCanStoreIsRefusedByAll(engine: DatabaseEngine) async throws {
        let refused: [(SQLValue, String)] = [
            (.text("a\u{0}"), "nul_character"), (.texts(["a", "\u{0}b"]), "nul_character"), (.json("\"\u{0}\""), "nul_character"),
            (.json(#"{"a\u0000":1}"#), "nul_character"), (.json(#"["\\\u0000"]"#), "nul_character"), (.decimal(.nan), "not_a_number"),
            (.double(.nan), "not_a_number"), (.timestamp(.distantPast.addingTimeInterval(-1e12)), "out_of_range"),
        ]
        try await engine.withDatabase { db in
            for (value, code) in refused {
                let failure = await #expect(throws: Failure.self) { try await db.change("SELECT \(value)") }
                #expect(failure?.kind == .invalid && failure?.faults.map(\.code) == [code])
            }
            let document = await #expect(throws: Failure.self) { try await db.change("SELECT \(json: ["\u{0}"])") }
            #expect(document?.faults.map(\.code) == ["nul_character"])
            _ = try await db.first(String.self, "SELECT \(json: ["\\u0000", "\\\\u0000"])")
        }
    }
}
