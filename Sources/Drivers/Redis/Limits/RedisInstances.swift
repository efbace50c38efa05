import MartletCore
public import MartletRateLimit

/// The instances that use one Redis: each says every second or so that it lives, and is forgotten after five seconds of silence.
///
/// They are members of a sorted set, whose scores are times of the server's clock.
public struct RedisInstances: LiveInstances {
    private let client: RedisClient
    private let key: String
    private let name: String

    /// - Parameters:
    ///   - prefix: What keys begin with, so that several applications can share a server.
    ///   - name: Of this instance; no other may have it.
    public init(_ client: RedisClient, prefix: String, name: String) {
        (self.client, key, self.name) = (client, prefix + "instances", name)
    }

    public func beat() async throws -> Int {
        let answer = try await RedisLimits.refusalsAsOutage {
            try await client.run(Self.script, keys: [key], [RedisWord(name), RedisWord(Self.patience)])
        }
        guard case .integer(let count) = answer, let count = Int(exactly: count) else { throw RedisLimits.nonsense }
        return count
    }

    public func leave() async {
        // It is a cancelled task that says so, and such a one sends nothing itself. Whoever is not told finds out by the silence.
        _ = await Task { try await client.send(["ZREM", RedisWord(key), RedisWord(name)]) }.result
    }

    private static let patience = 5_000

    private static let script = RedisScript(
        """
        local time = redis.call('TIME')
        local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
        local patience = tonumber(ARGV[2])
        redis.call('ZADD', KEYS[1], string.format('%.0f', now), ARGV[1])
        redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('(%.0f', now - patience))
        redis.call('ZREMRANGEBYSCORE', KEYS[1], string.format('(%.0f', now + patience), '+inf')
        redis.call('PEXPIRE', KEYS[1], ARGV[2])
        return redis.call('ZCARD', KEYS[1])
        """)
}
