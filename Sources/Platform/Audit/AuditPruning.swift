import Foundation
import MartletCore
import MartletJobs
import MartletStorage

/// Removes rows that are older than the retention.
struct PruneAudit: Job {
    static let name = "audit.prune"
    static let policy = JobPolicy(priority: .low, unique: .untilFinished)

    func run(_ work: Work<PruneAudit>, with pruning: AuditPruning) async throws -> Outcome {
        while try await pruning.prune() > 0 { try Task.checkCancellation() }
        return .done
    }
}

/// Shortens chains at their beginning. How far is part of what the head signs, with the hash of the last row that went: so what is left is
/// still a chain that begins where it should.
struct AuditPruning: Sendable {
    private static let batch = 1_000
    let database: any Database
    let keys: AuditKeys
    let retention: Duration
    let clock: WallClock

    /// Removes some of each chain, and returns how many in all; 0 when there is nothing left to remove.
    func prune() async throws -> Int {
        let oldest = clock.now.addingTimeInterval(-(retention / .seconds(1)))
        var removed = 0
        for chain in try await chains(before: oldest) { removed += try await prune(chain, before: oldest) }
        return removed
    }

    /// Those whose oldest row is that old.
    private func chains(before oldest: Date) async throws -> [UUID] {
        try await database.all(
            UUID.self,
            """
            SELECT chain_id FROM audit_chain WHERE EXISTS (
                SELECT 1 FROM audit_event
                WHERE audit_event.chain_id = audit_chain.chain_id AND sequence = pruned_sequence + 1 AND occurred_at < \(oldest))
            """)
    }

    /// Rows up to the first that is young enough, so that no gap arises where clocks differed.
    private func prune(_ chain: UUID, before oldest: Date) async throws -> Int {
        try await database.transaction(isolation: .readCommitted) { transaction in
            let store = AuditStore(transaction)
            var head = try await store.head(of: chain, keys.current)
            let old = try await store.oldest(of: head, limit: Self.batch).prefix { $0.occurredAt < oldest }
            guard let last = old.last else { return 0 }
            // The trigger lets go of what the head says is pruned, so the head comes first.
            head.prune(through: last.sequence, last.hash, keys.current)
            try await store.save(head)
            try await store.removePruned(of: head)
            return old.count
        }
    }
}
