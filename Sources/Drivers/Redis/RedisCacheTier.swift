public import MartletCache
import MartletCore

/// The tier of a cache that several processes share, in Redis.
///
/// The server counts evictions. A tag holds the number of its last one; an entry holds the number it began with, and is served only while no
/// tag of it has a greater one. What is compared is compared on the server, by one script, so that nothing between two calls can be old.
/// All is void when the server has restarted, since it may have come back with an older state; when it lost what it counts by; and when an
/// instance could not bring an eviction to it: each entry also holds the name of the epoch it was made in.
///
/// Its scripts name keys that they learn of as they run, so it needs a single server or a primary with replicas, not a cluster. Entries live
/// for ``CacheTerms/longest`` at most and tags twice as long; a tag that is missing makes its entries misses. It bears an eviction policy.
public struct RedisCacheTier: SharedTier {
    private let client: RedisClient
    private let prefix: String

    /// - Parameter prefix: What its keys begin with: instances that share a cache have the same, others another one.
    public init(_ client: RedisClient, prefix: String = "martlet:cache:") { (self.client, self.prefix) = (client, prefix) }

    public var isAvailable: Bool { client.isAvailable }

    public func look(_ key: String, tags: [CacheTag], holder: String, renews: Bool) async throws -> SharedLook {
        let words: [RedisWord] = [RedisWord(holder), renews ? 1 : 0, 1] + tags.map(word)
        let reply = try await run(CacheScripts.look, key, words)
        if let entry = try entry(in: reply) { return .hit(entry) }
        guard reply.count == 4, let epoch = reply[1].text, let sequence = reply[2].number, let isBusy = reply[3].number else {
            throw Self.nonsense
        }
        let ticket = SharedTicket(epoch: epoch, sequence: sequence, holder: holder)
        return isBusy == 1 ? .busy(ticket) : .miss(ticket)
    }

    public func read(_ key: String) async throws -> SharedEntry? {
        try entry(in: try await run(CacheScripts.look, key, ["", 0, 0]))
    }

    public func store(_ entry: SharedEntry, for key: String, with ticket: SharedTicket) async throws {
        let words: [RedisWord] = [
            RedisWord(ticket.holder), RedisWord(ticket.epoch), RedisWord(ticket.sequence), RedisWord(entry.fresh.milliseconds),
            RedisWord(entry.stale.milliseconds), entry.bytes == nil ? 1 : 0, RedisWord(entry.bytes ?? []),
        ]
        _ = try await run(CacheScripts.store, key, words + entry.tags.map(word))
    }

    public func release(_ key: String, _ ticket: SharedTicket) async throws {
        _ = try await run(CacheScripts.release, key, [RedisWord(ticket.holder)])
    }

    public func evict(_ eviction: Eviction) async throws {
        _ = try await run(CacheScripts.evict, eviction.id, eviction.tags.map(word))
    }

    public func remove(_ key: String) async throws { _ = try await client.send(["DEL", RedisWord(prefix + "e:" + key)]) }

    public func forgetEverything() async throws { _ = try await run(CacheScripts.forget, "", []) }
}

extension RedisCacheTier {
    /// Runs a script with the state's key and a prefix; `key` and a name of its own for this call come first.
    private func run(_ script: RedisScript, _ key: String, _ words: [RedisWord]) async throws -> [RESPValue] {
        let nonce = RedisWord(Identifier<RedisCacheTier>().description)
        let reply = try await client.run(script, keys: [prefix + "state"], [RedisWord(prefix), RedisWord(key), nonce] + words)
        guard case .array(let values) = reply else { throw Self.nonsense }
        return values
    }

    private func entry(in reply: [RESPValue]) throws -> SharedEntry? {
        guard let kind = reply.first?.number else { throw Self.nonsense }
        guard kind == 1 else { return nil }
        guard reply.count == 7, let age = reply[1].number, let fresh = reply[2].number, let stale = reply[3].number,
            let isMissing = reply[4].number, let bytes = reply[5].bytes, case .array(let tags) = reply[6]
        else { throw Self.nonsense }
        return SharedEntry(
            bytes: isMissing == 1 ? nil : bytes, tags: tags.compactMap { $0.text.map { CacheTag($0) } }, age: .milliseconds(age),
            fresh: .milliseconds(fresh), stale: .milliseconds(stale))
    }

    private func word(_ tag: CacheTag) -> RedisWord { RedisWord(tag.name) }

    private static var nonsense: Failure { .unavailable("redis_unavailable", "Redis answered a script of the cache with something else.") }
}

extension Duration {
    fileprivate var milliseconds: Int64 { max(0, Int64(self / .milliseconds(1))) }
}

extension RESPValue {
    fileprivate var number: Int64? {
        switch self {
        case .integer(let number): number
        case .bytes(let bytes): Int64(String(decoding: bytes, as: UTF8.self))
        default: nil
        }
    }

    fileprivate var bytes: [UInt8]? { if case .bytes(let bytes) = self { bytes } else { nil } }
    fileprivate var text: String? { bytes.map { String(decoding: $0, as: UTF8.self) } }
}
