import Foundation
public import MartletContract
public import MartletCore
public import MartletJobsAPI
public import MartletStorage

/// The jobs there are, for those who may see and steer them.
public struct JobRegister: Sendable {
    /// What happens to jobs that have an owner is appended to the outbox under this topic, as ``JobEvent``s, with the job's id as key.
    public static let eventTopic: Topic = "jobs.events"

    private let database: any Database
    private let clock: JobClock

    public init(_ database: any Database, clock: JobClock = .database) {
        (self.database, self.clock) = (database, clock)
    }

    // MARK: Looking

    /// One job. Throws `notFound` for one that is not there, or is not the owner's when one is given.
    public func find(_ id: Identifier<JobRecord>, owner: Identifier<Account>? = nil) async throws -> JobStatus {
        let row = try await database.one(
            StatusRow.self, "SELECT \(unsafeRaw: StatusRow.columns) FROM job WHERE id = \(id) AND \(Self.belongs(to: owner))",
            else: Self.notFound)
        let last = row.ownerID == nil ? nil : try await Outbox.last(JobRegister.eventTopic, key: id.description, in: database)
        return try row.status(lastEvent: last, isShownToOwner: owner != nil)
    }

    /// Jobs, newest first.
    public func page(_ filter: JobFilter) async throws -> Page<JobStatus> {
        var conditions: [SQL] = []
        if let state = filter.state { conditions.append(Self.isIn(state)) }
        if let kind = filter.kind { conditions.append("kind = \(kind.raw)") }
        if let last = try filter.cursor?.position(of: JobRecord.self) { conditions.append("id < \(last.identifier)") }
        let condition: SQL = conditions.isEmpty ? "" : "WHERE \(SQL.joined(conditions, by: " AND "))"
        let limit = filter.limit?.raw ?? PageLimit.standard
        let rows = try await database.all(
            StatusRow.self, "SELECT \(unsafeRaw: StatusRow.columns) FROM job \(condition) ORDER BY id DESC LIMIT \(limit + 1)")
        let items = try rows.prefix(limit).map { try $0.status(lastEvent: nil, isShownToOwner: false) }
        return Page(items: items, next: rows.count > limit ? items.last.map { Cursor(after: $0.createdAt, $0.id) } : nil)
    }

    /// All jobs of an owner that follow one, oldest first.
    public func jobs(of owner: Identifier<Account>, after last: JobStatus?, limit: Int) async throws -> [JobStatus] {
        let after: SQL = last.map { " AND id > \($0.id)" } ?? ""
        let rows = try await database.all(
            StatusRow.self,
            "SELECT \(unsafeRaw: StatusRow.columns) FROM job WHERE owner_id = \(owner)\(after) ORDER BY id LIMIT \(max(0, limit))")
        return try rows.map { try $0.status(lastEvent: nil, isShownToOwner: true) }
    }

    /// Removes all jobs of an owner, also those that run: their attempts change nothing any more.
    public static func remove(of owner: Identifier<Account>, in transaction: any Transaction) async throws {
        try await transaction.change("DELETE FROM job WHERE owner_id = \(owner)")
    }

    /// A literal, so that partial indexes are found.
    private static func isIn(_ state: JobState) -> SQL { "state = '\(unsafeRaw: state.rawValue)'" }

    // MARK: Steering

    /// Cancels a job: at once when it waits; a running one is told to end. One that is finished stays as it is.
    ///
    /// - Parameter note: What is committed together with it, if there is something to cancel.
    public func cancel(
        _ id: Identifier<JobRecord>, owner: Identifier<Account>? = nil,
        with note: @Sendable (any Transaction) async throws -> Void = { _ in }
    ) async throws {
        try await database.transaction(isolation: .readCommitted) { transaction in
            if let steered = try await transaction.first(Steered.self, cancellation(of: id, owner)) {
                if steered.state == .running { transaction.announce(Jobs.readyTopic) } else { try await tell(id, steered, in: transaction) }
                return try await note(transaction)
            }
            _ = try await transaction.one(
                Int.self, "SELECT 1 FROM job WHERE id = \(id) AND \(Self.belongs(to: owner))", else: Self.notFound)
        }
    }

