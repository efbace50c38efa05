import MartletTestSupport
import Synchronization
import Testing

@testable import MartletCache

/// Random reads and writes of two instances that share a database: nobody reads what is older than the cache promises.
@Suite("Histories of reads and writes")
struct Histories {
    private static let items = 40

    /// Short enough that a history takes much longer.
    private static let settings = Cache.Settings(bound: .milliseconds(500), wait: .seconds(10))

    @Test(arguments: CommonDatabase.all, [nil] + SharedTierKind.all)
    func nothingIsReadThatIsOlderThanPromised(database: CommonDatabase, kind: SharedTierKind?) async throws {
        try await database.withInstances(items: Self.items, settings: Self.settings, shared: kind?.make()) { near, far in
            let acknowledged = Acknowledged(bound: Self.settings.bound)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for worker in 0..<16 {
                    let (place, instance) = (worker % 2, worker % 2 == 0 ? near : far)
                    group.addTask { try await Self.work(worker, at: place, instance, acknowledged) }
                }
                try await group.waitForAll()
            }
            for instance in [near, far] {
                let statistics = instance.cache.statistics
                #expect(statistics.memoryHits > 2000 && statistics.evicted > 100, "\(statistics)")
                // One entry of an instance uses an item, and only that one leaves when it is written.
                #expect(statistics.evicted <= acknowledged.writes, "\(statistics)")
                if kind != nil { #expect(statistics.sharedHits > 0, "\(statistics)") }
            }
            #expect(acknowledged.reads > 20_000)
        }
    }

    private static func work(_ worker: Int, at place: Int, _ instance: Instance, _ acknowledged: Acknowledged) async throws {
        var numbers = SeededNumbers(seed: UInt64(worker))
        for _ in 0..<1500 {
            let id = Int.random(in: 0..<items, using: &numbers)
            if Int.random(in: 0..<20, using: &numbers) == 0 {
                acknowledged.note(try await instance.write(id), of: id, at: place)
            } else {
                let least = acknowledged.least(of: id, at: place)
                let version = try await instance.version(of: id)
                acknowledged.countRead()
                #expect(version >= least, "item \(id) at \(place)")
            }
        }
    }
}

/// Which versions were committed, as their writers were told.
private final class Acknowledged: Sendable {
    private struct State {
        var own: [[Int: Int]] = [[:], [:]]
        var all: [Int: [(version: Int, moment: ContinuousClock.Instant)]] = [:]
        var reads = 0
    }

    private let state = Mutex(State())
    private let bound: Duration

    init(bound: Duration) { self.bound = bound }

    var writes: Int { state.withLock { $0.all.values.reduce(0) { $0 + $1.count } } }
    var reads: Int { state.withLock { $0.reads } }

    func countRead() { state.withLock { $0.reads += 1 } }

    func note(_ version: Int, of id: Int, at place: Int) {
        state.withLock { state in
            state.own[place][id] = max(version, state.own[place][id] ?? 0)
            state.all[id, default: []].append((version, .now))
        }
    }

    /// The oldest version that a read which begins now may return.
    func least(of id: Int, at place: Int) -> Int {
        state.withLock { state in
            let old = state.all[id]?.filter { $0.moment < .now - bound }.map(\.version).max() ?? 0
            return max(old, state.own[place][id] ?? 0)
        }
    }
}
