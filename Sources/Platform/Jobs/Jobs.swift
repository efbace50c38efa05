import Foundation
import MartletContract
public import MartletCore
public import MartletJobsAPI
public import MartletStorage
import MartletTelemetry

/// Takes jobs in; see ``Job``.
public struct Jobs: Sendable {
    /// Announced when a job may be ready.
    static let readyTopic: Topic = "jobs.ready"

    let clock: JobClock

    public init(clock: JobClock = .database) {
        self.clock = clock
    }

    /// Enqueues a job with the commit of the caller's transaction: rolled back, there is none; committed, it is never lost.
    ///
    /// - Parameters:
    ///   - owner: Who may see and cancel it, and whose turn it takes; `nil` for the program's own.
    ///   - delay: How long it waits before it may begin.
    @discardableResult
    public func enqueue<Kind: Job>(
        _ job: Kind, for owner: Identifier<Account>? = nil, after delay: Duration? = nil, priority: JobPriority? = nil,
        in transaction: any Transaction
    ) async throws -> Enqueued {
        let row = try NewJob(job, owner, delay, priority ?? Kind.policy.priority)
        let enqueued = try await row.insert(in: transaction, clock)
        if enqueued.isNew { transaction.announce(Self.readyTopic) }
        return enqueued
    }
}

/// A job that was enqueued, or the one that was there before it.
public struct Enqueued: Sendable {
    public let id: Identifier<JobRecord>
    /// `false` when a unique job was enqueued already; nothing was added then.
    public let isNew: Bool
}

/// A job on its way into the table.
struct NewJob {
    private let id = Identifier<JobRecord>()
    private let kind: String
    private let policy: JobPolicy
    private let owner: Identifier<Account>?
    private let delay: Duration?
    private let priority: JobPriority
    private let payload: String
    private let uniqueKey: String?

    init<Kind: Job>(_ job: Kind, _ owner: Identifier<Account>?, _ delay: Duration?, _ priority: JobPriority) throws {
        (kind, policy) = (Kind.name, Kind.policy)
        (self.owner, self.delay, self.priority) = (owner, delay, priority)
        payload = try StoredResult(job).text
        uniqueKey = policy.unique == .none ? nil : "\(Kind.name) \(job.uniqueKey)"
    }

    func insert(in transaction: any Transaction, _ clock: JobClock) async throws -> Enqueued {
        guard let uniqueKey else {
            try await transaction.change(insertion(clock))
            return Enqueued(id: id, isNew: true)
        }
        let conflict: SQL = " ON CONFLICT (unique_key) WHERE unique_key IS NOT NULL DO NOTHING"
        for _ in 0..<Self.tries {
            if try await transaction.change(insertion(clock) + conflict) > 0 { return Enqueued(id: id, isNew: true) }
            if let present = try await present(uniqueKey, in: transaction, clock) { return Enqueued(id: present, isNew: false) }
        }
        throw Failure.unavailable("job_busy", "The same jobs come and go too fast.")
    }

    /// The job that has the key, which cannot begin before this transaction has ended: else it might not see what the transaction did. One
    /// whose time is over gives the key up.
    private func present(_ key: String, in transaction: any Transaction, _ clock: JobClock) async throws -> Identifier<JobRecord>? {
        try await transaction.change("UPDATE job SET unique_key = NULL WHERE unique_key = \(key) AND unique_until <= \(clock.now)")
        return try await transaction.first(Identifier<JobRecord>.self, "SELECT id FROM job WHERE unique_key = \(key)\(SQL.locked)")
    }

    /// The job that was there may end before it is looked at.
    private static let tries = 3

    private func insertion(_ clock: JobClock) -> SQL {
        """
        INSERT INTO job (
            id, kind, queue, priority, owner_id, turn_id, state, run_at, payload, max_attempts, unique_key, unique_rule, unique_until,
            request_id, traceparent, created_at
        ) VALUES (
            \(id), \(kind), \(policy.queue), \(priority), \(owner), \(owner?.uuid ?? UUID.zero), \(delay == nil ? JobState.ready : .waiting),
            \(clock.now(plus: delay ?? .zero)), \(payload), \(policy.retry.attempts), \(uniqueKey), \(policy.unique.rule),
            \(policy.unique.period.map { clock.now(plus: $0) } ?? "NULL"), \(CurrentRequest.id), \(Trace.current?.parent.description), \(clock.now)
        )
        """
    }
}

extension UUID {
    /// Stands for the program itself among those who take turns.
    static let zero = UUID(uuid: (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0))
}
