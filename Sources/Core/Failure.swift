// MartletCore: the words everyone shares. It imports nothing of ours.

/// An answer that is not a success: what kind it is, a stable code, and a sentence for the caller.
///
/// Throw it beside the SQL or the rule that knows it. Any other error that reaches the pipeline is a bug or an outage
/// and is answered as 500 without its text. Everything in a `Failure` but ``cause`` is shown to the caller.
public struct Failure: Error, Sendable {
    /// The kinds of failure; each has one HTTP status.
    public enum Kind: String, Sendable, CaseIterable {
        case malformed, unauthenticated, forbidden, notFound, methodNotAllowed, notAcceptable, conflict, gone, tooLarge
        case unsupportedMedia, invalid, limited, headersTooLarge, `internal`, unavailable, timeout
    }

    public var kind: Kind
    /// A stable, machine-readable name such as `bookmark_exists`. Codes are for ever.
    public var code: String
    /// One sentence for the caller; never SQL, secrets or another error's description.
    public var message: String
    /// Every fault of a bad input at once; empty for other failures.
    public var faults: [Fault]
    /// When a retry may succeed, in whole seconds.
    public var retryAfterSeconds: Int?
    /// The permission that the caller lacks, such as `bookmarks:read`.
    public var permission: String?
    /// What led here: logged, never sent.
    public var cause: (any Error)?

    public init(
        _ kind: Kind, _ code: String, _ message: String, faults: [Fault] = [], retryAfterSeconds: Int? = nil, cause: (any Error)? = nil
    ) {
        self.kind = kind
        self.code = code
        self.message = message
        self.faults = faults
        self.retryAfterSeconds = retryAfterSeconds
        self.cause = cause
    }
}

// The commonest kinds, by name: `throw Failure.notFound("bookmark_not_found", "There is no such bookmark.")`.
extension Failure {
    public static func malformed(_ code: String, _ message: String) -> Failure { .init(.malformed, code, message) }
    public static func unauthenticated(_ code: String, _ message: String) -> Failure { .init(.unauthenticated, code, message) }
    public static func forbidden(_ code: String, _ message: String) -> Failure { .init(.forbidden, code, message) }
    public static func notFound(_ code: String, _ message: String) -> Failure { .init(.notFound, code, message) }
    public static func conflict(_ code: String, _ message: String) -> Failure { .init(.conflict, code, message) }

    /// The input broke at least one rule; `faults` lists all of them.
    public static func invalid(_ faults: [Fault]) -> Failure {
        .init(
            .invalid, "invalid_input", faults.count == 1 ? "The input has a fault." : "The input has \(faults.count) faults.",
            faults: faults)
    }

    /// A dependency is away; the same request may succeed later.
    public static func unavailable(_ code: String, _ message: String, retryAfterSeconds: Int = 1, cause: (any Error)? = nil) -> Failure {
        .init(.unavailable, code, message, retryAfterSeconds: retryAfterSeconds, cause: cause)
    }
}

/// One thing wrong with an input.
public struct Fault: Error, Sendable, Hashable, Codable {
    /// A JSON Pointer (RFC 6901) into the body, or the name of a path or query parameter.
    public var pointer: String
    /// A stable name of the broken rule, such as `too_long`.
    public var code: String
    /// One sentence for a person.
    public var message: String

    public init(pointer: String = "", code: String, message: String) {
        self.pointer = pointer
        self.code = code
        self.message = message
    }
}
