import Foundation
import MartletCore

/// The making of one entry: found in the shared tier, or else computed and kept.
struct Filling<Form: Keepable>: Sendable {
    let cache: Cache
    let key: String
    let tags: [CacheTag]
    let terms: CacheTerms
    let compute: @Sendable () async throws -> Made<Form>

    /// - Parameters:
    ///   - began: The number of evictions before it.
    ///   - acceptsStale: Whether an entry of the shared tier whose time has run out will do.
    func filled(since began: UInt64, acceptsStale: Bool = true) async throws -> Filled<Form> {
        // What was committed before the tail began it does not tell.
        let isHeard = cache.isCurrent
        guard let shared = cache.shared, isHeard, let pending = await shared.pending() else {
            return try await computed(since: cache.isCurrent && isHeard ? began : nil, with: nil)
        }
        switch await looked(in: shared, except: pending, acceptsStale) {
        case .found(let entry, let form): return kept(entry, form, since: began)
        case .fill(let ticket): return try await computed(since: began, with: ticket.map { (shared, $0) })
        }
    }

    /// Keeps something that was made elsewhere, in both tiers.
    func put(_ form: Form?) async {
        let (began, isHeard) = (cache.memory.sequence, cache.isCurrent)
        guard let shared = cache.shared, isHeard, await shared.pending() != nil else {
            return await keep(form, tags, since: isHeard ? began : nil, with: nil)
        }
        let look = await shared.look(key, tags: tags, holder: UUID().uuidString, renews: true)
        switch look {
        case .miss(let ticket), .busy(let ticket): await keep(form, tags, since: began, with: (shared, ticket))
        case .hit, nil: await keep(form, tags, since: began, with: nil)
        }
    }
}

// MARK: The shared tier

extension Filling {
    private enum Looked {
        case found(SharedEntry, Form?)
        /// Nothing to be had there; without a ticket nothing is to be kept there either.
        case fill(SharedTicket?)
    }

    /// Looks, and waits for a while when another process is computing it.
    private func looked(in shared: SharedFront, except pending: Set<CacheTag>, _ acceptsStale: Bool) async -> Looked {
        let (holder, end) = (UUID().uuidString, cache.clock.now + cache.settings.patience)
        var pause = Duration.milliseconds(5)
        while let look = await shared.look(key, tags: tags, holder: holder, renews: !acceptsStale) {
            switch look {
            case .hit(let entry):
                guard pending.isDisjoint(with: entry.tags), let form = form(of: entry) else { return .fill(nil) }
                return .found(entry, form)
            case .miss(let ticket): return .fill(ticket)
            case .busy(let ticket) where cache.clock.now >= end: return .fill(ticket)
            case .busy: break
            }
            guard (try? await Task.sleep(for: pause)) != nil else { return .fill(nil) }
            pause = min(pause * 2, .milliseconds(100))
        }
        return .fill(nil)
    }

    /// `nil` when its bytes cannot be read; `.some(nil)` when it says that there is nothing.
    private func form(of entry: SharedEntry) -> Form?? {
        guard let bytes = entry.bytes else { return .some(nil) }
        return Form(encoded: bytes).map { .some($0) }
    }

    private func kept(_ entry: SharedEntry, _ form: Form?, since began: UInt64) -> Filled<Form> {
        let now = cache.clock.now
        cache.counters.sharedHits.count()
        // The next hit in memory has it renewed.
        if entry.fresh <= .zero { cache.counters.staleHits.count() }
        let (fresh, stale) = (now + max(.zero, entry.fresh), now + max(.zero, entry.fresh + entry.stale))
        let memory = MemoryShard.Entry(form: form, tags: entry.tags, made: now - entry.age, freshUntil: fresh, staleUntil: stale)
        cache.memory.keep(memory, for: key, since: began, at: now)
        let found = Found(form: form, tags: entry.tags, age: entry.age, isStale: entry.fresh <= .zero, source: .shared)
        return Filled(found: found, isShareable: true)
    }
}

// MARK: Computing

extension Filling {
    /// - Parameters:
    ///   - began: `nil` for what must not be kept.
    ///   - shared: Where else to keep it.
    private func computed(since began: UInt64?, with shared: (SharedFront, SharedTicket)?) async throws -> Filled<Form> {
        cache.counters.computed.count()
        do {
            let (made, used) = try await CacheTags.collecting(compute)
            let tags = tags + Set(used).subtracting(tags)
            if made.isShareable { await keep(made.form, tags, since: began, with: shared) } else { await release(shared) }
            let found = Found(form: made.form, tags: tags, age: .zero, isStale: false, source: .computed)
            return Filled(found: found, isShareable: made.isShareable)
        } catch {
            await release(shared)
            throw error
        }
    }

    private func keep(_ form: Form?, _ tags: [CacheTag], since began: UInt64?, with shared: (SharedFront, SharedTicket)?) async {
        guard let began else { return await release(shared) }
        let isAlone = cache.shared != nil && shared == nil
        let (fresh, stale) = terms.lifetime(
            isMissing: form == nil, chance: cache.chance(), spread: cache.settings.spread,
            most: isAlone ? cache.settings.alone : CacheTerms.longest)
        let now = cache.clock.now
        let entry = MemoryShard.Entry(form: form, tags: tags, made: now, freshUntil: now + fresh, staleUntil: now + fresh + stale)
        cache.memory.keep(entry, for: key, since: began, at: now)
        guard let (front, ticket) = shared else { return }
        let other = SharedEntry(bytes: form?.encoded(), tags: tags, fresh: fresh, stale: stale)
        _ = await front.attempt { try await $0.store(other, for: key, with: ticket) }
    }

    private func release(_ shared: (SharedFront, SharedTicket)?) async {
        guard let (front, ticket) = shared else { return }
        _ = await front.attempt { try await $0.release(key, ticket) }
    }
}
