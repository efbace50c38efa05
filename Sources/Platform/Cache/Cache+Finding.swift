import MartletCore
import MartletTelemetry

extension Cache {
    /// What memory has under a key. It costs no round trip, and does not wait.
    public func peek<Form: Keepable>(_ key: String, as form: Form.Type = Form.self) -> Found<Form>? {
        let now = clock.now
        guard let entry = memory.entry(key, at: now) else { return nil }
        guard isCurrent else {
            counters.withheld.count()
            return nil
        }
        let found = entry.form as? Form
        // Another form under the same key is somebody else's.
        guard found != nil || entry.form == nil else { return nil }
        counters.memoryHits.count()
        return Found(form: found, tags: entry.tags, age: now - entry.made, isStale: now >= entry.freshUntil, source: .memory)
    }

    /// What is kept under a key, or else what `compute` makes, which is then kept. Parallel callers share one computation, and hear its failure;
    /// it goes on when one of them is cancelled.
    ///
    /// - Parameters:
    ///   - tags: What it depends on, beside what ``CacheTags/use(_:)`` names while it is computed.
    ///   - compute: May be called in a task of its own, and more than once.
    public func find<Form: Keepable>(
        _ key: String, tags: [CacheTag], _ terms: CacheTerms, as form: Form.Type = Form.self,
        _ compute: @escaping @Sendable () async throws -> Made<Form>
    ) async throws -> Found<Form> {
        let filling = Filling(cache: self, key: key, tags: tags, terms: terms, compute: compute)
        let found = try await traced { try await kept(filling) }
        // Whatever is computed around it depends on the same.
        CacheTags.use(found.tags)
        return found
    }

    private func traced<Form>(_ look: () async throws -> Found<Form>) async throws -> Found<Form> {
        guard let trace = Trace.current else { return try await look() }
        return try await trace.scope({ CacheSpan($0) }, look)
    }

    private func kept<Form>(_ filling: Filling<Form>) async throws -> Found<Form> {
        guard let found: Found<Form> = peek(filling.key) else {
            counters.misses.count()
            return try await filled(filling)
        }
        if found.isStale {
            counters.staleHits.count()
            renew(filling)
        }
        return found
    }

    /// Has a new entry made in the background, by one task.
    public func renew<Form: Keepable>(
        _ key: String, tags: [CacheTag], _ terms: CacheTerms, as form: Form.Type = Form.self,
        _ compute: @escaping @Sendable () async throws -> Made<Form>
    ) {
        counters.staleHits.count()
        renew(Filling(cache: self, key: key, tags: tags, terms: terms, compute: compute))
    }

    private func renew<Form>(_ filling: Filling<Form>) {
        let began = memory.sequence
        flights.begin(filling.key, began: began) { try await filling.filled(since: began, acceptsStale: false) }
    }

    /// Joins the computation of the key, or begins it. A computation that began before something it uses was evicted is of no use to who came
    /// after that.
    private func filled<Form>(_ filling: Filling<Form>) async throws -> Found<Form> {
        for _ in 0..<3 {
            let began = memory.sequence
            let landing = try await flights.outcome(of: filling.key, began: began) { try await filling.filled(since: began) }
            guard let filled = landing.value as? Filled<Form> else { break }
            if landing.isOwn { return filled.found }
            guard filled.isShareable else { break }
            if landing.began == began || memory.isCurrent(filled.found.tags, since: landing.began) {
                counters.joined.count()
                return filled.found
            }
        }
        return try await filling.filled(since: memory.sequence).found
    }
}

/// What a computation's owner and those who waited for it get.
struct Filled<Form: Keepable>: Sendable {
    let found: Found<Form>
    let isShareable: Bool
}
