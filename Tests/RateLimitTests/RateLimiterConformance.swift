import MartletRateLimit
import MartletRedis
import MartletTestServers
import MartletTestSupport
import Synchronization
import Testing

/// What every limiter promises, whatever it keeps its counts in.
@Suite("Every limiter")
struct RateLimiterConformance {
    /// Limiters of which each has counted nothing; those that need a server, where one is there.
    struct Kind: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let make: @Sendable () async throws -> any RateLimiter
    }

    static let kinds = [Kind(testDescription: "memory") { MemoryRateLimiter() }] + onRedis

    private static let onRedis = RedisServer.url == nil ? [] : [redis("Redis", clients: 1), redis("two clients of Redis", clients: 2)]

    private static func redis(_ description: String, clients count: Int) -> Kind {
        Kind(testDescription: description) {
            let prefix = RedisServer.newPrefix()
            return InTurn(try clients.get().prefix(count).map { RedisRateLimiter($0, prefix: prefix) })
        }
    }

    /// Those of all tests, which end with the process.
    private static let clients = Result {
        try (0..<2).map { _ in try RedisClient(url: RedisServer.url ?? "", settings: .patient, logger: .silent) }
    }

    private static let hourly = Rate(5, per: .seconds(3600))

    @Test(arguments: kinds) func admitsABurstOfTheWholeLimitAndNoMore(kind: Kind) async throws {
        let limiter = try await kind.make()
        for left in (0..<5).reversed() {
            let decision = try await limiter.takeOne(Demand("a", Self.hourly))
            #expect(decision.isAdmitted && decision.remaining == left && decision.limit == 5 && decision.retryAfter == .zero)
        }
        let refused = try await limiter.takeOne(Demand("a", Self.hourly))
        #expect(!refused.isAdmitted && refused.remaining == 0)
        #expect((.seconds(700) ... .seconds(720)).contains(refused.retryAfter))
        #expect((.seconds(3580) ... .seconds(3600)).contains(refused.resetAfter))
    }

    @Test(arguments: kinds) func countsEachKeyByItself(kind: Kind) async throws {
        let limiter = try await kind.make()
        for key in ["a", "b", "é", "a:b", ""] {
            #expect(try await limiter.admitted(10, Demand(key, Self.hourly)) == 5, "\(key)")
        }
    }

    @Test(arguments: kinds) func countsByWeight(kind: Kind) async throws {
        let limiter = try await kind.make()
        #expect(try await limiter.takeOne(Demand("a", Self.hourly, weight: 3)).remaining == 2)
        #expect(try await !limiter.takeOne(Demand("a", Self.hourly, weight: 3)).isAdmitted)
        #expect(try await limiter.takeOne(Demand("a", Self.hourly, weight: 2)).remaining == 0)
        #expect(try await limiter.takeOne(Demand("b", Self.hourly, weight: 50)).isAdmitted)
        #expect(try await !limiter.takeOne(Demand("b", Self.hourly)).isAdmitted)
    }

    @Test(arguments: kinds) func takesFromAllLimitsOrFromNone(kind: Kind) async throws {
        let limiter = try await kind.make()
        let (wide, narrow) = (Demand("wide", Self.hourly), Demand("narrow", Rate(1, per: .seconds(3600))))
        #expect(try await limiter.take([wide, narrow]).allSatisfy { $0.isAdmitted && $0.retryAfter == .zero })
        for _ in 0..<10 {
            let decisions = try await limiter.take([wide, narrow])
            #expect(decisions.map(\.isAdmitted) == [true, false])
            #expect(decisions.map(\.remaining) == [4, 0])
        }
        #expect(try await limiter.take([narrow, wide]).map(\.isAdmitted) == [false, true])
        #expect(try await limiter.admitted(10, wide) == 4)
        #expect(try await limiter.take([]).isEmpty)
    }

    @Test(arguments: kinds) func admitsExactlyTheLimitOf200AtOnce(kind: Kind) async throws {
        let limiter = try await kind.make()
        for limit in [1, 50, 199] {
            let demand = Demand("at once \(limit)", Rate(limit, per: .seconds(3600)))
            #expect(try await limiter.admittedAtOnce(200) { _ in [demand] } == limit)
        }
    }

    @Test(arguments: kinds) func admitsExactlyTheNarrowestLimitOf200AtOnce(kind: Kind) async throws {
        let limiter = try await kind.make()
        let rates = [Rate(70, per: .seconds(3600)), Rate(40, per: .seconds(3600)), Rate(100, per: .seconds(3600))]
        let demands = rates.map { Demand("\($0.calls)", $0) }
        let admitted = try await limiter.admittedAtOnce(200) { $0.isMultiple(of: 2) ? demands : demands.reversed() }
        #expect(admitted == 40)
        for (demand, left) in zip(demands, [30, 0, 60]) { #expect(try await limiter.admitted(100, demand) == left) }
    }

    @Test(arguments: kinds) func takesWhatWasCountedByAWiderRateForAFullLimit(kind: Kind) async throws {
        let limiter = try await kind.make()
        #expect(try await limiter.admitted(10, Demand("a", Self.hourly)) == 5)
        let refused = try await limiter.takeOne(Demand("a", Rate(2, per: .seconds(60))))
        #expect(!refused.isAdmitted && refused.remaining == 0 && refused.resetAfter == .seconds(60) && refused.retryAfter == .seconds(30))
    }
}

/// Each call by the next of several that should count together.
private final class InTurn: RateLimiter {
    private let limiters: [any RateLimiter]
    private let turn = Atomic(0)

    init(_ limiters: [any RateLimiter]) { self.limiters = limiters }

    func take(_ demands: [Demand]) async throws -> [Decision] {
        try await limiters[turn.wrappingAdd(1, ordering: .relaxed).oldValue % limiters.count].take(demands)
    }
}

extension RateLimiter {
    func takeOne(_ demand: Demand) async throws -> Decision {
        try #require(try await take([demand]).first)
    }

    func admitted(_ calls: Int, _ demand: Demand) async throws -> Int {
        var admitted = 0
        for _ in 0..<calls where try await takeOne(demand).isAdmitted { admitted += 1 }
        return admitted
    }

    func admittedAtOnce(_ calls: Int, _ demands: @escaping @Sendable (Int) -> [Demand]) async throws -> Int {
        try await withThrowingTaskGroup(of: Bool.self) { group in
            for call in 0..<calls {
                group.addTask { try await self.take(demands(call)).allSatisfy(\.isAdmitted) }
            }
            return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
    }
}
