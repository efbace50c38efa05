import MartletTestSupport
import Testing

@testable import MartletCache

@Suite("A shard of the memory tier")
struct MemoryShardTests {
    private let start = ContinuousClock.now

    private func entry(_ bytes: Int = 100, tags: [CacheTag] = [], fresh: Duration = .seconds(60), stale: Duration = .zero)
        -> MemoryShard.Entry
    {
        let form = KeptBytes([UInt8](repeating: 1, count: bytes))
        return MemoryShard.Entry(form: form, tags: tags, made: start, freshUntil: start + fresh, staleUntil: start + fresh + stale)
    }

    /// The macro cannot hold calls that change the shard.
    private func expect(_ holds: Bool, at location: SourceLocation = #_sourceLocation) {
        #expect(holds, sourceLocation: location)
    }

    private func keys(of shard: inout MemoryShard, _ all: Range<Int>) -> [Int] {
        all.filter { shard.entry("\($0)", at: start) != nil }
    }

    @Test func anEntryIsThereUntilItsTimeIsOver() {
        var shard = MemoryShard(capacity: 100_000)
        expect(shard.keep(entry(stale: .seconds(5)), for: "a", since: 1, at: start))
        expect(shard.entry("a", at: start + .seconds(64)) != nil)
        expect(shard.entry("a", at: start + .seconds(65)) == nil)
        #expect(shard.count == 0 && shard.bytes == 0)
    }

    @Test func itNeverHoldsMoreBytesThanItMay() {
        var (shard, numbers) = (MemoryShard(capacity: 20_000), SeededNumbers(seed: 1))
        for number in 0..<2000 {
            let key = "\(Int.random(in: 0..<300, using: &numbers))"
            _ = shard.keep(entry(Int.random(in: 0..<4000, using: &numbers), tags: ["t\(number % 40)"]), for: key, since: 1, at: start)
            #expect(shard.bytes <= 20_000)
        }
        #expect(shard.bytes > 10_000 && shard.displaced > 1000)
        _ = shard.evict((0..<40).map { "t\($0)" }, at: 2)
        #expect(shard.bytes == 0 && shard.count == 0 && shard.tagCount == 0)
    }

    @Test func whatWasAskedForOutlivesWhatWasNot() {
        let cost = MemoryShard.cost(of: "n0", entry())
        var shard = MemoryShard(capacity: cost * 10)
        for number in 0..<10 { expect(shard.keep(entry(), for: "\(number)", since: 1, at: start)) }
        for number in [2, 3, 5] { expect(shard.entry("\(number)", at: start) != nil) }
        for number in 0..<7 { expect(shard.keep(entry(), for: "n\(number)", since: 1, at: start)) }
        expect(keys(of: &shard, 0..<10) == [2, 3, 5])
    }

    @Test func oneThatTakesMoreThanAQuarterIsNotKept() {
        var shard = MemoryShard(capacity: 4000)
        expect(!shard.keep(entry(900), for: "a", since: 1, at: start))
        expect(shard.keep(entry(700), for: "a", since: 1, at: start))
    }

    @Test func anEvictionRemovesWhatHasTheTagAndNothingElse() {
        var shard = MemoryShard(capacity: 100_000)
        for number in 0..<20 {
            _ = shard.keep(entry(tags: ["item:\(number)", "odd:\(number % 2)"]), for: "\(number)", since: 1, at: start)
        }
        expect(shard.evict(["item:3"], at: 2) == 1)
        expect(keys(of: &shard, 0..<20) == (0..<20).filter { $0 != 3 })
        expect(shard.evict(["odd:0", "item:4"], at: 3) == 10)
        expect(keys(of: &shard, 0..<20) == (0..<20).filter { $0 % 2 == 1 && $0 != 3 })
        expect(shard.evict(["nothing"], at: 4) == 0)
    }

    @Test func whatBeganBeforeAnEvictionOfItsTagIsNotKept() {
        var shard = MemoryShard(capacity: 100_000)
        _ = shard.evict(["a"], at: 5)
        expect(!shard.keep(entry(tags: ["a"]), for: "k", since: 4, at: start))
        expect(shard.keep(entry(tags: ["b"]), for: "k", since: 4, at: start))
        expect(shard.keep(entry(tags: ["a"]), for: "k", since: 5, at: start))
    }

    @Test func anEntryThatIsReplacedLeavesNothingBehind() {
        var shard = MemoryShard(capacity: 100_000)
        _ = shard.keep(entry(tags: ["a"]), for: "k", since: 1, at: start)
        _ = shard.keep(entry(tags: ["b"]), for: "k", since: 1, at: start)
        expect(shard.evict(["a"], at: 2) == 0)
        #expect(shard.count == 1 && shard.tagCount == 1)
    }
}
