import Foundation
import MartletAuditAPI
import MartletContract

/// The log as a file, read and sent a batch at a time: the receiver's pace is the reader's.
struct AuditFile: Sendable {
    private static let batch = 500
    private let reader: AuditReader
    private let filter: AuditExport
    private let end: Date

    /// - Parameter end: Of what comes later nothing is in it.
    init(_ reader: AuditReader, _ filter: AuditExport, until end: Date) {
        (self.reader, self.filter, self.end) = (reader, filter, end)
    }

    var document: Document {
        let source = Source(reader: reader, filter: filter, end: end)
        let format = filter.format ?? .csv
        return Document(
            contentType: format == .csv ? "text/csv; charset=utf-8; header=present" : "application/jsonl",
            fileName: "audit.\(format.rawValue)", pieces: AsyncThrowingStream { try await source.next() })
    }

    private actor Source {
        private let reader: AuditReader
        private let filter: AuditExport
        private let end: Date
        private var last: AuditEntry?
        private var hasBegun = false
        private var isDone = false

        init(reader: AuditReader, filter: AuditExport, end: Date) {
            (self.reader, self.filter, self.end) = (reader, filter, end)
        }

        /// The next piece; `nil` after the last one.
        func next() async throws -> [UInt8]? {
            if !hasBegun, filter.format != .jsonl {
                hasBegun = true
                return AuditCSV.header
            }
            guard !isDone else { return nil }
            let entries = try await reader.next(filter, after: last, until: end, limit: AuditFile.batch)
            (last, isDone) = (entries.last, entries.count < AuditFile.batch)
            return try entries.flatMap { filter.format == .jsonl ? try WireJSON.encode($0) + [0x0A] : try AuditCSV.line($0) }
        }
    }
}

/// Rows of comma-separated values (RFC 4180), every one in quotes.
///
/// A spreadsheet takes a cell that begins with `=`, `+`, `-`, `@`, a tab or a line break for a formula, quoted or not: an apostrophe stands
/// before those (OWASP, CSV injection).
enum AuditCSV {
    static let header = line([
        "id", "organisation", "sequence", "occurred_at", "actor_kind", "actor_id", "action", "target_kind", "target_id", "outcome",
        "request_id", "address", "before", "after", "hash",
    ])

    static func line(_ entry: AuditEntry) throws -> [UInt8] {
        line([
            "\(entry.id)", entry.organisation.map { "\($0)" }, "\(entry.sequence)", Timestamp.text(entry.occurredAt),
            entry.actor.kind.rawValue, entry.actor.id.map { "\($0)" }, entry.action, entry.target?.kind, entry.target?.id,
            entry.outcome.rawValue, entry.requestId, entry.address, try text(entry.before), try text(entry.after), entry.hash,
        ])
    }

    private static func text(_ facts: JSON?) throws -> String? {
        try facts.map { String(decoding: try WireJSON.encode($0), as: UTF8.self) }
    }

    private static func line(_ cells: [String?]) -> [UInt8] {
        Array(cells.map { cell($0 ?? "") }.joined(separator: ",").utf8) + [0x0D, 0x0A]
    }

    static func cell(_ text: String) -> String {
        // By scalars: a line break of two of them is one character to Swift, and yet begins with the first.
        let isFormula = text.unicodeScalars.first.map { "=+-@\t\r\n".unicodeScalars.contains($0) } == true
        return "\"\(isFormula ? "'" : "")\(text.replacing("\"", with: "\"\""))\""
    }
}
