import Logging
import Synchronization

/// The shared tier as one process sees it: what it cannot be trusted with at the moment, and that its failures are nobody's.
///
/// An eviction that this process knows of and has not brought there yet makes what depends on its tags unusable from there. One that could not
/// be brought there makes everything unusable, until everything there has been forgotten.
final class SharedFront: Sendable {
    let tier: any SharedTier
    private let logger: Logger
    private let state = Mutex(State())

    private struct State {
        /// How many evictions of a tag are on their way.
        var pending: [CacheTag: Int] = [:]
        /// Those of other processes, in their order.
        var queue: [Eviction] = []
        var isDraining = false
        /// Counts evictions that could not be brought there; those up to `mended` do not matter any more.
        var lost = 0
        var mended = 0
        var isMending = false
        var isAway = false
    }

    init(_ tier: any SharedTier, logger: Logger) { (self.tier, self.logger) = (tier, logger) }

    /// What to leave alone there if it depends on these; to be asked before looking. `nil` when nothing there is usable.
    func pending() async -> Set<CacheTag>? {
        guard tier.isAvailable else { return nil }
        let (isWhole, pending) = state.withLock { ($0.lost == $0.mended, $0.pending) }
        if isWhole { return Set(pending.keys) }
        await mend()
        return state.withLock { $0.lost == $0.mended ? Set($0.pending.keys) : nil }
    }

    /// Runs one call; `nil` when it failed. Whoever asked goes on without.
    func attempt<Result>(_ call: (any SharedTier) async throws -> Result) async -> Result? {
        do {
            let result = try await call(tier)
            note(isAway: false)
            return result
        } catch is CancellationError {
            return nil
        } catch {
            note(isAway: true, error)
            return nil
        }
    }

    private func note(isAway: Bool, _ error: (any Error)? = nil) {
        let isChanged = state.withLock { state in
            defer { state.isAway = isAway }
            return state.isAway != isAway
        }
        guard isChanged else { return }
        if let error {
            logger.warning("the shared cache is away", metadata: ["error": "\(error)"])
        } else {
            logger.info("the shared cache is back")
        }
    }
}

extension SharedFront {
    /// To be called before the eviction is applied anywhere else in this process, so that nothing comes back from there meanwhile.
    func expect(_ eviction: Eviction) {
        state.withLock { state in
            for tag in eviction.tags { state.pending[tag, default: 0] += 1 }
        }
    }

    /// Brings an expected eviction there. Returns when it is there, or when it is noted that it is not.
    func apply(_ eviction: Eviction) async {
        // The caller may be cancelled; the commit has happened all the same.
        let isThere = await Task { [self] in tier.isAvailable ? await attempt { try await $0.evict(eviction) } != nil : false }.value
        state.withLock { state in
            if !isThere { state.lost += 1 }
            for tag in eviction.tags {
                state.pending[tag, default: 1] -= 1
                if state.pending[tag] == 0 { state.pending[tag] = nil }
            }
        }
    }

    /// The same, without waiting for it; one after another.
    func applyLater(_ eviction: Eviction) {
        let isIdle = state.withLock { state in
            state.queue.append(eviction)
            defer { state.isDraining = true }
            return !state.isDraining
        }
        if isIdle { Task { await drain() } }
    }

    private func drain() async {
        while let next = nextInQueue() { await apply(next) }
    }

    private func nextInQueue() -> Eviction? {
        state.withLock { state in
            if state.queue.isEmpty { state.isDraining = false }
            return state.queue.isEmpty ? nil : state.queue.removeFirst()
        }
    }

    /// Has everything forgotten there, since evictions were lost; one caller at a time tries, the others do without meanwhile.
    private func mend() async {
        let lost = state.withLock { state -> Int? in
            defer { state.isMending = true }
            return state.isMending ? nil : state.lost
        }
        guard let lost else { return }
        let isDone = await attempt { try await $0.forgetEverything() } != nil
        state.withLock { state in
            if isDone { state.mended = lost }
            state.isMending = false
        }
    }
}
