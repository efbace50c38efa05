import Crypto

/// One step of the schema: plain SQL, applied once, never edited afterwards.
///
/// ```swift
/// Migration("bookmarks/0001-bookmark", .same("CREATE TABLE bookmark (id TEXT PRIMARY KEY, …)"))
/// ```
public struct Migration: Sendable {
    /// The script, for all dialects or for each.
    public enum Script: Sendable {
        case same(String)
        case each(sqlite: String, postgres: String)

        public func text(for dialect: SQLDialect) -> String {
            switch (self, dialect) {
            case (.same(let text), _), (.each(let text, _), .sqlite), (.each(_, let text), .postgres): text
            }
        }
    }

    /// Its name for ever: owner, number, subject. Unique in a program.
    public let id: String
    public let script: Script

    public init(_ id: String, _ script: Script) {
        (self.id, self.script) = (id, script)
    }

    public init(_ id: String, sqlite: String, postgres: String) {
        self.init(id, .each(sqlite: sqlite, postgres: postgres))
    }

    /// SHA-256 of the script that `dialect` runs, as 64 hexadecimal digits.
    public func checksum(for dialect: SQLDialect) -> String {
        let digits = Array("0123456789abcdef".utf8)
        let bytes = SHA256.hash(data: Array(script.text(for: dialect).utf8))
        return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }
}
