import Foundation
import MartletCore
import MartletRateLimit
import MartletRedis
import MartletTestServers
import MartletTestSupport
import Synchronization
import Testing

@Suite("Limits on a Redis that goes away")
struct LosingRedis {
    private static let limit = 100
    /// None of it is given back while a test runs.
    private static let demand = Demand("a", Rate(limit, per: .seconds(366 * 86_400)))

    @Test func aBurstStaysWithinItsBoundAndIsCountedExactlyAgainAfterwards() async throws {
        try await PrivateRedis.with { server in
            try await withInstances(at: server.url) { instances in
                let tally = Tally()
                async let burst: Void = goOnIntoTheOutage(instances, tally)
                try await server.run(endedBy: SIGKILL) {
                    try await eventually("half of the limit is taken") { tally.admitted >= Self.limit / 2 }
                }
                try await burst
                #expect(instances.allSatisfy { $0.degradation == .degraded && $0.liveInstances == 2 })
                // What Redis had admitted, at most all, and all of the shares.
                #expect((Self.limit * 3 / 2...Self.limit * 2).contains(tally.admitted), "\(tally.admitted)")
                try await server.run {
                    try await areExact(instances)
                    #expect(try await admittedAtOnce(by: instances).admitted == Self.limit, "Redis has lost its data")
                }
            }
        }
    }

    @Test func aSilentServerHoldsCallersUpNoLongerThanItsTimeout() async throws {
        try await PrivateRedis.with { server in
            try await server.run {
                try await withInstances(at: server.url, .hasty) { instances in
                    try await areExact(instances)
                    try await withPaused(server) {
                        let paused = try await admittedAtOnce(by: instances)
                        #expect(paused.admitted == Self.limit && instances.allSatisfy { $0.degradation == .degraded })
                        // The timeout is 0.3 s; the rest is for machines that are busy with other tests.
                        #expect(paused.slowest < .seconds(15))
                    }
                    try await areExact(instances)
                    #expect(try await admittedAtOnce(by: instances).admitted <= Self.limit)
                }
            }
        }
    }

    @Test func aFullServerCountsAsOneThatIsAway() async throws {
        try await PrivateRedis.with { server in
            try await server.run {
                try await withInstances(at: server.url) { instances in
                    try await areExact(instances)
                    try await withRedis(server.url) { redis in
                        _ = try await redis.send(["CONFIG", "SET", "maxmemory", 1])
                        #expect(try await admittedAtOnce(by: instances).admitted == Self.limit)
                        #expect(instances.allSatisfy { $0.degradation == .degraded })
                        _ = try await redis.send(["CONFIG", "SET", "maxmemory", 0])
                    }
                    try await areExact(instances)
                    #expect(try await admittedAtOnce(by: instances).admitted == Self.limit, "nothing had been counted")
                }
            }
        }
    }

    @Test func aRefusalOfTheScriptIsAnOutage() async throws {
        guard let url = RedisServer.url else { return }
        try await withRedis(url) { redis in
            let prefix = RedisServer.newPrefix()
            _ = try await redis.send(["LPUSH", RedisWord(prefix + "limit:a"), "no time"])
            let failure = await #expect(throws: Failure.self) { try await RedisRateLimiter(redis, prefix: prefix).take([Self.demand]) }
            #expect(failure?.kind == .unavailable && failure?.code == "redis_unavailable")
        }
    }

    // MARK: Two instances

    /// Runs `body` with two instances that tell each other that they live.
    private func withInstances(
        at url: String, _ settings: RedisSettings = .patient, _ body: ([FallingBackLimiter]) async throws -> Void
    ) async throws {
        try await withRedis(url, settings) { one in
            try await withRedis(url, settings) { two in
                let instances = [one, two].enumerated().map { number, redis in
                    FallingBackLimiter(
                        RedisRateLimiter(redis, prefix: ""), instances: RedisInstances(redis, prefix: "", name: "\(number)"),
                        logger: .silent)
                }
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for instance in instances { group.addTask { await instance.run() } }
                    let outcome = await Result { try await body(instances) }
                    group.cancelAll()
                    try outcome.get()
                }
            }
        }
    }

    private func areExact(_ instances: [FallingBackLimiter]) async throws {
        try await eventually("limits are shared") { instances.allSatisfy { $0.degradation == .exact && $0.liveInstances == 2 } }
    }

    private func withPaused(_ server: PrivateRedis, _ body: () async throws -> Void) async throws {
        try await withRedis(server.url) { redis in
            let process = try await PrivateRedis.process(of: redis)
            kill(process, SIGSTOP)
            defer { kill(process, SIGCONT) }
            try await body()
        }
    }

    // MARK: Bursts

    /// Calls until the server is gone and each instance has refused a call by itself.
    private func goOnIntoTheOutage(_ instances: [FallingBackLimiter], _ tally: Tally) async throws {
        try await areExact(instances)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<20 {
                group.addTask {
                    let instance = instances[number % 2]
                    repeat { tally.add(try await instance.takeOne(Self.demand)) } while instance.degradation == .exact
                }
            }
            try await group.waitForAll()
        }
        for instance in instances { while tally.add(try await instance.takeOne(Self.demand)) {} }
    }

    /// 200 calls at once by all instances: how many were admitted, and how long the slowest took.
    private func admittedAtOnce(by instances: [FallingBackLimiter]) async throws -> (admitted: Int, slowest: Duration) {
        let (tally, clock) = (Tally(), ContinuousClock())
        let times = try await withThrowingTaskGroup(of: Duration.self) { group in
            for number in 0..<200 {
                group.addTask {
                    try await clock.measure { tally.add(try await instances[number % instances.count].takeOne(Self.demand)) }
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        return (tally.admitted, times.max() ?? .zero)
    }
}

/// How many calls were admitted.
private final class Tally: Sendable {
    private let count = Atomic(0)

    var admitted: Int { count.load(ordering: .relaxed) }

    @discardableResult
    func add(_ decision: Decision) -> Bool {
        if decision.isAdmitted { count.add(1, ordering: .relaxed) }
        return decision.isAdmitted
    }
}
