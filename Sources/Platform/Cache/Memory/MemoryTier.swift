import Synchronization

/// What one process keeps in its own memory: a hit costs a short lock and no copy.
public final class MemoryTier: Sendable {
    private let shards: [Shard]
    /// Counts evictions. A shard may hear of one a moment after it was counted: what begins meanwhile begins after it, and reads what was
    /// written.
    private let evictions = Atomic<UInt64>(1)

    private final class Shard: Sendable {
        let state: Mutex<MemoryShard>

        init(_ shard: consuming MemoryShard) { state = Mutex(shard) }
    }

    /// - Parameters:
    ///   - bytes: The most it holds, with what the entries need beside their own bytes.
    ///   - shards: How many locks share them; an entry may take a quarter of a shard.
    public init(bytes: Int = 64 << 20, shards: Int = 8) {
        let count = max(1, shards)
        self.shards = (0..<count).map { _ in Shard(MemoryShard(capacity: max(0, bytes) / count)) }
    }

    /// The number of evictions until now: to be read before what is to be kept is computed.
    var sequence: UInt64 { evictions.load(ordering: .acquiring) }

    func entry(_ key: String, at now: ContinuousClock.Instant) -> MemoryShard.Entry? {
        shard(of: key).state.withLock { $0.entry(key, at: now) }
    }

    /// `false` when it is not kept: a tag was evicted after `began`, or it is too large.
    @discardableResult
    func keep(_ entry: MemoryShard.Entry, for key: String, since began: UInt64, at now: ContinuousClock.Instant) -> Bool {
        shard(of: key).state.withLock { $0.keep(entry, for: key, since: began, at: now) }
    }

    /// Whether what began at a number is as good as what begins now.
    func isCurrent(_ tags: [CacheTag], since number: UInt64) -> Bool {
        // Every shard hears of every eviction.
        shards[0].state.withLock { $0.isCurrent(tags, since: number) }
    }

    /// Removes what depends on one of the tags, and refuses what began to be computed before; returns how many entries that were.
    @discardableResult
    func evict(_ tags: [CacheTag]) -> Int {
        let number = evictions.wrappingAdd(1, ordering: .acquiringAndReleasing).newValue
        return shards.reduce(0) { count, shard in count + shard.state.withLock { $0.evict(tags, at: number) } }
    }

    func evictAll() {
        let number = evictions.wrappingAdd(1, ordering: .acquiringAndReleasing).newValue
        for shard in shards { shard.state.withLock { $0.evictAll(at: number) } }
    }

    func remove(_ key: String) { shard(of: key).state.withLock { $0.remove(key) } }

    /// What it holds now: entries, their bytes, and how many left for want of room.
    var load: (entries: Int, bytes: Int, displaced: Int) {
        shards.reduce((0, 0, 0)) { sum, shard in
            shard.state.withLock { (sum.0 + $0.count, sum.1 + $0.bytes, sum.2 + $0.displaced) }
        }
    }

    private func shard(of key: String) -> Shard {
        shards[Int(UInt(bitPattern: key.hashValue) % UInt(shards.count))]
    }
}
