import Foundation
public import MartletAudit
import MartletAuditAPI
import MartletContract
public import MartletCore
import MartletIdentityAPI
public import MartletStorage

/// Takes over accounts from elsewhere, with their password hashes: one JSON object a line.
///
/// ```json
/// {"email": "ada@example.org", "username": "ada", "name": "Ada Lovelace", "password_hash": "$2b$12$…", "created_at": "2024-05-01T08:00:00Z"}
/// ```
/// `name` and `created_at` may be left out. Lines are stored some hundred at a time, each batch in a transaction of its own; of the file no
/// more than a batch is in memory. Safe to repeat, also after it was interrupted: whoever is there already is skipped. A cancelled task ends
/// it between two batches.
public struct UserImport: Sendable {
    /// What became of the lines. Empty ones do not count.
    public struct Report: Sendable, Equatable {
        public var lines = 0
        public var added = 0
        /// There was an account with the e-mail address or the username.
        public var duplicates = 0
        public var refused = 0
    }

    private static let batch = 500
    private let database: any Database
    private let audit: AuditLog
    private let clock: WallClock
    private let isDryRun: Bool

    /// - Parameter isDryRun: Whether every batch is undone. Duplicates are then found among the accounts there are and within a batch, not
    ///   among lines that lie far apart.
    public init(_ database: any Database, audit: AuditLog, clock: WallClock = .system, isDryRun: Bool = false) {
        (self.database, self.audit, self.clock, self.isDryRun) = (database, audit, clock, isDryRun)
    }

    /// Imports what `next` yields, until that is `nil`.
    ///
    /// - Parameters:
    ///   - next: The next bytes of the file, cut anywhere.
    ///   - refuse: Hears of each line that is not imported; the others are.
    public func run(reading next: () async throws -> [UInt8]?, refusing refuse: (RefusedLine) -> Void) async throws -> Report {
        var (reader, report, users) = (LineReader(), Report(), [ImportedUser]())
        var number = 0
        func note(_ line: LineReader.Line) {
            number += 1
            do throws(RefusedLine.Reason) {
                guard let user = try user(on: line) else { return }
                users.append(user)
            } catch {
                report.refused += 1
                refuse(RefusedLine(number: number, faults: error.faults))
            }
            report.lines += 1
        }
        while let piece = try await next() {
            for line in reader.take(piece) {
                note(line)
                if users.count == Self.batch { try await store(&users, &report) }
            }
        }
        if let last = reader.finish() { note(last) }
        try await store(&users, &report)
        return report
    }

    /// `nil` for an empty line.
    private func user(on line: LineReader.Line) throws(RefusedLine.Reason) -> ImportedUser? {
        guard case .whole(let bytes) = line else {
            let message = "A line may have at most \(LineReader.longestLine) bytes."
            throw RefusedLine.Reason([Fault(code: "too_long", message: message)])
        }
        guard bytes.contains(where: { $0 > 0x20 }) else { return nil }
        return try ImportedUser(line: bytes)
    }

    private func store(_ users: inout [ImportedUser], _ report: inout Report) async throws {
        try Task.checkCancellation()
        guard !users.isEmpty else { return }
        let added = try await insert(users)
        report.added += added
        report.duplicates += users.count - added
        users = []
    }

    private func insert(_ users: [ImportedUser]) async throws -> Int {
        do {
            return try await database.transaction(isolation: .readCommitted) { transaction in
                let added = try await transaction.change(Self.insertion(of: users, at: clock.now))
                if isDryRun { throw DryRun(added: added) }
                if added > 0 { try await audit.record(AuditEvent(.accountsImported, after: ["accounts": .number(added)]), in: transaction) }
                return added
            }
        } catch let undone as DryRun {
            return undone.added
        }
    }

    /// Undoes a transaction.
    private struct DryRun: Error {
        let added: Int
    }

    /// Leaves out those who are there already.
    private static func insertion(of users: [ImportedUser], at now: Date) -> SQL {
        let rows = users.map { user -> SQL in
            """
            (\(Identifier<Account>()), \(user.email.raw), \(user.username.raw), \(user.name?.raw), \(user.passwordHash.raw), \
            \(user.createdAt ?? now))
            """
        }
        return """
            INSERT INTO account (id, email, username, name, password_hash, created_at) VALUES \(SQL.joined(rows, by: ", "))
            ON CONFLICT DO NOTHING
            """
    }
}
