import MartletCore
import MartletStorage

/// A statement ready to be sent: its text with `$1`, `$2`, …, and its values in the forms of the wire.
struct Statement: Sendable {
    let text: String
    let parameters: PostgresParameters
    /// Whether it is worth preparing.
    let isPrepared: Bool
    /// When nobody waits for it any more, and it is not sent.
    let deadline = Deadline.current

    init(_ sql: SQL) throws {
        (text, parameters, isPrepared) = (try sql.text(for: .postgres), try PostgresParameters(sql.values), true)
    }

    /// A statement about the session, which servers do not prepare.
    init(session text: String) {
        (self.text, parameters, isPrepared) = (text, .none, false)
    }

    /// The statement's cursor, from which its rows can be fetched.
    init(cursor name: String, for sql: SQL) throws {
        text = "DECLARE \(name) NO SCROLL CURSOR FOR \(try sql.text(for: .postgres))"
        (parameters, isPrepared) = (try PostgresParameters(sql.values), false)
    }

    var key: StatementKey { StatementKey(text: text, types: parameters.oids) }
}

/// What a prepared statement is known by: the same text with parameters of other types is another one.
struct StatementKey: Hashable, Sendable {
    let text: String
    let types: [UInt32]
}

/// What is known of a statement that has run before. Confined to ``Core``.
final class Shape {
    /// How a statement outside a transaction is sent.
    enum Kind { case read, insert, other }

    let number: Int
    let name: String
    let kind: Kind
    /// Whether its last run was so long that nothing should wait behind it.
    var isLong = false
    var layout = ResultLayout(names: [], types: [])

    init(_ key: StatementKey, number: Int) {
        self.number = number
        name = "martlet_\(number)"
        kind = Kind(key.text)
    }
}

extension Shape.Kind {
    /// By its words. They decide only how a statement travels, never whether it is right.
    init(_ text: String) {
        // What stands behind a comment or a parenthesis is not looked for.
        guard text.first(where: { !$0.isWhitespace })?.isLetter == true else {
            self = .other
            return
        }
        let words = Set(text.uppercased().split { !$0.isLetter })
        let writes: Set<Substring> = ["INSERT", "UPDATE", "DELETE", "MERGE"]
        switch text.uppercased().split(maxSplits: 1, whereSeparator: { !$0.isLetter }).first {
        // One that locks rows waits for others to unlock them.
        case "SELECT" where words.isDisjoint(with: ["FOR"]): self = .read
        case "WITH" where words.isDisjoint(with: writes.union(["FOR"])): self = .read
        case "INSERT" where words.isDisjoint(with: ["UPDATE", "WITH"]): self = .insert
        default: self = .other
        }
    }
}

/// A statement on its way. Confined to ``Core``.
final class Job {
    let id: RequestID
    let statement: Statement
    let shape: Shape
    let requestID: String?
    /// The place in the pool's queue, while it is there.
    var ticket: UInt64?
    /// The connection it runs on.
    var connection: ConnectionID?
    /// Whether it failed in company, or made others wait: now it travels alone.
    var isAlone = false
    /// Whether it was sent once more because the server had forgotten its preparation.
    var isRepeated = false
    private var completion: Completion?

    typealias Completion = CheckedContinuation<PostgresResult, any Error>

    init(_ id: RequestID, _ statement: Statement, _ shape: Shape, _ completion: Completion, requestID: String?) {
        (self.id, self.statement, self.shape, self.completion, self.requestID) = (id, statement, shape, completion, requestID)
    }

    /// Whether its caller has its answer already, which may be that it was cancelled.
    var isAnswered: Bool { completion == nil }

    /// The caller's continuation, once.
    func takeCompletion() -> Completion? {
        defer { completion = nil }
        return completion
    }
}

typealias RequestID = UInt64
