import Foundation
import Logging
import MartletCache
import MartletRateLimit
import MartletRedis
import MartletSettings
import MartletTelemetry
import ServiceLifecycle

/// What all instances share in Redis, and what stands in for it in an instance that has none.
struct SharedStore: Sendable {
    let limiter: any RateLimiter
    let failures: any FailureCounter
    let cacheTier: (any SharedTier)?
    let redis: RedisClient?
    /// What has to run while the server does.
    let services: [any Service]

    init(_ settings: Settings, isTraced: Bool, logger: Logger) throws {
        guard let url = settings.redisURL else {
            (limiter, failures) = (MemoryRateLimiter(), MemoryFailureCounter())
            (cacheTier, redis, services) = (nil, nil, [])
            return
        }
        let redis = try RedisClient(url: url.unsafeReveal(), settings: RedisSettings(settings), logger: logger.named("martlet.redis"))
        let counts = RedisRateLimiter(redis, prefix: settings.redisPrefix)
        let limiter = FallingBackLimiter(
            isTraced ? TracedLimiter(counts) : counts,
            instances: RedisInstances(redis, prefix: settings.redisPrefix, name: UUID().uuidString), logger: logger.named("martlet.limits"))
        failures = FallingBackFailureCounter(RedisFailureCounter(redis, prefix: settings.redisPrefix))
        let tier = RedisCacheTier(redis, prefix: settings.redisPrefix + "cache:")
        cacheTier = isTraced ? TracedTier(tier) : tier
        (self.limiter, self.redis, services) = (limiter, redis, [LimiterBeat(limiter: limiter)])
    }
}

/// Tells the other instances that this one lives, while the server runs.
private struct LimiterBeat: Service {
    let limiter: FallingBackLimiter

    func run() async { await cancelWhenGracefulShutdown { await limiter.run() } }
}
