import Logging
import MartletCore
import Synchronization

/// The shared tier as one process sees it: what it cannot be trusted with at the moment, and that its failures are nobody's.
///
/// An eviction that this process knows of and has not brought there yet makes what depends on its tags unusable from there. One that could not
/// be brought there makes everything unusable, until everything there has been forgotten. No caller waits for it for long: see
/// ``Impatience``.
final class SharedFront: Sendable {
    private let tier: any SharedTier
    /// How long a caller waits for one answer.
    private let wait: Duration
    private let logger: Logger
    private let state = Mutex(State())

    private struct State {
        /// How many evictions of a tag are on their way.
        var pending: [CacheTag: Int] = [:]
        /// Those of other processes.
        var queue: [Eviction] = []
        var isDraining = false
        /// Counts evictions that could not be brought there; those up to `mended` do not matter any more.
        var lost = 0
        var mended = 0
        var isMending = false
        var isAway = false
        var impatience = Impatience()
    }

    init(_ tier: any SharedTier, wait: Duration, logger: Logger) { (self.tier, self.wait, self.logger) = (tier, wait, logger) }

    var isAway: Bool { !tier.isAvailable || state.withLock { $0.impatience.isOn } }

    /// What to leave alone there if it depends on these; to be asked before looking. `nil` when nothing there is usable.
    func pending() async -> Set<CacheTag>? {
        guard tier.isAvailable, !Deadline.hasPassed, state.withLock({ $0.impatience.admits(at: .now) }) else { return nil }
        let (isWhole, pending) = state.withLock { ($0.lost == $0.mended, $0.pending) }
        if isWhole { return Set(pending.keys) }
        await mend()
        return state.withLock { $0.lost == $0.mended ? Set($0.pending.keys) : nil }
    }

    func look(_ key: String, tags: [CacheTag], holder: String, renews: Bool) async -> SharedLook? {
        await attempt {
            try await $0.look(key, tags: tags, holder: holder, renews: renews)
        } late: { tier, look in
            // Nobody fills it any more, and others would wait for that.
            if case .miss(let ticket) = look { try await tier.release(key, ticket) }
        }
    }

    /// Runs one call; `nil` when it failed, or has no answer yet. Whoever asked goes on without.
    func attempt<Answer: Sendable>(
        _ call: @escaping @Sendable (any SharedTier) async throws -> Answer,
        late: @escaping @Sendable (any SharedTier, Answer) async throws -> Void = { _, _ in }
    ) async -> Answer? {
        let outcome: Result<Answer, any Error>? = await awaited(within: wait) { [self] in
            await result(of: call)
        } late: { [self] outcome in
            if case .success(let answer) = outcome { _ = await result { try await late($0, answer) } }
        }
        switch outcome {
        case .success(let answer):
            note(nil)
            return answer
        case .failure(let error): note(error)
        case nil: if !Task.isCancelled { note(TooSlow(wait: wait)) }
        }
        return nil
    }

    private func result<Answer>(of call: (any SharedTier) async throws -> Answer) async -> Result<Answer, any Error> {
        do { return .success(try await call(tier)) } catch { return .failure(error) }
    }

    private func note(_ error: (any Error)?) {
        let isChanged = state.withLock { state in
            if error is TooSlow { state.impatience.waitedInVain(at: .now) }
            if error == nil { state.impatience.answered() }
            defer { state.isAway = error != nil }
            return state.isAway != (error != nil)
        }
        guard isChanged else { return }
        if let error {
            logger.warning("the shared cache is away", error: error)
        } else {
            logger.info("the shared cache is back")
        }
    }

    private struct TooSlow: Error, CustomStringConvertible {
        let wait: Duration

        var description: String { "no answer within \(wait)" }
    }
}

extension SharedFront {
    /// To be called before the eviction is applied anywhere else in this process, so that nothing comes back from there meanwhile.
    func expect(_ eviction: Eviction) {
        state.withLock { state in
            for tag in eviction.tags { state.pending[tag, default: 0] += 1 }
        }
    }

    /// Brings an expected eviction there. Returns when it is there, when it is noted that it is not, or when that takes too long: until it
    /// is there, what depends on its tags is left alone.
    func apply(_ eviction: Eviction) async {
        // The caller may be cancelled; the commit has happened all the same.
        let bringing = Deadline.without { Task { await bring(eviction) } }
        // Where nobody asks, nobody waits.
        guard !state.withLock({ $0.impatience.isOn }) else { return }
        if await awaited(within: wait, { await bringing.value }) == nil, !Task.isCancelled { note(TooSlow(wait: wait)) }
    }

    private func bring(_ eviction: Eviction) async {
        let isThere = tier.isAvailable ? await isDone { try await $0.evict(eviction) } : false
        state.withLock { state in
            if !isThere { state.lost += 1 }
            for tag in eviction.tags {
                state.pending[tag, default: 1] -= 1
                if state.pending[tag] == 0 { state.pending[tag] = nil }
            }
        }
    }

    private func isDone(_ call: (any SharedTier) async throws -> Void) async -> Bool {
        switch await result(of: call) {
        case .success: return true
        case .failure(let error):
            note(error)
            return false
        }
    }

    /// The same, without waiting for it.
    func applyLater(_ eviction: Eviction) {
        let isIdle = state.withLock { state in
            state.queue.append(eviction)
            defer { state.isDraining = true }
            return !state.isDraining
        }
        if isIdle { Deadline.without { _ = Task { await drain() } } }
    }

    /// What has come meanwhile goes together, or a slow tier would be ever further behind. Their order does not matter.
    private func drain() async {
        while let evictions = takeQueue() {
            await withDiscardingTaskGroup { group in
                for eviction in evictions { group.addTask { await self.bring(eviction) } }
            }
        }
    }

    private func takeQueue() -> [Eviction]? {
        state.withLock { state in
            if state.queue.isEmpty { state.isDraining = false }
            defer { state.queue = [] }
            return state.queue.isEmpty ? nil : state.queue
        }
    }

    /// Has everything forgotten there, since evictions were lost; one caller at a time tries, the others do without meanwhile.
    private func mend() async {
        let lost = state.withLock { state -> Int? in
            defer { state.isMending = true }
            return state.isMending ? nil : state.lost
        }
        guard let lost else { return }
        _ = await attempt { [self] tier in
            defer { state.withLock { $0.isMending = false } }
            try await tier.forgetEverything()
            state.withLock { $0.mended = lost }
        }
    }
}
