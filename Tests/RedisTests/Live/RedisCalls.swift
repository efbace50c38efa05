import MartletCore
import MartletRedis
import MartletTestServers
import MartletTestSupport
import Testing

struct RedisCalls {
    @Test func aValueComesBackAsItWasSet() async throws {
        try await withSharedRedis { redis, prefix in
            let key = RedisWord(prefix + "key")
            let bytes: [UInt8] = [0, 13, 10, 36, 255]
            let answer = try await redis.ask("SET", key, RedisWord(bytes), "EX", 60)
            #expect(answer == .text("OK"))
            #expect(try await redis.ask("GET", key) == .bytes(bytes))
            #expect(try await redis.ask("GET", RedisWord(prefix + "other")) == .null)
            #expect(try await redis.ask("INCRBY", RedisWord(prefix + "number"), 42) == .integer(42))
        }
    }

    @Test func whatTheServerRefusesIsAnErrorAndTheConnectionStays() async throws {
        try await withSharedRedis(RedisSettings(connections: 1)) { redis, prefix in
            let id = try await redis.send(["CLIENT", "ID"])
            let error = await #expect(throws: RedisError.self) { _ = try await redis.send(["NOSUCH", RedisWord(prefix)]) }
            #expect(error?.code == "ERR")
            #expect(try await redis.ask("CLIENT", "ID") == id)
        }
    }

    @Test func tenThousandCommandsOfTwoHundredCallersAreAnsweredEachItsOwn() async throws {
        try await withSharedRedis { redis, prefix in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for caller in 0..<200 {
                    group.addTask { try await Self.count(redis, "\(prefix)\(caller)") }
                }
                try await group.waitForAll()
            }
        }
    }

    private static func count(_ redis: RedisClient, _ key: String) async throws {
        for call in 1...50 { #expect(try await redis.ask("INCR", RedisWord(key)) == .integer(Int64(call))) }
        #expect(try await redis.ask("ECHO", RedisWord(key)) == .text(key))
        #expect(try await redis.ask("DEL", RedisWord(key)) == .integer(1))
    }

    @Test func severalCommandsTravelTogetherAndHaveResultsOfTheirOwn() async throws {
        try await withSharedRedis { redis, prefix in
            let key = RedisWord(prefix + "list")
            let results = try await redis.send([["RPUSH", key, "a", "b"], ["INCR", key], ["LRANGE", key, 0, -1], ["DEL", key]])
            let answers = results.map { try? $0.get() }
            #expect(answers == [.integer(2), nil, .array([.text("a"), .text("b")]), .integer(1)])
            #expect(throws: RedisError.self) { _ = try results[1].get() }
            #expect(try await redis.send([[RedisWord]]()).isEmpty)
        }
    }

    @Test func aScriptRunsByItsDigestAndIsSentAgainWhenTheServerForgotIt() async throws {
        try await withSharedRedis { redis, prefix in
            let script = RedisScript("return {KEYS[1], ARGV[1], '\(prefix)'}")
            let expected = RESPValue.array([.text("k"), .text("7"), .text(prefix)])
            for _ in 1...2 {
                #expect(try await redis.run(script, keys: ["k"], [7]) == expected)
                #expect(try await redis.ask("SCRIPT", "EXISTS", RedisWord(script.digest)) == .array([.integer(1)]))
                _ = try await redis.send(["SCRIPT", "FLUSH"])
            }
        }
    }

    @Test func callsAfterTheEndAreRefusedAndClosingTwiceIsNoFault() async throws {
        try await withSharedRedis { redis, _ in
            _ = try await redis.send(["PING"])
            await redis.close()
            await redis.close()
            #expect(!redis.isAvailable)
            try await unavailable { try await redis.send(["PING"]) }
        }
    }
}
