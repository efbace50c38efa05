public import MartletCore

/// Why an engine refused a statement. It carries names of the schema, never values.
///
/// Broken constraints are thrown as they are, so that the code beside the statement can answer them:
/// ```swift
/// do { try await db.change("INSERT …") } catch let failure as SQLFailure where failure.kind == .unique { … }
/// ```
/// Outages (see ``Kind/isOutage``) are thrown as `Failure.unavailable` with this as the cause. ``failure`` is the answer for what nobody
/// caught.
public struct SQLFailure: Error, Sendable, Hashable {
    public enum Kind: String, Sendable, CaseIterable {
        case unique, foreignKey, check, notNull
        /// Another writer held the lock for longer than the busy time-out.
        case busy
        case full, ioError, cannotOpen, readOnly
        case corrupt
        /// The statement was stopped: cancelled, or out of time.
        case interrupted
        /// The transaction could not be serialised with the others; running it again may succeed.
        case serialization
        case tooLarge
        /// The statement itself is wrong, or the schema is not what it expects.
        case statement

        /// Whether the engine was away rather than the statement wrong: the same call may succeed later.
        public var isOutage: Bool {
            switch self {
            case .busy, .full, .ioError, .cannotOpen, .readOnly, .corrupt, .serialization, .interrupted: true
            case .unique, .foreignKey, .check, .notNull, .tooLarge, .statement: false
            }
        }
    }

    public var kind: Kind
    /// The engine's own code: `2067` (SQLite's extended result code), `23505` (PostgreSQL's SQLSTATE).
    public var code: String
    /// The constraint or the columns it is about, when the engine says: `bookmark.owner_id, bookmark.url`.
    public var subject: String?
    /// What was being run: the statement with placeholders.
    public var statement: String?

    public init(_ kind: Kind, code: String, subject: String? = nil, statement: String? = nil) {
        (self.kind, self.code, self.subject, self.statement) = (kind, code, subject, statement)
    }
}

extension SQLFailure {
    /// The answer to a caller for a failure that no one answered more precisely; this is its cause.
    public var failure: Failure {
        switch kind {
        case .unique: Failure(.conflict, "already_exists", "This already exists.", cause: self)
        case _ where kind.isOutage: .unavailable("database_unavailable", "The database is not available at the moment.", cause: self)
        default: Failure(.internal, "internal_error", "Internal error.", cause: self)
        }
    }

    /// What drivers throw: the outage as `Failure.unavailable`, anything else as it is.
    public var thrown: any Error { kind.isOutage ? failure : self }
}

extension SQLFailure: CustomStringConvertible {
    /// For logs and operators: the kind, the engine's code, what it is about, and the statement with placeholders.
    public var description: String {
        "\(kind.rawValue) \(code)" + (subject.map { ": \($0)" } ?? "") + (statement.map { " in: \($0)" } ?? "")
    }
}
