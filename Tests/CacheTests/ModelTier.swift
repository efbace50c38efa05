import MartletCore
import MartletTestSupport
import Synchronization

@testable import MartletCache

/// A shared tier in this process, which can be away: what ``SharedTier`` asks for, in its plainest form.
final class ModelTier: SharedTier {
    private struct State {
        var epoch = 0
        var sequence: Int64 = 1
        var evicted: [CacheTag: Int64] = [:]
        var entries: [String: (entry: SharedEntry, ticket: SharedTicket, stored: ContinuousClock.Instant)] = [:]
        var holders: [String: String] = [:]
        var isAway = false
        var calls = 0
    }

    private let state = Mutex(State())
    private let clock: CacheClock

    init(clock: CacheClock = .continuous) { self.clock = clock }

    let isAvailable = true
    var calls: Int { state.withLock { $0.calls } }

    func leave() { state.withLock { $0.isAway = true } }
    func comeBack() { state.withLock { $0.isAway = false } }

    private func call<Result>(_ body: (inout State) throws -> Result) throws -> Result {
        try state.withLock { state in
            state.calls += 1
            if state.isAway { throw Failure.unavailable("away", "Away.") }
            return try body(&state)
        }
    }

    func look(_ key: String, tags: [CacheTag], holder: String, renews: Bool) async throws -> SharedLook {
        try call { state in
            if let entry = valid(key, state), entry.fresh > .zero || !renews { return .hit(entry) }
            let ticket = SharedTicket(epoch: "\(state.epoch)", sequence: state.sequence, holder: holder)
            if let other = state.holders[key], other != holder { return .busy(ticket) }
            state.holders[key] = holder
            return .miss(ticket)
        }
    }

    private func valid(_ key: String, _ state: State) -> SharedEntry? {
        guard let (entry, ticket, stored) = state.entries[key], isCurrent(ticket, entry.tags, state) else { return nil }
        let age = clock.now - stored
        guard age < entry.fresh + entry.stale else { return nil }
        return SharedEntry(bytes: entry.bytes, tags: entry.tags, age: age, fresh: entry.fresh - age, stale: entry.stale)
    }

    private func isCurrent(_ ticket: SharedTicket, _ tags: [CacheTag], _ state: State) -> Bool {
        ticket.epoch == "\(state.epoch)" && tags.allSatisfy { state.evicted[$0].map { $0 <= ticket.sequence } ?? true }
    }

    func read(_ key: String) async throws -> SharedEntry? { try call { valid(key, $0) } }

    func store(_ entry: SharedEntry, for key: String, with ticket: SharedTicket) async throws {
        try call { state in
            if isCurrent(ticket, entry.tags, state) { state.entries[key] = (entry, ticket, clock.now) }
            if state.holders[key] == ticket.holder { state.holders[key] = nil }
        }
    }

    func release(_ key: String, _ ticket: SharedTicket) async throws {
        try call { state in if state.holders[key] == ticket.holder { state.holders[key] = nil } }
    }

    func evict(_ eviction: Eviction) async throws {
        try call { state in
            state.sequence += 1
            for tag in eviction.tags { state.evicted[tag] = state.sequence }
        }
    }

    func remove(_ key: String) async throws { try call { $0.entries[key] = nil } }

    func forgetEverything() async throws { try call { $0.epoch += 1 } }
}
