import MartletCache
import MartletRateLimit
import MartletTelemetry
import Tracing

/// A round trip to Redis, by what it was for; keys tell too much.
struct RedisSpan: SpanDetail {
    let work: StaticString

    var kind: SpanKind { .client }

    func describe() -> SpanDescription {
        SpanDescription("redis \(work)", [SpanValue("db.system.name", "redis"), SpanValue("db.operation.name", "\(work)")])
    }

    nonisolated(nonsending) static func step<Result>(
        _ work: StaticString, _ body: nonisolated(nonsending) () async throws -> Result
    ) async throws -> Result {
        guard let trace = Trace.current else { return try await body() }
        return try await trace.step(RedisSpan(work: work), body)
    }
}

/// Shared counts whose round trips are spans.
struct TracedLimiter: RateLimiter {
    let inner: any RateLimiter

    init(_ inner: any RateLimiter) { self.inner = inner }

    var degradation: LimiterState { inner.degradation }

    func take(_ demands: [Demand]) async throws -> [Decision] {
        try await RedisSpan.step("limit") { try await inner.take(demands) }
    }
}

/// A shared tier of the cache whose round trips are spans.
struct TracedTier: SharedTier {
    let inner: any SharedTier

    init(_ inner: any SharedTier) { self.inner = inner }

    var isAvailable: Bool { inner.isAvailable }

    func look(_ key: String, tags: [CacheTag], holder: String, renews: Bool) async throws -> SharedLook {
        try await RedisSpan.step("look") { try await inner.look(key, tags: tags, holder: holder, renews: renews) }
    }

    func read(_ key: String) async throws -> SharedEntry? { try await RedisSpan.step("read") { try await inner.read(key) } }

    func store(_ entry: SharedEntry, for key: String, with ticket: SharedTicket) async throws {
        try await RedisSpan.step("store") { try await inner.store(entry, for: key, with: ticket) }
    }

    func release(_ key: String, _ ticket: SharedTicket) async throws {
        try await RedisSpan.step("release") { try await inner.release(key, ticket) }
    }

    func evict(_ eviction: Eviction) async throws { try await RedisSpan.step("evict") { try await inner.evict(eviction) } }
    func remove(_ key: String) async throws { try await RedisSpan.step("remove") { try await inner.remove(key) } }
    func forgetEverything() async throws { try await RedisSpan.step("forget") { try await inner.forgetEverything() } }
}
