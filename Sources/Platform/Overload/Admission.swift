// MartletOverload: how many requests are worked on at a time, and who is refused first when there are too many.

import Synchronization

/// Lets requests begin, has them wait for a moment, or refuses them.
///
/// The limit follows from measured queueing (``ConcurrencyLimit``), who begins next from ``AdmissionQueue``; this class keeps both under a
/// lock and wakes those who wait. Refusing costs one short lock.
public final class Admission: Sendable {
    fileprivate struct State {
        var queue: AdmissionQueue
        var limit: ConcurrencyLimit
        var waiting: [UInt64: CheckedContinuation<Void, any Error>] = [:]
        var lastTicket: UInt64 = 0
        /// Since the start.
        var admitted = ClassCounts()
        var refused = ClassCounts()
        var turnedAway = 0
        var ended = 0
        var shedding = Shedding()
        var lag = Duration.zero
    }

    private let state: Mutex<State>
    /// Whether somebody was refused in the last seconds, as of the last sample.
    private let shedding = Atomic(false)

    /// - Parameter limits: Between what the limit moves.
    public convenience init(_ limits: AdmissionLimits) { self.init(limits, patience: AdmissionQueue.Patience()) }

    init(_ limits: AdmissionLimits, patience: AdmissionQueue.Patience) {
        let limit = ConcurrencyLimit(limits)
        state = Mutex(State(queue: AdmissionQueue(limit: limit.value, patience: patience), limit: limit))
    }

    /// Returns when work of the class may begin, a fraction of a second later at most; then ``leave(_:)`` has to be called, once.
    ///
    /// Throws ``Overloaded`` when it is refused, also when its deadline passes while it waits, and `CancellationError` when its task is
    /// cancelled meanwhile. What is refused has not begun: it may be repeated.
    public func enter(_ kind: WorkClass, by deadline: ContinuousClock.Instant? = nil) async throws {
        let ticket = state.withLock { $0.begin(kind) }
        guard let ticket else { return }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { queue($0, as: kind, ticket, deadline) }
        } onCancel: {
            resume(state.withLock { $0.cancel(ticket) })
        }
    }

    /// Whether somebody was refused in the last seconds; costs next to nothing.
    public var isShedding: Bool { shedding.load(ordering: .relaxed) }

    /// Refuses work that would wait in vain, before anything is spent on it; `nil` for what has to ``enter(_:by:)``.
    public func turnAway(_ kind: WorkClass) -> Overloaded? { state.withLock { $0.turnAway(kind) } }

    /// The work that entered has ended, however it did.
    public func leave(_ kind: WorkClass) {
        resume(state.withLock { $0.end(kind) })
    }

    /// The work that left, since it had to wait for something from outside, goes on; it was admitted once and is not asked again, so there
    /// may be more at work than the limit for a moment. To be followed by ``leave(_:)``.
    public func comeBack(_ kind: WorkClass) {
        state.withLock { $0.queue.start(kind) }
    }

    /// Takes in what was measured; who waited too long is refused. Returns what to tell of it, if anything.
    func note(_ sample: LoadSample, now: ContinuousClock.Instant) -> Shedding.News? {
        let (wakes, news, isShedding) = state.withLock { state in
            let (wakes, news) = state.note(sample, now: now)
            return (wakes, news, state.shedding.isOn)
        }
        shedding.store(isShedding, ordering: .relaxed)
        resume(wakes)
        return news
    }

    /// What is going on at this moment.
    public var statistics: AdmissionStatistics { state.withLock { $0.statistics } }

    /// Whether nothing is worked on, and nobody waits.
    var isIdle: Bool { state.withLock { $0.queue.running == 0 && $0.queue.queued == 0 } }

    private func queue(
        _ continuation: CheckedContinuation<Void, any Error>, as kind: WorkClass, _ ticket: UInt64, _ deadline: ContinuousClock.Instant?
    ) {
        resume(
            state.withLock { state in
                state.waiting[ticket] = continuation
                // Its cancellation may have come before it did.
                if Task.isCancelled { return state.cancel(ticket) }
                return state.enter(kind, ticket, deadline)
            })
    }

    private func resume(_ wakes: [Wake]) {
        for wake in wakes { wake.continuation.resume(with: wake.result) }
    }
}

/// Somebody who waits no more.
private struct Wake: Sendable {
    let continuation: CheckedContinuation<Void, any Error>
    let result: Result<Void, any Error>
}

extension Admission.State {
    /// Begins at once, or returns the ticket to queue with.
    fileprivate mutating func begin(_ kind: WorkClass) -> UInt64? {
        if queue.begin(kind) {
            admitted[kind] += 1
            return nil
        }
        lastTicket += 1
        return lastTicket
    }

    fileprivate mutating func enter(_ kind: WorkClass, _ ticket: UInt64, _ deadline: ContinuousClock.Instant?) -> [Wake] {
        perform(queue.enter(kind, ticket, deadline: deadline, now: .now), now: .now)
    }

    fileprivate mutating func end(_ kind: WorkClass) -> [Wake] {
        if kind != .vital { ended += 1 }
        let actions = queue.end(kind, now: { .now })
        return actions.isEmpty ? [] : perform(actions, now: .now)
    }

    fileprivate mutating func cancel(_ ticket: UInt64) -> [Wake] {
        queue.cancel(ticket)
        return waiting.removeValue(forKey: ticket).map { [Wake(continuation: $0, result: .failure(CancellationError()))] } ?? []
    }

    fileprivate mutating func note(_ sample: LoadSample, now: ContinuousClock.Instant) -> ([Wake], Shedding.News?) {
        (lag, queue.lag) = (sample.lag, sample.lag)
        limit.note(sample, running: queue.running, ended: ended, isWanted: queue.isFull)
        queue.limit = limit.value
        let wakes = perform(queue.look(now: now), now: now)
        return (wakes, shedding.look(refused: refused.sum, now: now))
    }

    fileprivate mutating func turnAway(_ kind: WorkClass) -> Overloaded? {
        guard queue.turnsAway(kind, now: .now) else { return nil }
        turnedAway += 1
        return refuse(kind)
    }

    private mutating func refuse(_ kind: WorkClass) -> Overloaded {
        refused[kind] += 1
        return Overloaded(retryAfterSeconds: .random(in: 1...3))
    }

    private mutating func perform(_ actions: [AdmissionQueue.Action], now: ContinuousClock.Instant) -> [Wake] {
        actions.compactMap { action in
            switch action {
            case .begin(let ticket, let kind):
                admitted[kind] += 1
                return waiting.removeValue(forKey: ticket).map { Wake(continuation: $0, result: .success(())) }
            case .refuse(let ticket, let kind):
                let refusal = refuse(kind)
                return waiting.removeValue(forKey: ticket).map { Wake(continuation: $0, result: .failure(refusal)) }
            }
        }
    }

    fileprivate var statistics: AdmissionStatistics {
        AdmissionStatistics(
            limit: limit.value, running: queue.running, queued: queue.queued, admitted: admitted.byClass, refused: refused.byClass,
            turnedAway: turnedAway, lag: lag, isShedding: shedding.isOn)
    }
}
