public import Logging
import MartletCore
public import MartletStorage
import Synchronization

/// What has been computed, kept until its time runs out or something it was made of changes.
///
/// ```swift
/// let product = try await cache.value(for: "product:\(id)", tags: ["product:\(id)"], ttl: .seconds(60)) { try await store.find(id) }
/// try await database.transaction { tx in
///     try await tx.change("UPDATE product …")
///     try await tx.evict("product:\(id)")
/// }
/// ```
/// Two tiers: this process's memory, and optionally one that several processes share. What is promised:
/// - Who waited for a commit reads, on the instance that committed, nothing that its evictions made out of date.
/// - Elsewhere nothing is read that is out of date for longer than ``Settings/bound``; usually it is milliseconds. An instance that does not
///   hear of evictions for longer computes everything until it does.
/// - No call fails because of the cache: without the shared tier, and without a database that tells of evictions, values are computed.
public final class Cache: Sendable {
    public struct Settings: Sendable {
        /// For how long it may hear of no eviction, and still serve what it keeps.
        public var bound: Duration
        /// Each entry's time is its ttl times a number of this range.
        public var spread: ClosedRange<Double>
        /// The most that an entry made while the shared tier is away is kept in memory.
        public var alone: Duration
        /// How long to wait for another process's computation before computing, too. One that has died makes others wait for so long.
        public var patience: Duration
        /// How long a caller waits for one answer of the shared tier before it goes on without.
        public var wait: Duration

        public init(
            bound: Duration = .seconds(5), spread: ClosedRange<Double> = 0.9...1.1, alone: Duration = .seconds(10),
            patience: Duration = .milliseconds(500), wait: Duration = .milliseconds(100)
        ) {
            (self.bound, self.spread, self.alone, self.patience, self.wait) = (bound, spread, alone, patience, wait)
        }
    }

    let memory: MemoryTier
    let shared: SharedFront?
    let settings: Settings
    let clock: CacheClock
    let flights = Flights()
    let counters = CacheCounters()
    private let tail: OutboxTail?
    private let own = Mutex(OwnEvictions())
    /// A number from 0 to 1 for each entry.
    let chance: @Sendable () -> Double

    /// To be made before the tail runs.
    ///
    /// - Parameter tail: Tells of evictions; nothing is served from what is kept unless it runs.
    public convenience init(
        memory: MemoryTier = MemoryTier(), shared: (any SharedTier)? = nil, tail: OutboxTail, settings: Settings = Settings(),
        clock: CacheClock = .continuous, logger: Logger
    ) {
        let front = shared.map { SharedFront($0, wait: settings.wait, logger: logger) }
        self.init(memory: memory, shared: front, tail: tail, settings: settings, clock: clock)
        tail.subscribe(Eviction.topic) { [weak self] in self?.hear($0, logger) }
        tail.announcements.heed(Eviction.topic) { [weak self] note in
            if let eviction = note as? Eviction { await self?.apply(eviction) }
        }
    }

    /// Without a tail: only what this process evicts is.
    init(
        memory: MemoryTier, shared: SharedFront? = nil, tail: OutboxTail? = nil, settings: Settings = Settings(),
        clock: CacheClock = .continuous, chance: @escaping @Sendable () -> Double = { .random(in: 0...1) }
    ) {
        (self.memory, self.shared, self.tail) = (memory, shared, tail)
        (self.settings, self.clock, self.chance) = (settings, clock, chance)
    }

    public var statistics: CacheStatistics {
        var statistics = counters.statistics
        (statistics.entries, statistics.bytes, statistics.displaced) = memory.load
        return statistics
    }

    /// Whether there is a tier that processes share and it is not asked at the moment, since it is away or slow.
    public var isAlone: Bool { shared?.isAway ?? false }

    /// Whether evictions are heard of, so that what is kept may be served.
    var isCurrent: Bool {
        guard let tail else { return true }
        // The real clock: the tail knows no other.
        return tail.isCaughtUpWith.map { ContinuousClock.now - $0 <= settings.bound } ?? false
    }
}

// MARK: Evicting

extension Cache {
    /// Applies an eviction that this process has just committed; returns when nothing it makes out of date can be read here.
    func apply(_ eviction: Eviction) async {
        own.withLock { $0.add(eviction.id) }
        shared?.expect(eviction)
        counters.evicted.count(memory.evict(eviction.tags))
        await shared?.apply(eviction)
    }

    /// Applies one that the outbox tells of, unless it is this process's own.
    private func hear(_ entry: OutboxEntry, _ logger: Logger) {
        guard let eviction = read(entry, logger) else { return memory.evictAll() }
        if own.withLock({ $0.take(eviction.id) }) { return }
        shared?.expect(eviction)
        counters.evicted.count(memory.evict(eviction.tags))
        shared?.applyLater(eviction)
    }

    /// `nil` for one that another release has written otherwise: it may mean anything.
    private func read(_ entry: OutboxEntry, _ logger: Logger) -> Eviction? {
        do {
            return try entry.payload(as: Eviction.self)
        } catch {
            logger.error("an eviction cannot be read", metadata: ["position": "\(entry.position)", "error": "\(error)"])
            return nil
        }
    }
}
