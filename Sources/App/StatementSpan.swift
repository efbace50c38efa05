import MartletStorage
import MartletTelemetry
import Synchronization
import Tracing

/// A statement in the words of https://opentelemetry.io/docs/specs/semconv/database/database-spans/
struct StatementSpan: SpanDetail {
    /// Which engine runs it.
    enum System: String, Sendable {
        case sqlite, postgresql

        init(_ dialect: SQLDialect) { self = dialect == .sqlite ? .sqlite : .postgresql }

        var dialect: SQLDialect { self == .sqlite ? .sqlite : .postgres }
        var value: SpanValue { SpanValue("db.system.name", rawValue) }
    }

    private let statement: SQL
    private let system: System
    /// Longer texts are cut.
    private static let longest = 4_096

    /// Its values are forgotten here.
    init(_ sql: SQL, _ system: System) { (statement, self.system) = (sql.withoutValues, system) }

    var kind: SpanKind { .client }

    func describe() -> SpanDescription {
        // A statement that cannot be written was not run.
        let text = (try? statement.text(for: system.dialect)) ?? ""
        let summary = StatementSummary(text)
        return SpanDescription(
            summary.name,
            [
                system.value, summary.operation.map { SpanValue("db.operation.name", $0) },
                summary.table.map { SpanValue("db.collection.name", $0) }, SpanValue("db.query.text", String(text.prefix(Self.longest))),
            ])
    }
}

/// A transaction, or a part of one that may fail.
struct TransactionSpan: SpanDetail {
    let name: String
    let system: StatementSpan.System
    /// When its body began, each time: until then it waited for a connection, or for its turn.
    let beginnings: [ContinuousClock.Instant]

    var kind: SpanKind { .client }

    func describe() -> SpanDescription {
        SpanDescription(name, [system.value], events: beginnings.map { SpanMoment("begun", at: $0) })
    }
}

/// Notes when a transaction's body begins, which it may several times.
final class TransactionBeginnings: Sendable {
    private let moments = Mutex<[ContinuousClock.Instant]>([])
    private static let most = 16

    var all: [ContinuousClock.Instant] { moments.withLock { $0 } }

    func note() { moments.withLock { if $0.count < Self.most { $0.append(.now) } } }
}

/// What a statement does and to which table, as far as its words tell: `SELECT bookmark`. They are the program's own.
struct StatementSummary: Equatable {
    let operation: String?
    let table: String?

    var name: String { operation.map { [$0, table].compactMap { $0 }.joined(separator: " ") } ?? "SQL" }

    private static let operations: Set<String> = ["SELECT", "INSERT", "UPDATE", "DELETE"]

    init(_ text: String) {
        let words = Self.words(of: text)
        guard let first = words.first else {
            (operation, table) = (nil, nil)
            return
        }
        // Of what is named before, only what is done with it in the end counts.
        let verbs = first.word.uppercased() == "WITH" ? words[...] : words.prefix(1)
        guard let start = verbs.firstIndex(where: { $0.depth == 0 && Self.operations.contains($0.word.uppercased()) }) else {
            (operation, table) = (nil, nil)
            return
        }
        operation = words[start].word.uppercased()
        table = Self.table(in: words[start...].filter { $0.depth == 0 }.map(\.word))
    }

    private static func table(in words: [Substring]) -> String? {
        let before: Set<String> = words.first?.uppercased() == "UPDATE" ? ["UPDATE"] : ["FROM", "INTO"]
        guard let place = words.firstIndex(where: { before.contains($0.uppercased()) }), place + 1 < words.count else { return nil }
        let name = words[place + 1]
        let isName = name.utf8.allSatisfy { (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == UInt8(ascii: "_") }
        return isName && !name.isEmpty ? String(name) : nil
    }

    /// The words, and how many parentheses each is within.
    private static func words(of text: String) -> [(word: Substring, depth: Int)] {
        var (words, depth, start): ([(Substring, Int)], Int, String.Index?) = ([], 0, nil)
        for index in text.utf8.indices {
            let byte = text.utf8[index]
            if isPart(byte) {
                start = start ?? index
                continue
            }
            if let begun = start { words.append((text[begun..<index], depth)) }
            start = nil
            if byte == UInt8(ascii: "(") { depth += 1 } else if byte == UInt8(ascii: ")") { depth -= 1 }
        }
        if let start { words.append((text[start...], depth)) }
        return words
    }

    private static func isPart(_ byte: UInt8) -> Bool {
        (0x61...0x7A).contains(byte | 0x20) || (0x30...0x39).contains(byte) || byte == UInt8(ascii: "_")
    }
}
