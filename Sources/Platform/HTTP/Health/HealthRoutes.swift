import HTTPTypes
import MartletContract
import MartletCore

/// What the health endpoints are answered from.
public protocol HealthChecks: Sendable {
    /// Throws the failure that keeps this instance from serving: what every request needs is away, or the server is shutting down.
    func ready() async throws
    /// What works less well than it should.
    var degraded: [Health.Part] { get }
    /// Throws when the database does not answer.
    func database() async throws
    /// Throws when Redis does not answer; returns whether one is used.
    func redis() async throws -> Bool
    func detailed() async -> DetailedHealth
}

extension SystemAPI {
    /// The endpoints, and beside them the other names under which load balancers and dashboards look for them.
    public static func routes(_ checks: any HealthChecks) -> [Route] {
        let ready = serve(open: SystemAPI.ready) { _, _ in fresh(try await checks.health()) }
        let health = serve(open: SystemAPI.health) { _, _ in fresh(try await checks.health()) }
        let live = serve(open: SystemAPI.live) { _, _ in fresh(Health.ok) }
        let database = serve(open: SystemAPI.database) { _, _ in
            fresh(
                try await PartHealth.timed {
                    try await checks.database()
                    return true
                })
        }
        let redis = serve(open: SystemAPI.redis) { _, _ in fresh(try await PartHealth.timed { try await checks.redis() }) }
        let detailed = serve(SystemAPI.detailed) { _, _ in await checks.detailed() }
        return [
            live, ready, health, database, redis, detailed,
            live.alias("/health/liveness"), ready.alias("/health/readiness"), health.alias("/api/health"),
            database.alias("/api/health/database"), redis.alias("/api/health/redis"),
        ]
    }

    /// No cache on the way may answer for the server.
    private static func fresh<Output: Sendable>(_ output: Output) -> Reply<Output> { Reply(output, fields: [.cacheControl: "no-store"]) }
}

extension HealthChecks {
    fileprivate func health() async throws -> Health {
        try await ready()
        return Health(status: .ok, degraded: degraded.isEmpty ? nil : degraded)
    }
}

extension PartHealth {
    /// Asks a dependency; throws what it throws.
    ///
    /// - Parameter check: Returns whether the dependency is used.
    public static func timed(_ check: () async throws -> Bool) async throws -> PartHealth {
        let start = ContinuousClock.now
        guard try await check() else { return PartHealth(status: .off) }
        let elapsed = ContinuousClock.now - start
        return PartHealth(status: .ok, milliseconds: (elapsed / .milliseconds(1) * 100).rounded() / 100)
    }
}
