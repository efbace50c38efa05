public import Foundation
public import MartletAuditAPI
public import MartletCore

/// Something that the audit log is to keep: who did what to what, and what became of it.
///
/// ```swift
/// try await audit.record(AuditEvent(.operatorAppointed, on: .account(id), after: ["operator": true]), in: transaction)
/// ```
/// Who asked, from which address and by which request it takes from the task (``MartletCore/CurrentRequest``).
public struct AuditEvent: Sendable, Hashable {
    public let action: AuditAction
    public let actor: AuditActor
    public let target: AuditTarget?
    /// The organisation whose chain it belongs to; `nil` for the instance's own.
    public let organisation: UUID?
    public let outcome: AuditOutcome
    public let before: AuditFacts?
    public let after: AuditFacts?
    private(set) var requestID: String?
    let address: String?

    /// - Parameter actor: Who did it, where the task does not know: a caller who has just proved who they are.
    public init(
        _ action: AuditAction, on target: AuditTarget? = nil, by actor: AuditActor? = nil, in organisation: UUID? = nil,
        outcome: AuditOutcome = .succeeded, before: AuditFacts? = nil, after: AuditFacts? = nil
    ) {
        let origin = CurrentRequest.origin
        self.action = action
        self.actor = actor ?? AuditActor(origin.initiator)
        self.target = target
        self.organisation = organisation
        self.outcome = outcome
        self.before = before
        self.after = after
        requestID = CurrentRequest.id
        address = origin.address?.description
    }

    /// The same whatever request it came by: what repeats itself has this in common.
    var withoutRequest: AuditEvent {
        var event = self
        event.requestID = nil
        return event
    }
}

/// The name of something that is recorded: dotted, in lower case. Names are stored, and for ever.
///
/// A module names its own in an extension: `static let jobRetried = AuditAction("job.retried")`.
public struct AuditAction: Sendable, Hashable {
    public let name: String

    public init(_ name: StaticString) { self.name = "\(name)" }
}

extension AuditTarget {
    public static func account(_ id: Identifier<Account>) -> AuditTarget { AuditTarget(kind: "account", id: "\(id)") }

    /// What an identifier names, such as a `job`.
    public static func of(_ kind: StaticString, _ id: Identifier<some Any>) -> AuditTarget { AuditTarget(kind: "\(kind)", id: "\(id)") }
}

extension AuditActor {
    public static func account(_ id: Identifier<Account>) -> AuditActor { AuditActor(kind: .account, id: id) }

    init(_ initiator: Origin.Initiator) {
        switch initiator {
        case .account(let id): self = .account(id)
        case .anonymous: self.init(kind: .anonymous)
        case .console: self.init(kind: .console)
        case .program: self.init(kind: .program)
        }
    }
}
