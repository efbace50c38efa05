import Foundation
import MartletRedis
import MartletTestServers
import MartletTestSupport
import Testing

@Suite struct LoggingIn {
    @Test func aUserHasItsRightsAndTheDatabaseOfTheURL() async throws {
        try await PrivateRedis.with { server in
            let users = "user default on nopass ~* &* +@all\nuser me on >p:w@d/1 ~mine:* &* +@all\n"
            try users.write(toFile: "\(server.folder)/users", atomically: true, encoding: .utf8)
            try await server.run(["--aclfile", "\(server.folder)/users"]) {
                try await withRedis("redis://me:p%3Aw%40d%2F1@127.0.0.1:\(server.port)/3") { redis in
                    let answer = try await redis.ask("SET", "mine:a", 1)
                    #expect(answer == .text("OK"))
                    let error = await #expect(throws: RedisError.self) { try await redis.ask("GET", "other") }
                    #expect(error?.code == "NOPERM")
                    try await withRedis(server.url) { other in
                        let answers = try await other.send([["SELECT", 3], ["EXISTS", "mine:a"]]).map { try $0.get() }
                        #expect(answers == [.text("OK"), .integer(1)])
                    }
                }
                try await isRefused("redis://me:wrong@127.0.0.1:\(server.port)")
                try await isRefused("redis://127.0.0.1:\(server.port)/77")
            }
        }
    }

    @Test(arguments: [["--requirepass", "secret"], []]) func aServerThatKnowsNoRESP3IsSpokenToInRESP2(password: [String]) async throws {
        try await PrivateRedis.with { server in
            let url = password.isEmpty ? "\(server.url)/2" : "redis://:secret@127.0.0.1:\(server.port)/2"
            try await server.run(password + ["--rename-command", "HELLO", ""], at: url) {
                try await withRedis(url) { redis in
                    let answer = try await redis.ask("HSET", "h", "a", 1)
                    #expect(answer == .integer(1))
                    #expect(try await redis.ask("HGETALL", "h") == .array([.text("a"), .text("1")]))
                    var messages = redis.messages(on: ["c"]).makeAsyncIterator()
                    #expect(await messages.next() == .subscribed)
                    _ = try await redis.ask("PUBLISH", "c", "x")
                    #expect(await messages.next() == .message(channel: "c", payload: Array("x".utf8)))
                }
            }
        }
    }

    @Test func aWrongPasswordIsAnOutageThatDoesNotShowIt() async throws {
        try await PrivateRedis.with { server in
            try await server.run(["--requirepass", "secret"], at: "redis://:secret@127.0.0.1:\(server.port)") {
                let log = LogRecorder()
                try await withRedis("redis://:hunter2@127.0.0.1:\(server.port)", logger: log.logger) { redis in
                    let failure = try await unavailable { try await redis.ask("PING") }
                    #expect("\(failure)".contains("WRONGPASS"))
                    #expect(!"\(failure) \(log.lines)".contains("hunter2"))
                    #expect(!redis.isAvailable)
                }
                try await isRefused(server.url)
            }
        }
    }

    @Test func theCertificateIsVerified() async throws {
        guard let openssl = Program.findOrWarn("openssl") else { return }
        try await PrivateRedis.with { server in
            let files = Certificates(folder: server.folder, openssl: openssl)
            try await files.make()
            let place = "localhost:\(server.port)"
            let good = "rediss://\(place)?ca_file=\(files.path("root.pem"))"
            let tls = [
                "--tls-port", "\(server.port)", "--tls-cert-file", files.path("server.pem"), "--tls-key-file", files.path("server.key"),
                "--tls-ca-cert-file", files.path("root.pem"), "--tls-auth-clients", "no",
            ]
            try await server.run(tls, at: good) {
                try await withRedis(good) { redis in
                    let answer = try await redis.ask("ECHO", "x")
                    #expect(answer == .text("x"))
                }
                for url in [
                    "rediss://\(place)?ca_file=\(files.path("other-root.pem"))", "rediss://\(place)",
                    "rediss://127.0.0.1:\(server.port)?ca_file=\(files.path("root.pem"))", "redis://\(place)",
                ] { try await isRefused(url) }
            }
        }
    }

    @Test(arguments: [
        "http://x", "redis:", "redis://", "redis://h:0", "redis://h:70000", "redis://h/x", "redis://user@h", "redis://h?x=1",
        "redis://h?ca_file=/x",
        "redis://h#x",
    ])
    func aURLThatCannotBeReadIsRefused(url: String) {
        #expect(throws: InvalidRedisURL.self) { try RedisClient(url: url, logger: .silent) }
    }

    private func isRefused(_ url: String) async throws {
        try await withRedis(url) { redis in
            try await unavailable { try await redis.ask("PING") }
            #expect(!redis.isAvailable)
        }
    }
}
