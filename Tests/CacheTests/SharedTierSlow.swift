import MartletTestSupport
import Testing

@testable import MartletCache

/// A tier whose every call waits until it is told to go on.
private struct StuckTier: SharedTier {
    let model = ModelTier()
    let end = Gate()
    let asked = Tally()
    let isAvailable = true

    private func behind() async -> ModelTier {
        asked.next()
        await end.wait()
        return model
    }

    func look(_ key: String, tags: [CacheTag], holder: String, renews: Bool) async throws -> SharedLook {
        try await behind().look(key, tags: tags, holder: holder, renews: renews)
    }

    func read(_ key: String) async throws -> SharedEntry? { try await behind().read(key) }
    func store(_ entry: SharedEntry, for key: String, with ticket: SharedTicket) async throws {
        try await behind().store(entry, for: key, with: ticket)
    }

    func release(_ key: String, _ ticket: SharedTicket) async throws { try await behind().release(key, ticket) }
    func evict(_ eviction: Eviction) async throws { try await behind().evict(eviction) }
    func remove(_ key: String) async throws { try await behind().remove(key) }
    func forgetEverything() async throws { try await behind().forgetEverything() }
}

@Suite("A cache whose shared tier is slow")
struct SharedTierSlow {
    private let tier = StuckTier()

    /// Waits for as little as can be.
    private func front() -> SharedFront { SharedFront(tier, wait: .milliseconds(1), logger: .silent) }

    @Test func answersWithoutItAndOnlyTheFirstWaits() async throws {
        let cache = Cache(memory: MemoryTier(bytes: 8 << 20), shared: front())
        for key in 0..<20 {
            let value = try await cache.value(for: "\(key)", tags: ["p"], ttl: .seconds(60)) { key }
            #expect(value == key)
        }
        // One look each second, at most.
        #expect(tier.asked.value < 20)
        await cache.apply(Eviction(tags: ["p"]))
        #expect(cache.statistics.evicted == 20)
        await tier.end.open()
    }

    @Test func isToldOfAnEvictionNevertheless() async throws {
        guard case .miss(let ticket) = try await tier.model.look("k", tags: ["p"], holder: "one", renews: false) else { return }
        try await tier.model.store(SharedEntry(bytes: [1], tags: ["p"], fresh: .seconds(60), stale: .zero), for: "k", with: ticket)
        let (front, eviction) = (front(), Eviction(tags: ["p"]))
        front.expect(eviction)
        #expect(await front.pending() == ["p"])
        await front.apply(eviction)
        #expect(try await tier.model.read("k") != nil)
        await tier.end.open()
        try await eventually { try await tier.model.read("k") == nil }
        try await eventually { await front.pending() == [] }
    }

    @Test func nobodyIsMadeToWaitForWhoHasGoneOnWithoutIt() async throws {
        #expect(await front().look("k", tags: [], holder: "one", renews: false) == nil)
        await tier.end.open()
        try await eventually { tier.asked.value == 2 }
        try await eventually {
            if case .miss = try await tier.model.look("k", tags: [], holder: "two", renews: false) { true } else { false }
        }
    }
}
