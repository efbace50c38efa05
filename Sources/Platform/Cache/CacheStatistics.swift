import Synchronization

/// What a cache has done since it began. For metrics: reading it is cheap, and its parts need not be of one same moment.
public struct CacheStatistics: Sendable, Hashable {
    public var memoryHits = 0
    public var sharedHits = 0
    /// Hits, of either, that were served while a new entry was being made.
    public var staleHits = 0
    public var misses = 0
    /// Callers who got what another one's work computed.
    public var joined = 0
    public var computed = 0
    /// Entries that were removed from memory because a tag of theirs was evicted.
    public var evicted = 0
    /// Entries that left memory for want of room.
    public var displaced = 0
    /// Lookups that could not be answered from what is kept, since evictions were not heard of for too long.
    public var withheld = 0
    public var entries = 0
    /// What they take in memory.
    public var bytes = 0
}

/// The counters behind it.
final class CacheCounters: Sendable {
    let memoryHits = Atomic(0), sharedHits = Atomic(0), staleHits = Atomic(0), misses = Atomic(0)
    let joined = Atomic(0), computed = Atomic(0), evicted = Atomic(0), withheld = Atomic(0)

    var statistics: CacheStatistics {
        var statistics = CacheStatistics()
        statistics.memoryHits = memoryHits.load(ordering: .relaxed)
        statistics.sharedHits = sharedHits.load(ordering: .relaxed)
        statistics.staleHits = staleHits.load(ordering: .relaxed)
        statistics.misses = misses.load(ordering: .relaxed)
        statistics.joined = joined.load(ordering: .relaxed)
        statistics.computed = computed.load(ordering: .relaxed)
        statistics.evicted = evicted.load(ordering: .relaxed)
        statistics.withheld = withheld.load(ordering: .relaxed)
        return statistics
    }
}

extension Atomic where Value == Int {
    func count(_ more: Int = 1) { add(more, ordering: .relaxed) }
}
