import MartletContract
import MartletCore

// Values are kept as JSON, so that nobody shares an object with anybody, and reading them runs no code but their own.
extension Cache {
    /// The value of a key: kept, or else computed and kept. Callers that ask meanwhile wait for the same computation, and hear its failure.
    ///
    /// - Parameters:
    ///   - key: Names the value among all of the program; another shape needs another name, since other releases read it too.
    ///   - tags: What it depends on, beside what ``CacheTags/use(_:)`` names in `compute`.
    ///   - ttl: How long it is kept, give or take a tenth; a day at most.
    ///   - stale: How long it is served beyond that while a new one is computed.
    public func value<Value: Codable & Sendable>(
        for key: String, tags: [CacheTag] = [], ttl: Duration, stale: Duration = .zero,
        _ compute: @escaping @Sendable () async throws -> Value
    ) async throws -> Value {
        let terms = CacheTerms(ttl: ttl, stale: stale)
        guard let value = try await optional(key, tags, terms, compute) else { throw Self.lacking(key) }
        return value
    }

    /// The same for what may not be there: that there is nothing is remembered for `missing`, by default a fifth of `ttl`.
    public func value<Value: Codable & Sendable>(
        for key: String, tags: [CacheTag] = [], ttl: Duration, stale: Duration = .zero, missing: Duration? = nil,
        _ compute: @escaping @Sendable () async throws -> Value?
    ) async throws -> Value? {
        try await optional(key, tags, CacheTerms(ttl: ttl, stale: stale, missing: missing), compute)
    }

    private func optional<Value: Codable & Sendable>(
        _ key: String, _ tags: [CacheTag], _ terms: CacheTerms, _ compute: @escaping @Sendable () async throws -> Value?
    ) async throws -> Value? {
        let key = Self.valueKey(key)
        let making: @Sendable () async throws -> Made<KeptBytes> = {
            Made(try await compute().map { KeptBytes(try WireJSON.encode($0)) })
        }
        let found = try await find(key, tags: tags, terms, making)
        do {
            return try found.form.map { try WireJSON.decode(Value.self, from: $0.bytes) }
        } catch  where found.source != .computed {
            // Another release's shape.
            await forget(key)
            return try await find(key, tags: tags, terms, making).form.map { try WireJSON.decode(Value.self, from: $0.bytes) }
        }
    }

    private static func lacking(_ key: String) -> Failure {
        Failure(.internal, "cache_value_missing", "There is nothing under a key whose value is never missing: \(key).")
    }

    static func valueKey(_ key: String) -> String { "v:" + key }
}

extension Cache {
    /// What is kept under a key; `nil` when nothing is, and when it is known that there is nothing.
    public func get<Value: Codable & Sendable>(_ key: String, as type: Value.Type) async throws -> Value? {
        let key = Self.valueKey(key)
        if let found = peek(key, as: KeptBytes.self) { return try found.form.map { try WireJSON.decode(type, from: $0.bytes) } }
        guard isCurrent, let shared, let pending = await shared.pending() else { return nil }
        guard let entry = await shared.attempt({ try await $0.read(key) }) ?? nil, pending.isDisjoint(with: entry.tags),
            entry.fresh > .zero, let bytes = entry.bytes
        else { return nil }
        return try WireJSON.decode(type, from: bytes)
    }

    /// What is kept under some of the keys.
    public func getMany<Value: Codable & Sendable>(_ keys: [String], as type: Value.Type) async throws -> [String: Value] {
        try await withThrowingTaskGroup(of: (String, Value?).self) { group in
            for key in Set(keys) { group.addTask { (key, try await self.get(key, as: type)) } }
            return try await group.reduce(into: [:]) { if let value = $1.1 { $0[$1.0] = value } }
        }
    }

    /// Keeps a value. Nobody knows when it was read, so it may be older than an eviction of its tags before this call: prefer
    /// ``value(for:tags:ttl:stale:_:)``, which does.
    public func set<Value: Codable & Sendable>(
        _ key: String, _ value: Value, tags: [CacheTag] = [], ttl: Duration, stale: Duration = .zero
    ) async throws {
        let bytes = KeptBytes(try WireJSON.encode(value))
        await forget(Self.valueKey(key))
        let terms = CacheTerms(ttl: ttl, stale: stale)
        await Filling(cache: self, key: Self.valueKey(key), tags: tags, terms: terms) { Made(bytes) }.put(bytes)
    }

    /// The same for several values with the same tags.
    public func setMany<Value: Codable & Sendable>(
        _ values: [String: Value], tags: [CacheTag] = [], ttl: Duration, stale: Duration = .zero
    ) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (key, value) in values { group.addTask { try await self.set(key, value, tags: tags, ttl: ttl, stale: stale) } }
            try await group.waitForAll()
        }
    }

    /// Removes what is kept under a key, here and in the shared tier. Other processes may serve it until its time runs out: what has to go
    /// everywhere is evicted by a tag.
    public func remove(_ key: String) async { await forget(Self.valueKey(key)) }

    private func forget(_ key: String) async {
        memory.remove(key)
        _ = await shared?.attempt { try await $0.remove(key) }
    }
}
