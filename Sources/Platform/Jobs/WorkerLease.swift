import Foundation
import MartletStorage

extension JobClock {
    /// Whether a worker's lease lasts.
    func isLeased(to worker: UUID, at moment: SQL? = nil) -> SQL {
        "EXISTS (SELECT 1 FROM job_worker WHERE job_worker.id = \(worker) AND lease_until > \(moment ?? now))"
    }
}

/// The row that says a worker is alive; its jobs are its own while the lease lasts, by the database's clock.
struct WorkerLease: Sendable {
    let database: any Database
    let clock: JobClock
    let period: Duration
    let host: String

    func acquire(_ worker: UUID) async throws {
        try await database.change(
            """
            INSERT INTO job_worker (id, host, started_at, lease_until)
            VALUES (\(worker), \(host), \(clock.now), \(clock.now(plus: period)))
            """)
    }

    /// `false` when it had ended: it is never renewed then, since others may have taken the jobs.
    func renew(_ worker: UUID) async throws -> Bool {
        try await database.change(
            "UPDATE job_worker SET lease_until = \(clock.now(plus: period)) WHERE id = \(worker) AND lease_until > \(clock.now)") > 0
    }

    /// Ends the lease; jobs it still has are free at once.
    func release(_ worker: UUID) async throws {
        try await database.change("DELETE FROM job_worker WHERE id = \(worker)")
    }

    /// Forgets workers that are long gone.
    func sweep() async throws {
        try await database.change("DELETE FROM job_worker WHERE lease_until < \(clock.now(plus: .seconds(-86_400)))")
    }
}
