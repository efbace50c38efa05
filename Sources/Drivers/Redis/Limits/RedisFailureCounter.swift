import MartletCore
public import MartletRateLimit

/// Failures counted in Redis, for all instances together.
///
/// Each operation is one script, by the clock of the server. A subject is a hash of three numbers, which the server forgets when its
/// failures count no more. A server that refuses a script counts as one that is away.
public struct RedisFailureCounter: FailureCounter {
    private let client: RedisClient
    private let prefix: String

    /// - Parameter prefix: What keys begin with, so that several applications can share a server.
    public init(_ client: RedisClient, prefix: String) {
        (self.client, self.prefix) = (client, prefix + "failures:")
    }

    public func attempt(_ subject: String, _ delay: GrowingDelay) async throws -> Duration {
        let bounds = [delay.memory, delay.shortest, delay.longest].map { RedisWord($0.microseconds) }
        let answer = try await run(Self.attempting, subject, [RedisWord(delay.patience)] + bounds)
        guard case .integer(let left) = answer else { throw RedisLimits.nonsense }
        return .microseconds(max(0, left))
    }

    public func takeBack(_ subject: String) async throws { _ = try await run(Self.takingBack, subject, []) }

    public func forget(_ subject: String) async throws {
        _ = try await RedisLimits.refusalsAsOutage { try await client.send(["DEL", RedisWord(prefix + subject)]) }
    }

    private func run(_ script: RedisScript, _ subject: String, _ arguments: [RedisWord]) async throws -> RESPValue {
        try await RedisLimits.refusalsAsOutage { try await client.run(script, keys: [prefix + subject], arguments) }
    }

    /// ``GrowingDelay`` in Lua. What is over has been forgotten by the server itself.
    private static let attempting = RedisScript(
        """
        local time = redis.call('TIME')
        local now = tonumber(time[1]) * 1000000 + tonumber(time[2])
        local patience, memory = tonumber(ARGV[1]), tonumber(ARGV[2])
        local function wait(count)
            if count < patience then return 0 end
            return math.min(tonumber(ARGV[3]) * 2 ^ math.min(count - patience, 32), tonumber(ARGV[4]))
        end
        local known = redis.call('HMGET', KEYS[1], 'count', 'first', 'last')
        local count = tonumber(known[1] or 0) or 0
        local first = tonumber(known[2] or now) or now
        local last = math.min(tonumber(known[3] or now) or now, now)
        local left = last + wait(count) - now
        if count > 0 and left > 0 then return left end
        count = count + 1
        local pause = wait(count)
        local over = pause == 0 and first + memory or now + pause + memory
        redis.call('HSET', KEYS[1], 'count', count, 'first', string.format('%.0f', first), 'last', string.format('%.0f', now))
        redis.call('PEXPIRE', KEYS[1], string.format('%.0f', math.max(1, math.ceil((over - now) / 1000))))
        return 0
        """)

    private static let takingBack = RedisScript(
        """
        if redis.call('EXISTS', KEYS[1]) == 1 and redis.call('HINCRBY', KEYS[1], 'count', -1) < 1 then redis.call('DEL', KEYS[1]) end
        return 0
        """)
}
