import Foundation
import MartletCore
import MartletSQLite
import MartletStorage
import Testing

@Suite("Decoding rows")
struct RowDecoding {
    struct Owner {}
    struct Bookmark: Decodable, Sendable, Equatable {
        let ownerID: Text
        let pageURL: String
        let createdAt: Date
        let isRead: Bool
        let tags: [Text]
        let note: Note?
    }
    struct Text: Codable, Hashable, Sendable {
        let raw: String
        init(_ raw: String) { self.raw = raw }
        init(from decoder: any Decoder) throws {
            raw = try decoder.singleValueContainer().decode(String.self)
            if raw.isEmpty { throw Failure.invalid([]) }
        }
        func encode(to encoder: any Encoder) throws {
            var container = encoder.singleValueContainer()
            try container.encode(raw)
        }
    }
    struct Note: Codable, Sendable, Equatable {
        let text: String
        let at: Date
    }
    enum Colour: String, Codable, Sendable { case red, green }

    private func read<Row: Decodable & Sendable>(_ row: Row.Type, _ sql: SQL) async throws -> Row? {
        let found = Found<Row>()
        try await withSQLite { db, _ in await found.set(try await db.first(row, sql)) }
        return await found.value
    }

    private actor Found<Row: Sendable> {
        private(set) var value: Row?
        func set(_ new: Row?) { value = new }
    }

    @Test func columnsInSnakeCaseFillPropertiesInCamelCaseInAnyOrder() async throws {
        let note = Note(text: "read \"me\"", at: Date(timeIntervalSince1970: 1.5))
        let sql: SQL = """
            SELECT \(json: note) AS note, \(json: ["a", "b \\ c"]) AS tags, 'x' AS unused, 1 AS is_read, 1500 AS created_at,
                'https://martlet.example' AS page_url, 'ada' AS owner_id
            """
        let expected = Bookmark(
            ownerID: Text("ada"), pageURL: "https://martlet.example", createdAt: Date(timeIntervalSince1970: 1.5), isRead: true,
            tags: [Text("a"), Text("b \\ c")], note: note)
        #expect(try await read(Bookmark.self, sql) == expected)
    }

    @Test func aSingleColumnIsReadAsAPlainValue() async throws {
        #expect(try await read(Int.self, "SELECT 7") == 7)
        #expect(try await read(String.self, "SELECT 'a'") == "a")
        #expect(try await read(Colour.self, "SELECT \(Colour.green)") == .green)
        #expect(try await read([String].self, "SELECT '[]'") == [])
        #expect(try await read([String].self, #"SELECT '["a","é"]'"#) == ["a", "é"])
        #expect(try await read([String].self, #"SELECT '["\n", "x" ]'"#) == ["\n", "x"])
        #expect(try await read([Int].self, "SELECT '[1,2]'") == [1, 2])
        #expect(try await read(Int?.self, "SELECT NULL") == .some(nil))
        let id = UUID()
        #expect(try await read(UUID.self, "SELECT \(id)") == id)
        #expect(try await read(String.self, "SELECT \(Identifier<Owner>(id))") == id.uuidString.lowercased())
    }

    struct Count: Decodable, Sendable { let secretCount: Int8 }

    @Test(
        arguments: [
            ("SELECT 128 AS secret_count", "out of range"), ("SELECT -129 AS secret_count", "out of range"),
            ("SELECT 's3cret' AS secret_count", "found text"), ("SELECT NULL AS secret_count", "found NULL"),
            ("SELECT 1.5 AS secret_count", "found a number"), ("SELECT 1 AS other", "no such column"),
        ])
    func aMismatchNamesColumnAndTypeButNeverTheValue(text: String, reason: String) async throws {
        let mismatch = try await #require(throws: RowMismatch.self) { _ = try await read(Count.self, "\(unsafeRaw: text)") }
        #expect("\(mismatch)".contains(reason) && !"\(mismatch)".contains("s3cret"))
        #expect(mismatch.column == "secret_count" || mismatch.column == "secretCount")
    }

    @Test func aValueItsTypeRefusesIsAMismatchWithoutTheValue() async throws {
        struct Row: Decodable, Sendable { let colour: Colour }
        let mismatch = try await #require(throws: RowMismatch.self) { _ = try await read(Row.self, "SELECT 's3cret' AS colour") }
        #expect(mismatch.column == "colour" && !"\(mismatch)".contains("s3cret"))
    }

