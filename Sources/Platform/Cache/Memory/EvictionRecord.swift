/// Which tags were evicted lately, and when, as numbers of a sequence: whether what began at some number may still be kept.
///
/// It is bounded. What it has forgotten counts as evicted: nothing may be kept that began before the oldest it knows.
struct EvictionRecord: Sendable {
    private let capacity: Int
    private var last: [CacheTag: UInt64] = [:]
    /// In their order; those before `start` are forgotten.
    private var order: [(tag: CacheTag, number: UInt64)] = []
    private var start = 0
    private var floor: UInt64 = 0

    init(capacity: Int) { self.capacity = max(1, capacity) }

    /// Notes evictions. Two at once may come in either order.
    mutating func note(_ tags: [CacheTag], at number: UInt64) {
        for tag in tags {
            last[tag] = max(number, last[tag] ?? 0)
            order.append((tag, number))
        }
        while order.count - start > capacity { forgetOldest() }
        // Once in a while, so that each costs little.
        if start > capacity {
            order.removeFirst(start)
            start = 0
        }
    }

    /// Notes that everything was evicted.
    mutating func noteAll(at number: UInt64) {
        floor = max(floor, number)
        (last, order, start) = ([:], [], 0)
    }

    /// Whether none of the tags was evicted after the number.
    func isCurrent(_ tags: [CacheTag], since number: UInt64) -> Bool {
        number >= floor && tags.allSatisfy { last[$0].map { $0 <= number } ?? true }
    }

    private mutating func forgetOldest() {
        let (tag, number) = order[start]
        start += 1
        floor = max(floor, number)
        if last[tag] == number { last[tag] = nil }
    }
}
