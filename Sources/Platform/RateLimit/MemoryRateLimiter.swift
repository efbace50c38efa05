import Synchronization

/// Limits counted in this process, exactly.
///
/// It remembers at most ``capacity`` keys. One whose calls have all been given back is forgotten, a few at each call. When a flood of
/// distinct keys leaves no room, each new key takes the place of that of eight others which would be forgotten first: keys with a call or
/// two go, and those at the end of a long limit stay, unless most are. Whoever was forgotten begins anew.
public final class MemoryRateLimiter: RateLimiter {
    private let shards: [Shard]
    private let clock: @Sendable () -> Int64

    /// - Parameters:
    ///   - capacity: The most keys to remember, about 150 bytes each; rounded up to a multiple of the number of shards.
    ///   - clock: Microseconds that never go back.
    public init(capacity: Int = 1 << 16, clock: @escaping @Sendable () -> Int64 = Uptime.microseconds) {
        let count = min(16, max(1, capacity))
        shards = (0..<count).map { _ in Shard(capacity: (capacity + count - 1) / count) }
        self.clock = clock
    }

    /// How many keys are remembered.
    public var count: Int {
        shards.reduce(0) { sum, shard in sum + shard.table.withLock { $0.count } }
    }

    public func take(_ demands: [Demand]) async -> [Decision] { takeNow(demands) }

    func takeNow(_ demands: [Demand]) -> [Decision] {
        let now = clock()
        if demands.count == 1 {
            let demand = demands[0]
            return shards[shard(of: demand.key)].table.withLock { [$0.take(demand, at: now)] }
        }
        let places = demands.map { shard(of: $0.key) }
        var tables: [Int: LimitTable] = [:]
        return locked(Set(places).sorted()[...], &tables) { tables in Self.take(demands, places, &tables, at: now) }
    }

    /// Locks the shards one within the other, always in their order, so that two calls cannot wait for one another.
    private func locked(
        _ places: ArraySlice<Int>, _ held: inout [Int: LimitTable], _ body: (inout [Int: LimitTable]) -> [Decision]
    ) -> [Decision] {
        guard let place = places.first else { return body(&held) }
        return shards[place].table.withLock { table in
            // Moved out and back rather than copied.
            held[place] = table
            table = LimitTable(capacity: 0)
            defer { table = held.removeValue(forKey: place) ?? table }
            return locked(places.dropFirst(), &held, body)
        }
    }

    private static func take(
        _ demands: [Demand], _ places: [Int], _ tables: inout [Int: LimitTable], at now: Int64
    ) -> [Decision] {
        let debts = zip(demands, places).map { demand, place in tables[place]?.debt(demand, at: now) ?? 0 }
        let isTaken = zip(demands, debts).allSatisfy { GCRA($0.rate).admits($0.weight, on: $1) }
        for index in demands.indices where isTaken { tables[places[index]]?.add(demands[index], to: debts[index], at: now) }
        return zip(demands, debts).map { GCRA($0.rate).decision($0.weight, on: $1, isTaken: isTaken) }
    }

    private func shard(of key: String) -> Int { Int(UInt(bitPattern: key.hashValue) % UInt(shards.count)) }

    private final class Shard: Sendable {
        let table: Mutex<LimitTable>

        init(capacity: Int) { table = Mutex(LimitTable(capacity: capacity)) }
    }
}

/// The time since some moment, for what is remembered by this process only.
public enum Uptime {
    private static let start = ContinuousClock.now

    public static func microseconds() -> Int64 {
        let (seconds, attoseconds) = (ContinuousClock.now - start).components
        return seconds * 1_000_000 + attoseconds / 1_000_000_000_000
    }
}
