import MartletCore
import MartletStorage

/// The SQL of kept answers.
struct AnswerStore: Sendable {
    private let database: any Queries

    init(_ database: any Queries) {
        self.database = database
    }

    enum Claimed {
        /// The key is this transaction's, whose row is stored there.
        case ours(place: String)
        case answered(KeptAnswer)
    }

    /// Claims a key for the caller's transaction. Another transaction that has claimed it is waited for: it may be undone.
    ///
    /// Throws `idempotency_key_in_use` when that takes too long.
    func claim(_ claim: Claim, waiting: Duration) async throws -> Claimed {
        let statement = SQL.insertUnlessThere(
            into: "idempotent_answer", "caller_id, key, endpoint, fingerprint, created_at",
            "\(claim.name.caller), \(claim.name.key), \(claim.endpoint), \(claim.fingerprint), \(SQL.now)", waiting: waiting)
        do {
            if let row = try await database.first(Place.self, statement) { return .ours(place: row.place) }
        } catch let failure as Failure where (failure.cause as? SQLFailure)?.kind == .busy {
            throw Self.inUse
        }
        // There was one a moment ago: if it has been pruned since, the next attempt claims the key.
        guard let answer = try await answer(to: claim.name) else { throw Self.inUse }
        return .answered(answer)
    }

    private struct Place: Decodable, Sendable {
        let place: String
    }

    private func answer(to name: Claim.Name) async throws -> KeptAnswer? {
        try await database.first(
            KeptAnswer.self,
            """
            SELECT endpoint, fingerprint, status, fields, body FROM idempotent_answer
            WHERE caller_id = \(name.caller) AND key = \(name.key)
            """)
    }

    /// Keeps the answer beside its claim.
    func keep(_ answer: KeptAnswer, for name: Claim.Name, at place: String) async throws {
        // By its place, which the claim told: no index that all of them insert into is read again.
        try await database.change(
            """
            UPDATE idempotent_answer SET status = \(answer.status), fields = \(json: answer.fields), body = \(answer.body)
            WHERE \(SQL.stored(at: place)) AND caller_id = \(name.caller) AND key = \(name.key)
            """, else: Failure(.internal, "idempotency_claim_lost", "Internal error."))
    }

    /// Removes answers that are older than the retention, oldest first and at most `limit`; returns how many.
    func prune(olderThan retention: Duration, limit: Int) async throws -> Int {
        try await database.change(
            """
            DELETE FROM idempotent_answer WHERE (caller_id, key) IN (
                SELECT caller_id, key FROM idempotent_answer WHERE created_at < \(SQL.moment(.now, plus: .zero - retention))
                ORDER BY created_at LIMIT \(max(0, limit)))
            """)
    }

    static let inUse = Failure(
        .conflict, "idempotency_key_in_use", "Another request with this Idempotency-Key is being answered.", retryAfterSeconds: 1)
}
