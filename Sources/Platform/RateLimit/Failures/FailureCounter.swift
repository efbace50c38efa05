import MartletCore

/// Counts failures of subjects, such as logins to one account from one address, and says how long to wait after them.
///
/// An attempt is counted as failed before its outcome is known, so that of attempts which are made at once no more are admitted than one
/// after the other. Who succeeds is forgotten.
public protocol FailureCounter: Sendable {
    /// Counts an attempt, unless the subject has to wait; returns for how long, zero for an attempt that may be made.
    ///
    /// An attempt that has to wait is not counted, so nobody's wait becomes longer by asking. Throws a `Failure` of kind `unavailable` when
    /// the counts are kept elsewhere and that is away; the attempt may have been counted then.
    func attempt(_ subject: String, _ delay: GrowingDelay) async throws -> Duration

    /// Takes one counted attempt back: it came to no outcome. Safe for subjects that are not known.
    func takeBack(_ subject: String) async throws

    /// Forgets the subject's failures: an attempt succeeded. Safe to repeat.
    func forget(_ subject: String) async throws
}

/// Failures that all instances count together, and in each instance by itself while the shared counts are away.
///
/// So during an outage an address has the free attempts once with each instance, besides those that were counted before it; what the
/// instances count meanwhile is not added up afterwards. An attempt during the outage waits no longer for the counts than their store's
/// timeout.
public struct FallingBackFailureCounter: FailureCounter {
    private let shared: any FailureCounter
    private let local: MemoryFailureCounter

    public init(_ shared: any FailureCounter, local: MemoryFailureCounter = MemoryFailureCounter()) {
        (self.shared, self.local) = (shared, local)
    }

    public func attempt(_ subject: String, _ delay: GrowingDelay) async throws -> Duration {
        if let wait = try await unlessAway({ try await shared.attempt(subject, delay) }) { return wait }
        return await local.attempt(subject, delay)
    }

    public func takeBack(_ subject: String) async throws {
        if try await unlessAway({ try await shared.takeBack(subject) }) == nil { await local.takeBack(subject) }
    }

    /// What the shared store holds while it is away ends by itself.
    public func forget(_ subject: String) async throws {
        await local.forget(subject)
        _ = try await unlessAway { try await shared.forget(subject) }
    }

    private func unlessAway<Value>(_ work: () async throws -> Value) async throws -> Value? {
        do {
            return try await work()
        } catch let failure as Failure where failure.kind == .unavailable {
            return nil
        }
    }
}
