import MartletCore
import MartletHTTP
import MartletStorage
import Synchronization

/// Runs one call for each key, in its transaction, and answers the others with what that was answered.
///
/// Calls of one process wait for one another here, where they hold no connection; those of several at the row's lock.
final class OneCallPerKey: Sendable {
    static let patience = Duration.seconds(2)

    private let database: any Database
    private let isolation: Isolation
    private let pause: @Sendable (Duration) async throws -> Void
    private let state = Mutex(State())

    private struct State {
        var turns = KeyTurns<KeptAnswer>()
        var wakers: [KeyTurns<KeptAnswer>.Ticket: AsyncStream<Never>.Continuation] = [:]
    }

    /// - Parameter pause: How long a call waits for another one; tests decide it.
    init(
        _ database: any Database, isolation: Isolation = .serializable,
        pause: @escaping @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: $0) }
    ) {
        (self.database, self.isolation, self.pause) = (database, isolation, pause)
    }

    /// Answers a call; `handle` runs once for its key, or, without a key, always.
    func answer(_ claim: Claim?, _ handle: @escaping @Sendable (any Transaction) async throws -> Answer) async throws -> Answer {
        guard let claim else { return try await database.transaction(isolation: isolation, handle) }
        if let kept = try await awaitTurn(claim.name) { return try kept.replay(to: claim) }
        switch try await takeTurn(claim, handle) {
        case .new(let answer, _): return answer
        case .known(let kept): return try kept.replay(to: claim)
        }
    }

    private enum Outcome: Sendable {
        case new(Answer, kept: KeptAnswer)
        case known(KeptAnswer)

        var kept: KeptAnswer {
            switch self {
            case .new(_, let kept), .known(let kept): kept
            }
        }
    }

    private func takeTurn(_ claim: Claim, _ handle: @escaping @Sendable (any Transaction) async throws -> Answer) async throws -> Outcome {
        let outcome: Outcome
        do {
            outcome = try await database.transaction(isolation: isolation) { try await Self.outcome(of: claim, handle, in: $0) }
        } catch {
            endTurn(claim.name, nil)
            throw error
        }
        endTurn(claim.name, outcome.kept)
        return outcome
    }

    private static func outcome(
        of claim: Claim, _ handle: @Sendable (any Transaction) async throws -> Answer, in transaction: any Transaction
    ) async throws -> Outcome {
        let store = AnswerStore(transaction)
        switch try await store.claim(claim, waiting: patience) {
        case .answered(let kept): return .known(kept)
        case .ours(let place):
            let answer = try await handle(transaction)
            let kept = try KeptAnswer(answer, to: claim)
            try await store.keep(kept, for: claim.name, at: place)
            return .new(answer, kept: kept)
        }
    }
}

// MARK: Waiting

extension OneCallPerKey {
    /// Returns `nil` when it is the caller's turn, which has to be ended, else what another call was answered. Throws
    /// `idempotency_key_in_use` when neither happens in time.
    private func awaitTurn(_ name: Claim.Name) async throws -> KeptAnswer? {
        let (wake, waker) = AsyncStream.makeStream(of: Never.self)
        let ticket = state.withLock { state -> KeyTurns<KeptAnswer>.Ticket? in
            guard let ticket = state.turns.enter(name) else { return nil }
            state.wakers[ticket] = waker
            return ticket
        }
        guard let ticket else { return nil }
        await wait(for: wake, waker)
        let verdict = state.withLock { state in
            state.wakers[ticket] = nil
            return state.turns.leave(name, ticket)
        }
        switch verdict {
        case .yourTurn: return nil
        case .answered(let kept): return kept
        case nil:
            try Task.checkCancellation()
            throw AnswerStore.inUse
        }
    }

    /// Returns when it is woken, has waited long enough or is cancelled.
    private func wait(for wake: AsyncStream<Never>, _ waker: AsyncStream<Never>.Continuation) async {
        let timer = Task { [pause] in
            // Cancelled when there is nothing to wait for any more.
            try? await pause(Self.patience)
            waker.finish()
        }
        for await _ in wake {}
        timer.cancel()
    }

    private func endTurn(_ name: Claim.Name, _ answer: KeptAnswer?) {
        let wakers = state.withLock { state in state.turns.end(name, answer).compactMap { state.wakers[$0] } }
        for waker in wakers { waker.finish() }
    }

    /// How many calls wait for another one. For tests.
    var waitingCount: Int { state.withLock { $0.wakers.count } }
    /// How many keys are in use. For tests.
    var keyCount: Int { state.withLock { $0.turns.count } }
}
