import Foundation
import MartletCore
import MartletRateLimit
import MartletRedis
import MartletTestServers
import MartletTestSupport
import Testing

/// What every counter of failures promises, whatever it keeps its counts in.
@Suite("Every counter of failures")
struct FailureCounterConformance {
    struct Kind: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let make: @Sendable () async throws -> any FailureCounter
    }

    static let kinds = [Kind(testDescription: "memory") { MemoryFailureCounter() }] + onRedis

    private static let onRedis =
        RedisServer.url == nil
        ? []
        : [Kind(testDescription: "Redis") { RedisFailureCounter(try client.get(), prefix: RedisServer.newPrefix()) }]

    private static let client = Result { try RedisClient(url: RedisServer.url ?? "", settings: .patient, logger: .silent) }

    private static let slow = GrowingDelay(patience: 5, within: .seconds(900), from: .seconds(100), upTo: .seconds(900))

    @Test(arguments: kinds) func admitsTheFreeAttemptsAndThenNone(kind: Kind) async throws {
        let counter = try await kind.make()
        for _ in 0..<5 { #expect(try await counter.attempt("a", Self.slow) == .zero) }
        for _ in 0..<10 {
            let wait = try await counter.attempt("a", Self.slow)
            #expect((.seconds(60) ... .seconds(100)).contains(wait))
        }
        #expect(try await counter.attempt("b", Self.slow) == .zero)
    }

    @Test(arguments: kinds) func admitsNoMoreOf200AtOnce(kind: Kind) async throws {
        let counter = try await kind.make()
        let admitted = try await withThrowingTaskGroup(of: Bool.self) { group in
            for _ in 0..<200 { group.addTask { try await counter.attempt("a", Self.slow) == .zero } }
            return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        #expect(admitted == 5)
    }

    @Test(arguments: kinds) func forgetsWhoSucceeds(kind: Kind) async throws {
        let counter = try await kind.make()
        for _ in 0..<6 { _ = try await counter.attempt("a", Self.slow) }
        for _ in 0..<2 { try await counter.forget("a") }
        for _ in 0..<5 { #expect(try await counter.attempt("a", Self.slow) == .zero) }
        #expect(try await counter.attempt("a", Self.slow) > .zero)
    }

    @Test(arguments: kinds) func takesBackWhatCameToNoOutcome(kind: Kind) async throws {
        let counter = try await kind.make()
        try await counter.takeBack("a")
        for _ in 0..<20 {
            #expect(try await counter.attempt("a", Self.slow) == .zero)
            try await counter.takeBack("a")
        }
        for _ in 0..<5 { #expect(try await counter.attempt("a", Self.slow) == .zero) }
        #expect(try await counter.attempt("a", Self.slow) > .zero)
    }

    @Test(arguments: kinds) func admitsOneWhenTheWaitIsOverAndWaitsForLonger(kind: Kind) async throws {
        let counter = try await kind.make()
        let quick = GrowingDelay(patience: 1, within: .seconds(900), from: .milliseconds(20), upTo: .seconds(900))
        #expect(try await counter.attempt("a", quick) == .zero)
        for _ in 0..<4 { try await eventually { try await counter.attempt("a", quick) == .zero } }
        // The fifth failure: 20 ms, doubled four times.
        let wait = try await counter.attempt("a", quick)
        #expect(wait <= .milliseconds(320))
        #expect(try await counter.attempt("a", Self.slow.stricter) > .seconds(60))
    }

    @Test(arguments: kinds) func forgetsFailuresThatAreLongPast(kind: Kind) async throws {
        let counter = try await kind.make()
        let brief = GrowingDelay(patience: 3, within: .milliseconds(300), from: .seconds(900), upTo: .seconds(900))
        let start = ContinuousClock.now
        for _ in 0..<2 { #expect(try await counter.attempt("a", brief) == .zero) }
        try await eventually { ContinuousClock.now - start > .milliseconds(400) }
        for _ in 0..<2 { #expect(try await counter.attempt("a", brief) == .zero) }
    }

    @Test func eachInstanceCountsForItselfWhileRedisIsAway() async throws {
        try await PrivateRedis.with { server in
            try await withRedis(server.url) { redis in
                let shared = RedisFailureCounter(redis, prefix: "")
                let instances = (0..<2).map { _ in FallingBackFailureCounter(shared) }
                for instance in instances {
                    for _ in 0..<5 { #expect(try await instance.attempt("a", Self.slow) == .zero) }
                    #expect(try await instance.attempt("a", Self.slow) > .zero)
                    try await instance.forget("a")
                    try await instance.takeBack("a")
                    #expect(try await instance.attempt("a", Self.slow) == .zero)
                }
                try await server.run {
                    try await eventually { redis.isAvailable }
                    for number in 0..<5 { #expect(try await instances[number % 2].attempt("a", Self.slow) == .zero) }
                    for instance in instances { #expect(try await instance.attempt("a", Self.slow) > .zero) }
                }
            }
        }
    }

    @Test func aRefusalOfTheScriptIsAnOutage() async throws {
        guard let url = RedisServer.url else { return }
        try await withRedis(url) { redis in
            let prefix = RedisServer.newPrefix()
            _ = try await redis.send(["LPUSH", RedisWord(prefix + "failures:a"), "no hash"])
            let counter = RedisFailureCounter(redis, prefix: prefix)
            let failure = await #expect(throws: Failure.self) { try await counter.attempt("a", Self.slow) }
            #expect(failure?.kind == .unavailable)
            #expect(try await FallingBackFailureCounter(counter).attempt("a", Self.slow) == .zero)
        }
    }
}

extension GrowingDelay {
    /// The same after the first failure.
    fileprivate var stricter: GrowingDelay { GrowingDelay(patience: 1, within: memory, from: shortest, upTo: longest) }
}
