import MartletRateLimit
import MartletRedis
import MartletTestServers
import MartletTestSupport
import Testing

@Suite("Instances that use one Redis")
struct HearingOfInstances {
    @Test func areCountedUntilTheySayThatTheyEnd() async throws {
        try await withInstances { one, two in
            for _ in 0..<2 {
                let living = [try await one.beat(), try await two.beat(), try await one.beat()]
                #expect(living == [1, 2, 2])
                let ending = Task {
                    withUnsafeCurrentTask { $0?.cancel() }
                    await two.leave()
                }
                await ending.value
            }
        }
    }

    @Test func areForgottenWhenTheyWereSilentOrSpokeInTheFuture() async throws {
        try await withPrefix { redis, prefix in
            let one = RedisInstances(redis, prefix: prefix, name: "one")
            _ = try await redis.send(["ZADD", RedisWord(prefix + "instances"), 1, "silent", 9_000_000_000_000, "ahead"])
            #expect(try await one.beat() == 1)
        }
    }

    private func withInstances(_ body: (RedisInstances, RedisInstances) async throws -> Void) async throws {
        try await withPrefix { redis, prefix in
            try await body(RedisInstances(redis, prefix: prefix, name: "one"), RedisInstances(redis, prefix: prefix, name: "two"))
        }
    }

    private func withPrefix(_ body: (RedisClient, String) async throws -> Void) async throws {
        guard let url = RedisServer.url else { return }
        try await withRedis(url) { try await body($0, RedisServer.newPrefix()) }
    }
}
