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
