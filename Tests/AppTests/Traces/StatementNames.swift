import Testing

@testable import MartletApp

@Suite("Names of statements")
struct NamesOfStatements {
    @Test(arguments: [
        ("SELECT id FROM bookmark WHERE id = ?", "SELECT bookmark"), ("select 1", "SELECT"),
        ("INSERT INTO job (id) VALUES (?)", "INSERT job"),
        ("UPDATE job SET state = ?", "UPDATE job"), ("DELETE FROM outbox WHERE id < $1", "DELETE outbox"),
        ("SELECT (SELECT count(*) FROM tag) FROM bookmark", "SELECT bookmark"),
        ("WITH due AS MATERIALIZED (SELECT id FROM job) UPDATE job SET state = 'ready'", "UPDATE job"),
        ("WITH RECURSIVE count(n) AS (SELECT 1) SELECT max(n) FROM count", "SELECT count"), ("SELECT * FROM (SELECT 1)", "SELECT"),
        ("SELECT \"a\" FROM \"Odd\"", "SELECT"), ("PRAGMA foo", "SQL"), ("", "SQL"), ("(", "SQL"), (")) SELECT", "SQL"),
    ])
    func tellVerbAndTable(text: String, name: String) {
        #expect(StatementSummary(text).name == name)
    }
}
