// MartletAuditAPI: how the audit log is read. Shared by server, client, documentation and tests.

public import Foundation
public import MartletContract
public import MartletCore

/// Who did what, when and from where: what changed, and what was refused.
public struct AuditAPI: API {
    public static let shared = AuditAPI()
    public static let name = "audit"

    public let list = Endpoint<AuditFilter, Page<AuditEntry>>.get(
        "/api/v1/admin/audit", "List the audit log, newest first",
        details: """
            `action` is a name or the beginning of one: `auth.` finds every `auth.…`. `from` is the first moment, `to` the first one no more.
            """,
        allow: .permission(Self.reading))

    public let export = Endpoint<AuditExport, Document>.download(
        "/api/v1/admin/audit/export", "Take the audit log as a file, oldest first",
        details: """
            `csv` has one header line, and cells that a spreadsheet would take for a formula begin with an apostrophe; `jsonl` \
            (`application/jsonl`) has one entry of the list a line. Sent while it is read, up to what was there when it began.
            """,
        allow: .permission(Self.reading), mediaType: "text/csv")

    /// The permission to read the log.
    public static let reading: Permission = "audit:read"
    public static let permissions = [PermissionGrant.own(reading)]
}

/// One row of the audit log. It is never changed.
public struct AuditEntry: Codable, Sendable, Equatable {
    public var id: Identifier<AuditEntry>
    /// The chain it is in: an organisation's; absent for the instance's own.
    public var organisation: Identifier<AuditChain>?
    /// Its place in the chain, from 1 on without gaps.
    public var sequence: Int
    public var occurredAt: Date
    public var actor: AuditActor
    /// What was done, such as `auth.login_failed`.
    public var action: String
    /// What it was done to.
    public var target: AuditTarget?
    public var outcome: AuditOutcome
    public var requestId: String?
    /// The client's address, as the limits see it.
    public var address: String?
    /// What was before and after; secrets are not in it.
    public var before: JSON?
    public var after: JSON?
    /// SHA-256 over the row and the hash of the one before it, in hexadecimal.
    public var hash: String

    public init(
        id: Identifier<AuditEntry>, organisation: Identifier<AuditChain>?, sequence: Int, occurredAt: Date, actor: AuditActor,
        action: String, target: AuditTarget?, outcome: AuditOutcome, requestId: String?, address: String?, before: JSON?, after: JSON?,
        hash: String
    ) {
        self.id = id
        self.organisation = organisation
        self.sequence = sequence
        self.occurredAt = occurredAt
        self.actor = actor
        self.action = action
        self.target = target
        self.outcome = outcome
        self.requestId = requestId
        self.address = address
        self.before = before
        self.after = after
        self.hash = hash
    }
}

/// The rows of one organisation, each of which names the one before it.
public enum AuditChain {}

/// Who did it.
public struct AuditActor: Codable, Sendable, Hashable {
    /// Stored names are for ever.
    public enum Kind: String, Codable, Sendable, CaseIterable {
        /// Somebody who was signed in, or has just signed in.
        case account
        /// A caller who was not signed in.
        case anonymous
        /// Whoever runs commands on the machine.
        case console
        /// The server by itself.
        case program
    }

    public var kind: Kind
    /// Of an account.
    public var id: Identifier<Account>?

    public init(kind: Kind, id: Identifier<Account>? = nil) { (self.kind, self.id) = (kind, id) }
}

/// What something was done to: `account` and its identifier, `endpoint` and its route.
public struct AuditTarget: Codable, Sendable, Hashable {
    public var kind: String
    public var id: String

    public init(kind: String, id: String) { (self.kind, self.id) = (kind, id) }
}

/// What became of it. Stored names are for ever.
public enum AuditOutcome: String, Codable, Sendable, CaseIterable {
    case succeeded
    /// It was tried, and did not work: a wrong password.
    case failed
    /// It was not allowed.
    case refused
}

/// Which rows.
public protocol AuditConditions: Sendable {
    var actor: Identifier<Account>? { get }
    var action: AuditActionName? { get }
    var targetKind: AuditWord? { get }
    var targetId: AuditWord? { get }
    var organisation: Identifier<AuditChain>? { get }
    var outcome: AuditOutcome? { get }
    var from: Date? { get }
    var to: Date? { get }
}

/// Which rows, a page at a time.
public struct AuditFilter: AuditConditions, Codable {
    public var actor: Identifier<Account>?
    public var action: AuditActionName?
    public var targetKind: AuditWord?
    public var targetId: AuditWord?
    public var organisation: Identifier<AuditChain>?
    public var outcome: AuditOutcome?
    public var from: Date?
    public var to: Date?
    public var cursor: Cursor?
    public var limit: PageLimit?

    public init() {}
}

/// Which rows, and in what form.
public struct AuditExport: AuditConditions, Codable {
    public enum Format: String, Codable, Sendable, CaseIterable { case csv, jsonl }

    /// `csv` unless it is said.
    public var format: Format?
    public var actor: Identifier<Account>?
    public var action: AuditActionName?
    public var targetKind: AuditWord?
    public var targetId: AuditWord?
    public var organisation: Identifier<AuditChain>?
    public var outcome: AuditOutcome?
    public var from: Date?
    public var to: Date?

    public init(format: Format? = nil) { self.format = format }
}

/// The name of an action, or its beginning: lower-case words with dots and underscores.
public struct AuditActionName: Parsed {
    public static let schema = Schema.string(length: 1...100, pattern: "^[a-z0-9_.]{1,100}$", "A name, or how names begin.")
    public static let example = "auth."
    public let raw: String

    public init(_ raw: String) throws(Fault) {
        let isWord: (UInt8) -> Bool = { (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x5F || $0 == 0x2E }
        guard (1...100).contains(raw.utf8.count), raw.utf8.allSatisfy(isWord) else {
            throw Fault(code: "invalid_format", message: "This must be 1 to 100 lower-case letters, digits, dots and underscores.")
        }
        self.raw = raw
    }
}

public enum AuditWordLimits: TextLimits {
    public static let length = 1...200
    public static let example = "account"
}
public typealias AuditWord = Text<AuditWordLimits>
