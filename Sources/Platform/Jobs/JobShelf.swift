import Foundation
import MartletCore
import MartletJobsAPI
import MartletStorage

/// The jobs that wait for a worker: what is there, and taking it.
struct JobShelf: Sendable {
    let database: any Database
    let clock: JobClock

    // MARK: Looking

    /// What there is to do for a worker, by one statement.
    struct Outlook: Sendable {
        /// The database's time.
        var now = Date.distantPast
        /// Whether the worker still has its lease.
        var isLeased = false
        /// How many jobs run under the worker's lease.
        var running = 0
        /// The queues that have jobs to begin.
        var ready: Set<String> = []
        /// When the next job becomes due.
        var nextDue: Date?
        /// Whether jobs were lost with their worker.
        var hasLost = false
        /// Whether running jobs of this worker shall end.
        var hasCancelled = false
    }

    /// It asks for the first by an index rather than whether there are any: by statistics from a time when there were many, PostgreSQL
    /// expects to meet one soon in the table, and then reads all of it.
    func outlook(for worker: UUID, queues: [String], kinds: [String]) async throws -> Outlook {
        struct Finding: Decodable { let what: String, name: String?, at: Date? }
        let readiness = queues.map { queue -> SQL in
            """
             UNION ALL SELECT 'ready', \(queue), NULL WHERE (
                SELECT priority FROM job WHERE state = 'ready' AND queue = \(queue) AND kind IN \(list: kinds) ORDER BY priority LIMIT 1
             ) IS NOT NULL
            """
        }
        let findings = try await database.all(
            Finding.self,
            """
            SELECT 'now' AS what, NULL AS name, \(clock.now) AS at
            UNION ALL SELECT 'leased', NULL, NULL WHERE \(clock.isLeased(to: worker))
            UNION ALL SELECT 'running', CAST(count(*) AS TEXT), NULL FROM job WHERE state = 'running' AND worker_id = \(worker)
            UNION ALL SELECT 'due', NULL, min(run_at) FROM job WHERE state = 'waiting'
            UNION ALL SELECT 'lost', NULL, NULL WHERE (
                SELECT worker_id FROM job WHERE state = 'running' AND \(isLost) ORDER BY worker_id LIMIT 1) IS NOT NULL
            UNION ALL SELECT 'cancelled', NULL, NULL WHERE EXISTS (
                SELECT 1 FROM job WHERE state = 'running' AND worker_id = \(worker) AND cancel_requested)
            \(SQL.joined(readiness, by: ""))
            """)
        var outlook = Outlook()
        for finding in findings {
            switch finding.what {
            case "now": outlook.now = finding.at ?? outlook.now
            case "leased": outlook.isLeased = true
            case "running": outlook.running = finding.name.flatMap { Int($0) } ?? 0
            case "due": outlook.nextDue = finding.at
            case "lost": outlook.hasLost = true
            case "cancelled": outlook.hasCancelled = true
            default: if let name = finding.name { outlook.ready.insert(name) }
            }
        }
        return outlook
    }

    /// Makes jobs ready whose time has come, at most `limit` at once; returns how many.
    func promote(limit: Int = 1_000) async throws -> Int {
        try await database.change(
            """
            WITH due AS MATERIALIZED (
                SELECT id FROM job WHERE state = 'waiting' AND run_at <= \(clock.now) ORDER BY run_at LIMIT \(limit)\(SQL.skippingLocked)
            )
            UPDATE job SET state = 'ready' WHERE id \(SQL.among("SELECT id FROM due"))
            """)
    }

    // MARK: Taking