    /// A row as another engine's driver finds it.
    private final class Row: RowSource {
        let columns: [ColumnName]
        private let values: [SQLValue]

        init(_ row: KeyValuePairs<String, SQLValue>) {
            columns = row.map { ColumnName($0.key) }
            values = row.map(\.value)
        }

        func value(at index: Int) -> SQLValue { values[index] }
        func isNull(at index: Int) -> Bool { values[index] == .null }
    }

    private func decode<Value: Decodable>(_ type: Value.Type, _ value: SQLValue) throws -> Value {
        try RowDecoder(Row(["value": value])).decode(type)
    }

    @Test func valuesOfAnEngineWithMoreTypesAreRead() throws {
        #expect(try decode(Decimal.self, .decimal(1)) == 1)
        #expect(try decode(String.self, .decimal(100)) == "100")
        #expect(try decode(Int.self, .decimal(100)) == 100)
        #expect(try decode(Int64.self, .decimal(Decimal(Int64.min))) == .min)
        #expect(try decode(String.self, .json("{}")) == "{}")
        #expect(try decode([String].self, .json(#"["a", "b"]"#)) == ["a", "b"])
        #expect(try decode([[String: Int]].self, .json(#"[{"a": 1}]"#)) == [["a": 1]])
        #expect(try decode([String].self, .texts(["a,", "b\""])) == ["a,", "b\""])
        #expect(try decode([Text].self, .texts([])) == [])
        #expect(try decode([Colour]?.self, .texts(["red"])) == [.red])
        #expect(try decode(Date.self, .timestamp(Date(timeIntervalSince1970: 1))) == Date(timeIntervalSince1970: 1))
    }

    @Test func aRowOfAllOfThemIsRead() throws {
        struct Order: Decodable, Equatable {
            let total: Decimal
            let discount: Decimal?
            let tags: [String]
            let note: Note?
        }
        let row = Row([
            "note": .json(#"{"text": "a", "at": 1500}"#), "tags": .texts(["a"]), "discount": .null, "total": .decimal(Decimal(7)),
        ])
        let note = Note(text: "a", at: Date(timeIntervalSince1970: 1.5))
        #expect(try RowDecoder(row).decode(Order.self) == Order(total: 7, discount: nil, tags: ["a"], note: note))
    }

    @Test func whatDoesNotFitIsAMismatch() {
        #expect(throws: RowMismatch.self) { try decode(Decimal.self, .double(1)) }
        #expect(throws: RowMismatch.self) { try decode(Decimal.self, .bool(true)) }
        for text in ["1.50", "-0", "01", "1e3", "NaN", ""] {
            #expect(throws: RowMismatch.self) { try decode(Decimal.self, .text(text)) }
        }
        #expect(throws: RowMismatch.self) { try decode(Double.self, .decimal(1)) }
        #expect(throws: RowMismatch.self) { try decode(Int.self, .decimal(Decimal(sign: .plus, exponent: -1, significand: 15))) }
        #expect(throws: RowMismatch.self) { try decode(Int.self, .decimal(Decimal(sign: .plus, exponent: 30, significand: 1))) }
        #expect(throws: RowMismatch.self) { try decode([Int].self, .texts(["1"])) }
        #expect(throws: RowMismatch.self) { try decode([Text].self, .texts([""])) }
        #expect(throws: RowMismatch.self) { try decode(String.self, .texts(["a"])) }
        #expect(throws: RowMismatch.self) { try decode([String].self, .json("{}")) }
        #expect(throws: RowMismatch.self) { try decode(Int.self, .json("1")) }
    }

    @Test func aMissingColumnIsAMismatchForAnOptionalToo() async throws {
        struct Row: Decodable, Sendable { let title: String? }
        await #expect(throws: RowMismatch.self) { _ = try await read(Row.self, "SELECT 1 AS titel") }
    }

    @Test func storedJSONNestedTooDeeplyIsRefused() async throws {
        struct Tree: Decodable, Sendable { let children: [Tree] }
        func tree(_ depth: Int) -> String { String(repeating: #"{"children":["#, count: depth) + String(repeating: "]}", count: depth) }
        // The outer array is one more level, and each tree has two.
        #expect(try await read([Tree].self, "SELECT \("[" + tree(31) + "]")")?.count == 1)
        for depth in [32, 100_000] {
            let mismatch = try await #require(throws: RowMismatch.self) {
                _ = try await read([Tree].self, "SELECT \("[" + tree(depth) + "]")")
            }
            #expect(mismatch.reason.contains("deep"))
        }
    }
}
