import MartletRedis
import MartletTestServers
import MartletTestSupport
import Testing

@Suite struct HearingMessages {
    @Test func messagesComeInTheirOrderToEveryoneWhoHearsTheChannel() async throws {
        try await withSharedRedis { redis, prefix in
            let (one, two) = (prefix + "one", prefix + "two")
            var both = redis.messages(on: [one, two]).makeAsyncIterator()
            var first = redis.messages(on: [one]).makeAsyncIterator()
            #expect(await both.next() == .subscribed)
            #expect(await first.next() == .subscribed)
            for (channel, text) in [(two, "1"), (one, "2"), (one, "3")] {
                _ = try await redis.ask("PUBLISH", RedisWord(channel), RedisWord(text))
            }
            for (channel, text) in [(two, "1"), (one, "2"), (one, "3")] {
                #expect(await both.next() == .message(channel: channel, payload: Array(text.utf8)))
                if channel == one { #expect(await first.next() == .message(channel: channel, payload: Array(text.utf8))) }
            }
        }
    }

    @Test func afterALostConnectionTheStreamSaysSoAndGoesOn() async throws {
        try await PrivateRedis.with { server in
            try await server.run {
                try await RedisFaults.run(before: server.port) { faults, port in
                    try await withRedis("redis://127.0.0.1:\(port)") { redis in
                        var messages = redis.messages(on: ["c"]).makeAsyncIterator()
                        for text in ["a", "b", "c"] {
                            #expect(await messages.next() == .subscribed)
                            _ = try await redis.ask("PUBLISH", "c", RedisWord(text))
                            #expect(await messages.next() == .message(channel: "c", payload: Array(text.utf8)))
                            faults.cut()
                            try await eventually { (try? await redis.ask("PING")) != nil }
                        }
                    }
                }
            }
        }
    }

    @Test func aStreamEndsWithItsReaderOrWithTheClient() async throws {
        try await withSharedRedis { redis, prefix in
            let channel = prefix + "c"
            let reader = Task { for await _ in redis.messages(on: [channel]) {} }
            try await eventually { try await listeners(redis, channel) == .integer(1) }
            reader.cancel()
            await reader.value
            try await eventually { try await listeners(redis, channel) == .integer(0) }
            var messages = redis.messages(on: [channel]).makeAsyncIterator()
            #expect(await messages.next() == .subscribed)
            await redis.close()
            #expect(await messages.next() == nil)
            var late = redis.messages(on: [channel]).makeAsyncIterator()
            #expect(await late.next() == nil)
        }
    }

    private func listeners(_ redis: RedisClient, _ channel: String) async throws -> RESPValue? {
        guard case .array(let words) = try await redis.ask("PUBSUB", "NUMSUB", RedisWord(channel)) else { return nil }
        return words.last
    }
}