    /// One statement: between two, a running job could end its attempt and be missed by both.
    private func cancellation(of id: Identifier<JobRecord>, _ owner: Identifier<Account>?) -> SQL {
        """
        UPDATE job SET
            state = CASE WHEN state = 'running' THEN 'running' ELSE 'cancelled' END,
            cancel_requested = (state = 'running'),
            finished_at = CASE WHEN state = 'running' THEN NULL ELSE \(clock.now) END,
            unique_key = CASE WHEN state = 'running' OR unique_rule = 'period' THEN unique_key END
        WHERE id = \(id) AND \(Self.belongs(to: owner)) AND state IN ('waiting', 'ready', 'running')
        RETURNING state, owner_id
        """
    }

    /// Begins a dead or cancelled job anew, with all its attempts. Throws `conflict` for any other.
    ///
    /// - Parameter note: What is committed together with it.
    public func retry(
        _ id: Identifier<JobRecord>, with note: @Sendable (any Transaction) async throws -> Void = { _ in }
    ) async throws {
        try await database.transaction(isolation: .readCommitted) { transaction in
            let begun = try await transaction.first(
                Steered.self,
                """
                UPDATE job SET state = 'ready', run_at = \(clock.now), attempt = 0, finished_at = NULL, cancel_requested = \(false)
                WHERE id = \(id) AND state IN ('dead', 'cancelled')
                RETURNING state, owner_id
                """)
            if let begun {
                transaction.announce(Jobs.readyTopic)
                try await tell(id, begun, in: transaction)
                return try await note(transaction)
            }
            _ = try await transaction.one(Int.self, "SELECT 1 FROM job WHERE id = \(id)", else: Self.notFound)
            throw Failure.conflict("job_not_ended", "Only jobs that are dead or cancelled can be retried.")
        }
    }

    private struct Steered: Decodable, Sendable { let state: JobState, ownerID: Identifier<Account>? }

    private func tell(_ id: Identifier<JobRecord>, _ steered: Steered, in transaction: any Transaction) async throws {
        // Nobody watches the program's own.
        guard steered.ownerID != nil else { return }
        try await Outbox.append(JobRegister.eventTopic, key: id.description, JobEvent(state: steered.state), in: transaction)
    }

    // MARK: Forgetting

    /// Removes jobs that ended a while ago, and what was told of any, at most `limit` rows of each sort; returns how many.
    public func prune(_ retention: JobRetention, limit: Int = 1_000) async throws -> Int {
        let finished = try await prune("state <> 'dead'", retention.finished, limit)
        let dead = try await prune("state = 'dead'", retention.dead, limit)
        let now = try await database.first(Date.self, "SELECT \(clock.now)") ?? .distantPast
        let oldest = now - retention.events / .seconds(1)
        return finished + dead + (try await Outbox.prune(before: oldest, limit: limit, in: database))
    }

    private func prune(_ condition: SQL, _ age: Duration, _ limit: Int) async throws -> Int {
        try await database.change(
            """
            DELETE FROM job WHERE id IN (
                SELECT id FROM job WHERE finished_at IS NOT NULL AND finished_at < \(clock.now(plus: .zero - age)) AND \(condition)
                ORDER BY finished_at LIMIT \(limit)) AND finished_at IS NOT NULL
            """)
    }

    private static func belongs(to owner: Identifier<Account>?) -> SQL {
        owner.map { "owner_id = \($0)" } ?? "1 = 1"
    }

    private static let notFound = Failure.notFound("job_not_found", "There is no such job.")
}

/// A job as it is shown.
private struct StatusRow: Decodable, Sendable {
    let id: Identifier<JobRecord>
    let kind: String
    let ownerID: Identifier<Account>?
    let state: JobState
    let attempt: Int
    let result: String?
    let errors: String
    let createdAt: Date
    let startedAt: Date?
    let finishedAt: Date?

    static let columns = "id, kind, owner_id, state, attempt, result, errors, created_at, started_at, finished_at"

    func status(lastEvent: OutboxEntry?, isShownToOwner: Bool) throws -> JobStatus {
        let last = try lastEvent?.payload(as: JobEvent.self)
        // A report may be written a moment after the end: it is not news any more.
        let event = last.flatMap { $0.state.isFinished == state.isFinished ? $0 : nil }
        let errors = try StoredResult(text: errors).decode([AttemptError].self)
        return JobStatus(
            id: id, kind: kind, state: state, progress: state == .done ? 1 : event?.progress, message: event?.message, attempt: attempt,
            result: try result.map { try WireJSON.parse(Array($0.utf8)) },
            error: state == .done ? nil : isShownToOwner ? errors.last?.shown : errors.last?.reason, createdAt: createdAt,
            startedAt: startedAt, finishedAt: finishedAt)
    }
}