    /// Begins attempts at up to `count` jobs of a queue: those of the highest priority, of each owner in turn.
    ///
    /// - Parameter last: Whose turn it was last; moved on.
    func take(_ count: Int, from queue: String, kinds: [String], worker: UUID, after last: inout UUID, in queries: any Queries) async throws
        -> [Claim]
    {
        guard let turns = try await turns(queue, kinds, after: last, atMost: min(count, Self.mostTurns), in: queries) else { return [] }
        last = turns.owners.last ?? last
        let quota = max(1, count / turns.owners.count)
        let picks = turns.owners.enumerated().map { index, owner -> SQL in
            """
            pick\(unsafeRaw: "\(index)") AS MATERIALIZED (
                SELECT id FROM job WHERE state = 'ready' AND queue = \(queue) AND priority = \(turns.priority) AND turn_id = \(owner)
                    AND kind IN \(list: kinds)
                ORDER BY id LIMIT \(quota)\(SQL.skippingLocked)
            )
            """
        }
        let picked = turns.owners.indices.map { SQL(stringLiteral: "SELECT id FROM pick\($0)") }
        return try await queries.all(
            Claim.self,
            """
            WITH \(SQL.joined(picks, by: ", "))
            UPDATE job SET state = 'running', worker_id = \(worker), attempt = attempt + 1, token = token + 1, started_at = \(clock.now),
                unique_key = CASE WHEN unique_rule = 'waiting' THEN NULL ELSE unique_key END
            WHERE id \(SQL.among(SQL.joined(picked, by: " UNION ALL "))) AND \(clock.isLeased(to: worker))
            RETURNING \(Claim.columns)
            """)
    }

    /// At most so many owners at once, so that few forms of the statement exist.
    private static let mostTurns = 8

    private struct Turns { let priority: Int, owners: [UUID] }

    /// The owners who have jobs of the highest priority there is, from the one after `last` on, by steps through the index.
    private func turns(_ queue: String, _ kinds: [String], after last: UUID, atMost count: Int, in queries: any Queries) async throws
        -> Turns?
    {
        struct Turn: Decodable { let priority: Int, owner: UUID }
        let later = try await queries.all(Turn.self, walk(queue, kinds, from: "> \(last)", count))
        let missing = count - later.count
        let earlier = missing > 0 ? try await queries.all(Turn.self, walk(queue, kinds, from: ">= \(UUID.zero)", missing)) : []
        let owners = later + earlier.filter { turn in !later.contains { $0.owner == turn.owner } }
        return owners.first.map { Turns(priority: $0.priority, owners: owners.map(\.owner)) }
    }

    private func walk(_ queue: String, _ kinds: [String], from start: SQL, _ count: Int) -> SQL {
        let ready: SQL = "FROM job WHERE state = 'ready' AND queue = \(queue) AND kind IN \(list: kinds)"
        let highest: SQL = "(SELECT priority \(ready) ORDER BY priority LIMIT 1)"
        let first: SQL = "SELECT turn_id \(ready) AND priority = \(highest)"
        return """
            WITH RECURSIVE turn (owner, place) AS (
                SELECT (\(first) AND turn_id \(start) ORDER BY turn_id LIMIT 1), 1
                UNION ALL
                SELECT (\(first) AND turn_id > turn.owner ORDER BY turn_id LIMIT 1), turn.place + 1
                FROM turn WHERE turn.owner IS NOT NULL AND turn.place < \(count)
            )
            SELECT owner, \(highest) AS priority FROM turn WHERE owner IS NOT NULL
            """
    }

    // MARK: What others left

    /// Whether a running job's worker has not renewed its lease in time.
    var isLost: SQL { "NOT EXISTS (SELECT 1 FROM job_worker WHERE job_worker.id = job.worker_id AND lease_until > \(clock.now))" }

    /// Attempts whose worker is gone. Those are left out that a paused worker is just noting: it has their rows until it goes on, or its
    /// connection ends, and whoever waited for them would do nothing else meanwhile.
    func lost(limit: Int = 100) async throws -> [Claim] {
        try await database.all(
            Claim.self, "SELECT \(Claim.columns) FROM job WHERE state = 'running' AND \(isLost) LIMIT \(limit)\(SQL.skippingLocked)")
    }

    /// Attempts under the worker's lease.
    func running(under worker: UUID) async throws -> [Claim] {
        try await database.all(
            Claim.self, "SELECT \(Claim.columns) FROM job WHERE state = 'running' AND worker_id = \(worker)")
    }

    /// Running jobs of this worker that shall end.
    func cancelled(for worker: UUID) async throws -> [Identifier<JobRecord>] {
        try await database.all(
            Identifier<JobRecord>.self, "SELECT id FROM job WHERE state = 'running' AND worker_id = \(worker) AND cancel_requested")
    }
}
