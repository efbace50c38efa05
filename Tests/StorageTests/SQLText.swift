import MartletCore
import MartletStorage
import Testing

@Suite("SQL text")
struct SQLText {
    private struct Owner {}
    private enum State: String { case open }

    @Test func interpolatedValuesArePlaceholders() throws {
        let sql: SQL = "SELECT * FROM item WHERE a = \(1) AND b = \("x") AND c = \(nil) AND d = \(State.open) AND e = \(true)"
        #expect(try sql.text(for: .sqlite) == "SELECT * FROM item WHERE a = ? AND b = ? AND c = ? AND d = ? AND e = ?")
        #expect(try sql.text(for: .postgres) == "SELECT * FROM item WHERE a = $1 AND b = $2 AND c = $3 AND d = $4 AND e = $5")
        #expect(sql.values == [.int(1), .text("x"), .null, .text("open"), .bool(true)])
    }

    @Test func nestedPartsKeepTheirValuesInPlace() throws {
        let filter: SQL = "b = \(2)\(SQL(sqlite: " /* é */", postgres: ""))"
        let sql: SQL = "SELECT é WHERE a = \(1) AND (\(filter)) AND \(SQL.joined(["c = \(3)", "d IN \(list: ["x", "y"])"], by: " OR "))"
        #expect(try sql.text(for: .postgres) == "SELECT é WHERE a = $1 AND (b = $2) AND c = $3 OR d IN ($4, $5)")
        #expect(try sql.text(for: .sqlite) == "SELECT é WHERE a = ? AND (b = ? /* é */) AND c = ? OR d IN (?, ?)")
        #expect(sql.values == [.int(1), .int(2), .int(3), .text("x"), .text("y")])
    }

    @Test func everyParameterHasItsNumber() throws {
        for count in [1, 9, 10, 11, 99, 100, 1_000, 65_535] {
            let sql: SQL = "SELECT 1 WHERE é IN \(list: Array(1...count)) OR a"
            let expected = "SELECT 1 WHERE é IN (" + (1...count).map { "$\($0)" }.joined(separator: ", ") + ") OR a"
            #expect(try sql.text(for: .postgres) == expected)
        }
    }

    @Test func fragmentsMayBeLongerShorterOrEmpty() throws {
        let (long, none, some) = (String(repeating: "é", count: 50), SQL(sqlite: "", postgres: ""), SQL(sqlite: "aé", postgres: ""))
        let sql: SQL = "\(none)\(SQL(sqlite: "", postgres: long))\(1)\(some)\(2)\(SQL(sqlite: "x", postgres: "日本"))"
        #expect(try sql.text(for: .postgres) == "\(long)$1$2日本")
        #expect(try sql.text(for: .sqlite) == "?aé?x")
        #expect(try ("" as SQL).text(for: .postgres) == "")
        #expect(try ("SELECT é" as SQL).text(for: .postgres) == "SELECT é")
    }

    @Test func arraysAndAbsentDocumentsAreSingleParameters() throws {
        let sql: SQL = "\(["a", "b"]), \(json: ["a"]), \(json: [String]?.none), \([UInt8](1...2)), \([String]?.none)"
        #expect(sql.values == [.texts(["a", "b"]), .json(#"["a"]"#), .null, .bytes([1, 2]), .null])
    }

    @Test func aQuestionMarkInTheTextIsNoPlaceholder() throws {
        let sql: SQL = "SELECT '?' WHERE a = \(1)"
        #expect(try sql.text(for: .postgres) == "SELECT '?' WHERE a = $1")
    }

    @Test func identifiersAreBoundAsUUIDs() {
        let id = Identifier<Owner>()
        let sql: SQL = "\(id), \(Identifier<Owner>?.none)"
        #expect(sql.values == [.uuid(id.uuid), .null])
    }

    @Test func aRefusedValueInANestedPartIsRefused() {
        let part: SQL = "a = \("\u{0}")"
        #expect(throws: Failure.self) { try ("SELECT 1 WHERE \(part)" as SQL).text(for: .sqlite) }
    }
}
