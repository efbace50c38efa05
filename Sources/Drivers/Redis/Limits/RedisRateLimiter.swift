import MartletCore
public import MartletRateLimit

/// Limits counted in Redis, exactly, for all instances together.
///
/// One script looks at all limits of a call and takes from all or none, so that no two calls see the same counts; what it keeps is each
/// key's theoretical arrival time, by the clock of the server, until that has passed. It is one round trip. A server that refuses the
/// script, as one that is full or has become a replica does, counts as one that is away.
public struct RedisRateLimiter: RateLimiter {
    private let client: RedisClient
    private let prefix: String

    /// - Parameter prefix: What keys begin with, so that several applications can share a server.
    public init(_ client: RedisClient, prefix: String) {
        (self.client, self.prefix) = (client, prefix + "limit:")
    }

    public func take(_ demands: [Demand]) async throws -> [Decision] {
        guard !demands.isEmpty else { return [] }
        let arguments = demands.flatMap { demand in
            let limit = GCRA(demand.rate)
            return [RedisWord(limit.capacity), RedisWord(limit.cost(of: demand.weight))]
        }
        let answer = try await RedisLimits.refusalsAsOutage {
            try await client.run(Self.script, keys: demands.map { prefix + $0.key }, arguments)
        }
        return try decisions(answer, demands)
    }

    /// The script answers whether it took, and each key's debt before that.
    private func decisions(_ answer: RESPValue, _ demands: [Demand]) throws(Failure) -> [Decision] {
        guard case .array(let values) = answer, values.count == demands.count + 1 else { throw RedisLimits.nonsense }
        var numbers: [Int64] = []
        for value in values {
            guard case .integer(let number) = value else { throw RedisLimits.nonsense }
            numbers.append(number)
        }
        return zip(demands, numbers.dropFirst()).map { demand, debt in
            let limit = GCRA(demand.rate)
            return limit.decision(demand.weight, on: min(max(0, debt), limit.capacity), isTaken: numbers[0] == 1)
        }
    }

    /// ``GCRA`` in Lua. Its numbers are doubles, which are exact up to 2^53: microseconds since 1970 for another two centuries. They have to
    /// be written with all of their digits.
    private static let script = RedisScript(
        """
        local time = redis.call('TIME')
        local now = tonumber(time[1]) * 1000000 + tonumber(time[2])
        local answer = {1}
        for i, key in ipairs(KEYS) do
            local capacity, cost = tonumber(ARGV[2 * i - 1]), tonumber(ARGV[2 * i])
            local arrival = tonumber(redis.call('GET', key) or now) or now
            local debt = math.min(math.max(arrival - now, 0), capacity)
            if debt + cost > capacity then answer[1] = 0 end
            answer[i + 1] = debt
        end
        for i, key in ipairs(KEYS) do
            local debt = answer[i + 1] + tonumber(ARGV[2 * i])
            if answer[1] == 1 and debt > 0 then
                redis.call('SET', key, string.format('%.0f', now + debt), 'PX', string.format('%.0f', math.ceil(debt / 1000)))
            end
        end
        return answer
        """)
}

/// What the scripts of the limits have in common.
enum RedisLimits {
    static let nonsense = Failure.unavailable("redis_unavailable", "Redis answers something else than it was asked.")

    static func refusalsAsOutage<Value: Sendable>(_ work: () async throws -> Value) async throws -> Value {
        do {
            return try await work()
        } catch let refusal as RedisError {
            throw Failure.unavailable("redis_unavailable", "Redis refuses what it is asked.", cause: refusal)
        }
    }
}
