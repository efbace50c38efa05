// MartletIdempotency: a call that is repeated with its key happens once, and is answered the same.

import HTTPTypes
public import MartletContract
import MartletCore
public import MartletHTTP
public import MartletStorage

/// Serves an endpoint that takes an `Idempotency-Key`: one transaction holds what the handler does and the answer that is kept for the key.
///
/// ```swift
/// serve(TrainingAPI.plan, in: database) { goal, caller, tx in
///     let plan = try await PlanStore(tx).insert(goal, owner: caller.id)
///     try await jobs.enqueue(AskCoach(plan: plan.id), in: tx)
///     return plan
/// }
/// ```
/// - Called again with the key, the handler does not run: the answer is the first one's, status and bytes, with `Idempotency-Replayed: true`.
///   Another request with the key is refused (422, `idempotency_key_reused`).
/// - While the first call is under way, the second waits for it for two seconds, then hears 409 `idempotency_key_in_use`.
/// - A handler that throws undoes everything, the claim of its key too: **failures are not kept**, and a repetition runs anew.
/// - Keys are each caller's own, and kept for `IDEMPOTENCY_RETENTION`. Without one the handler runs in a transaction, and nothing is kept.
///
/// The handler may be run again from its beginning, as ``MartletStorage/Database/transaction(isolation:_:)`` says: it does everything through
/// its transaction. What it answers is at most 1 MiB long; more is a mistake in the program (500, nothing is done).
///
/// - Parameter isolation: `.readCommitted` for handlers whose statements are right by themselves.
public func serve<Input, Output>(
    _ endpoint: Endpoint<Input, Output>, in database: any Database, isolation: Isolation = .serializable,
    _ handler: @escaping @Sendable (Input, Caller, any Transaction) async throws -> Output
) -> Route {
    serve(endpoint, in: database, isolation: isolation, preparing: { $0 }, handler)
}

/// The same for inputs that take a while to read, such as a file: `prepare` does that before the transaction begins, so that nobody waits
/// for it.
///
/// - Parameter prepare: Runs also for calls that were answered before. What it throws is the answer.
public func serve<Input, Prepared: Sendable, Output>(
    _ endpoint: Endpoint<Input, Output>, in database: any Database, isolation: Isolation = .serializable,
    preparing prepare: @escaping @Sendable (Input) throws -> Prepared,
    _ handler: @escaping @Sendable (Prepared, Caller, any Transaction) async throws -> Output
) -> Route {
    let calls = OneCallPerKey(database, isolation: isolation)
    return endpoint.route { parts, caller, claim in
        let prepared = try prepare(try endpoint.input.read(parts))
        return try await calls.answer(claim) { transaction in
            try endpoint.answer(with: Reply(try await handler(prepared, caller, transaction)))
        }
    }
}

/// The same for handlers that are right by one single statement. Without a key that statement runs by itself, which spares the database a
/// transaction: an engine may run it together with those of other calls.
///
/// ```swift
/// serve(BookmarksAPI.save, byOneStatementIn: database) { new, caller, queries in
///     try await BookmarkStore(queries).insert(new, owner: caller.id)
/// }
/// ```
/// Were there two, another call could come between them, and a failure of the second would leave the effect of the first.
public func serve<Input, Output>(
    _ endpoint: Endpoint<Input, Output>, byOneStatementIn database: any Database,
    _ handler: @escaping @Sendable (Input, Caller, any Queries) async throws -> Output
) -> Route {
    let calls = OneCallPerKey(database, isolation: .readCommitted)
    return endpoint.route { parts, caller, claim in
        let input = try endpoint.input.read(parts)
        let answer: @Sendable (any Queries) async throws -> Answer = { queries in
            try endpoint.answer(with: Reply(try await handler(input, caller, queries)))
        }
        guard let claim else { return try await answer(database) }
        return try await calls.answer(claim) { try await answer($0) }
    }
}

extension Endpoint {
    /// What answers the endpoint's calls; each is given who calls, and the claim of its key, if it has one.
    fileprivate func route(_ answer: @escaping @Sendable (InputParts, Caller, Claim?) async throws -> Answer) -> Route {
        precondition(operation.takesIdempotencyKey, "\(operation.path) takes no key: use serve(_:).")
        precondition(operation.access != .anyone, "\(operation.path) is open to anyone, and keys belong to callers.")
        precondition(!answersInPieces, "\(operation.path) answers with a stream, which cannot be kept.")
        return Route(operation: operation) { [operation] parts, caller, call in
            guard let caller else { throw Failure.authenticationMissing }
            return try await answer(parts, caller, try Claim(of: call, by: caller, to: operation, query: parts.query))
        }
    }

    private var answersInPieces: Bool {
        switch output {
        case .whole, .promised: false
        case .stream, .events: true
        }
    }
}
