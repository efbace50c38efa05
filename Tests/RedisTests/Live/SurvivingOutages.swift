import Foundation
import MartletCore
import MartletRedis
import MartletTestServers
import MartletTestSupport
import Synchronization
import Testing

@Suite struct SurvivingOutages {
    @Test func aRestartedServerIsFoundAndEachNewConnectionPreparedFirst() async throws {
        try await PrivateRedis.with { server in
            try await withRedis(server.url, .hasty, prepare: { _ = try await $0.send(["INCR", "prepared"]) }) { redis in
                try await unavailable { try await redis.ask("PING") }
                #expect(!redis.isAvailable)
                for _ in 1...2 {
                    try await server.run(endedBy: SIGKILL) {
                        try await eventually { (try? await redis.ask("SET", "a", 1)) == .text("OK") }
                        guard case .bytes(let count) = try await redis.ask("GET", "prepared") else { throw Nothing() }
                        #expect(["1", "2"].contains(String(decoding: count, as: UTF8.self)))
                        #expect(redis.isAvailable)
                    }
                    try await eventually { !redis.isAvailable }
                    try await unavailable { try await redis.ask("PING") }
                }
            }
        }
    }

    @Test func aPausedServerCostsCallersNothingUntilItGoesOn() async throws {
        try await PrivateRedis.with { server in
            try await server.run {
                try await withRedis(server.url, .hasty) { redis in
                    let process = try await PrivateRedis.process(of: redis)
                    kill(process, SIGSTOP)
                    defer { kill(process, SIGCONT) }
                    try await eventually {
                        try await unavailable { try await redis.ask("PING") }
                        return !redis.isAvailable
                    }
                    for _ in 1...1000 {
                        let failure = try await unavailable { try await redis.ask("PING") }
                        #expect("\(failure)".contains("there is no connection"))
                    }
                    kill(process, SIGCONT)
                    try await eventually { (try? await redis.ask("PING")) == .text("PONG") }
                }
            }
        }
    }

    @Test func availabilityIsToldAsItChanges() async throws {
        try await PrivateRedis.with { server in
            try await withRedis(server.url, .hasty) { redis in
                var changes = redis.availability.makeAsyncIterator()
                #expect(await changes.next() == true)
                try await unavailable { try await redis.ask("PING") }
                #expect(await changes.next() == false)
                try await server.run { #expect(await changes.next() == true) }
                await redis.close()
                while await changes.next() != nil {}
            }
        }
    }

    @Test func whateverBreaksNobodyGetsAnothersAnswer() async throws {
        try await PrivateRedis.with { server in
            try await server.run {
                try await RedisFaults.run(before: server.port) { faults, port in
                    try await withRedis("redis://127.0.0.1:\(port)", .hasty) { redis in
                        try await load(redis, faults)
                        try await eventually { (try? await redis.ask("PING")) == .text("PONG") }
                        #expect(faults.connections <= 2)
                    }
                }
            }
        }
    }

    /// Callers ask until every fault has happened several times.
    private func load(_ redis: RedisClient, _ faults: RedisFaults) async throws {
        let isOver = Flag()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for caller in 0..<50 {
                group.addTask {
                    var call = 0
                    while !isOver.isSet {
                        call += 1
                        try await Self.ask(redis, "\(caller)-\(call)")
                    }
                }
            }
            for round in 0..<30 {
                try await eventually { (try? await redis.ask("PING")) == .text("PONG") }
                Self.fault(round, faults)
            }
            isOver.set()
            try await group.waitForAll()
        }
    }

    private static func ask(_ redis: RedisClient, _ text: String) async throws {
        do {
            let answer = try await redis.ask("ECHO", RedisWord(text))
            #expect(answer == .text(text))
        } catch let failure as Failure where failure.kind == .unavailable {
            await Task.yield()
        }
    }

    private static func fault(_ round: Int, _ faults: RedisFaults) {
        switch round % 5 {
        case 0: faults.cut()
        case 1: faults.inject("HTTP/1.1 400 Bad Request\r\n\r\n")
        case 2: faults.inject("$-7\r\n")
        case 3: faults.halve()
        default: faults.stall()
        }
    }

    @Test func anAnswerTooManyEndsTheConnection() async throws {
        try await PrivateRedis.with { server in
            try await server.run {
                try await RedisFaults.run(before: server.port) { faults, port in
                    try await withRedis("redis://127.0.0.1:\(port)", RedisSettings(connections: 1, timeout: .seconds(30))) { redis in
                        let id = try await redis.ask("CLIENT", "ID")
                        faults.inject("+surplus\r\n")
                        try await eventually { faults.opened == 2 }
                        guard case .integer(let next) = try await redis.ask("CLIENT", "ID") else { throw Nothing() }
                        #expect(.integer(next) != id)
                    }
                }
            }
        }
    }

    @Test func aThousandCancelledCallersLeaveNothingBehind() async throws {
        try await withSharedRedis(RedisSettings(maxWaiting: 2000)) { redis, prefix in
            for _ in 1...5 {
                await withThrowingTaskGroup(of: Void.self) { group in
                    for number in 0..<1000 { group.addTask { _ = try await redis.ask("ECHO", RedisWord(number)) } }
                    group.cancelAll()
                    while let outcome = await group.nextResult() {
                        if case .failure(let error) = outcome { #expect(error is CancellationError) }
                    }
                }
            }
            let answer = try await redis.ask("ECHO", RedisWord(prefix))
            #expect(answer == .text(prefix))
        }
    }
}

private struct Nothing: Error {}

private final class Flag: Sendable {
    private let value = Atomic(false)

    var isSet: Bool { value.load(ordering: .acquiring) }

    func set() { value.store(true, ordering: .releasing) }
}
