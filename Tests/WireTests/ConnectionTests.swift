import Foundation
import MartletWire
import Testing

@Suite struct KeepingConnections {
    private static let get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
    private static let last = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"

    @Test(arguments: ["close", "Close", "CLOSE", "foo, Close"])
    func closeIsHonouredInAnyForm(option: String) async throws {
        try await TestServer.run { server in
            let answers = try await server.answer(to: "GET / HTTP/1.1\r\nHost: a\r\nConnection: \(option)\r\n\r\n" + Self.get)
            #expect(answers.map(\.body) == ["ok"])
            #expect(answers.first?.closes == true)
        }
    }

    @Test func anHTTP10ConnectionClosesUnlessAskedToStay() async throws {
        try await TestServer.run { server in
            let once = try await server.answer(to: "GET / HTTP/1.0\r\n\r\n")
            #expect(once.map(\.closes) == [true])
            let stays = "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"
            let answers = try await server.answer(to: stays + "GET / HTTP/1.0\r\n\r\n")
            #expect(answers.map { $0.fields["connection"] } == ["keep-alive", "close"])
        }
    }

    @Test func aResponseThatSaysCloseCloses() async throws {
        try await TestServer.run { server in
            let answers = try await server.answer(to: "GET /close HTTP/1.1\r\nHost: a\r\n\r\n" + Self.get)
            #expect(answers.map(\.body) == ["bye"])
            #expect(server.requests.paths == ["/close"])
        }
    }

    @Test(arguments: [
        "h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMAAABkAAQAoAAA", "websocket\r\nConnection: Upgrade", "x",
    ])
    func anUnknownUpgradeIsIgnoredAndTheConnectionStaysUsable(upgrade: String) async throws {
        try await TestServer.run { server in
            let client = try await server.connect()
            try await client.send("GET / HTTP/1.1\r\nHost: a\r\nUpgrade: \(upgrade)\r\n\r\n")
            #expect(await client.readAnswer()?.body == "ok")
            try await client.send(Self.last)
            #expect(await client.readAnswer()?.body == "ok")
        }
    }

    @Test func pipelinedRequestsAreAnsweredInOrder() async throws {
        try await TestServer.run { server in
            let paths = (0..<200).map { "/target?\($0)" }
            let requests = paths.map { "GET \($0) HTTP/1.1\r\nHost: a\r\n\r\n" }.joined()
            let answers = try await server.answer(to: requests + Self.last)
            #expect(answers.dropLast().map(\.body) == paths.map { "a " + $0 })
        }
    }

    @Test func aClientThatPipelinesWithoutEndIsHeldBack() async throws {
        try await TestServer.run(limits: { $0.maxReadAheadBytes = 1_024 }) { server in
            let body = String(repeating: "x", count: 2_000)
            let post = "POST /length HTTP/1.1\r\nHost: a\r\nContent-Length: 2000\r\n\r\n" + body
            let answers = try await server.answer(to: String(repeating: post, count: 50) + Self.last)
            #expect(answers.map(\.body) == Array(repeating: "2000", count: 50) + ["ok"])
        }
    }

    @Test func aHalfClosedClientIsStillAnswered() async throws {
        try await TestServer.run { server in
            let client = try await server.connect()
            try await client.send(Self.get + Self.get)
            client.finishSending()
            #expect(Answer.parse(await client.readToEnd()).map(\.body) == ["ok", "ok"])
        }
    }

    @Test func aRequestCutShortIsRefused() async throws {
        try await TestServer.run { server in
            for part in ["GET / HT", "POST /length HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc"] {
                let client = try await server.connect()
                try await client.send(part)
                client.finishSending()
                #expect(Answer.parse(await client.readToEnd()).map(\.status) == [400])
            }
            #expect(await server.requests.failure() == "incomplete_request")
        }
    }

    @Test func theTargetsAuthorityWins() async throws {
        try await TestServer.run { server in
            let answers = try await server.answer(to: "GET http://b:81/target?x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            #expect(answers.map(\.body) == ["b:81 /target?x"])
        }
    }

    @Test func theServerCanBeAskedAsAWhole() async throws {
        try await TestServer.run { server in
            let answers = try await server.answer(to: "OPTIONS * HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            #expect(answers.map(\.status) == [200])
            #expect(server.requests.paths == ["*"])
        }
    }

    @Test func aStreamedResponseIsChunkedAndTheConnectionStays() async throws {
        try await TestServer.run { server in
            let client = try await server.connect()
            try await client.send("GET /stream HTTP/1.1\r\nHost: a\r\n\r\n" + Self.last)
            let text = await client.readToEnd()
            #expect(text.contains("3\r\none\r\n3\r\ntwo\r\n5\r\nthree\r\n0\r\n\r\nHTTP/1.1 200"))
        }
    }

    @Test func HEADIsAnsweredWithoutABody() async throws {
        try await TestServer.run { server in
            let client = try await server.connect()
            try await client.send("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n" + Self.last)
            let text = await client.readToEnd()
            #expect(text.components(separatedBy: "Content-Length: 2").count == 3)
            #expect(text.components(separatedBy: "\r\n\r\nok").count == 2)
        }
    }

    @Test func aChunkedBodyReachesTheEndpoint() async throws {
        try await TestServer.run { server in
            let body = "4\r\nabcd\r\n" + String(repeating: "1\r\nx\r\n", count: 5_000) + "0\r\n\r\n"
            let answers = try await server.answer(
                to: "POST /length HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + body + Self.last)
            #expect(answers.map(\.body) == ["5004", "ok"])
        }
    }

    @Test func anUnreadSmallBodyIsSkipped() async throws {
        try await TestServer.run { server in
            let answers = try await server.answer(to: "POST /ignore HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello" + Self.last)
            #expect(answers.map(\.body) == ["ignored", "ok"])
        }
    }
}

@Suite struct ContinuingWhenExpected {
    private static let head = "POST /length HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n"

    @Test func theBodyIsAskedForWhenTheEndpointReads() async throws {
        try await TestServer.run { server in
            let client = try await server.connect()
            try await client.send(Self.head + "Connection: close\r\n\r\n")
            #expect(await client.read { $0.hasSuffix("\r\n\r\n") } == "HTTP/1.1 100 Continue\r\n\r\n")
            try await client.send("hello")
            #expect(Answer.parse(await client.readToEnd()).map(\.body) == ["5"])
        }
    }

    @Test func aBodyNobodyAskedForClosesTheConnection() async throws {
        try await TestServer.run { server in
            let client = try await server.connect()
            try await client.send(Self.head.replacing("/length", with: "/ignore") + "\r\n")
            let answers = Answer.parse(await client.readToEnd())
            #expect(answers.map(\.body) == ["ignored"])
            #expect(answers.first?.closes == true)
        }
    }
}

@Suite struct DrainingConnections {
    @Test func everyResponseSaysCloseAndNewConnectionsAreAnswered() async throws {
        try await TestServer.run { server in
            let open = try await server.connect()
            try await open.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(await open.readAnswer()?.closes == false)
            server.draining.begin()
            try await open.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(Answer.parse(await open.readToEnd()).map(\.closes) == [true])
            let new = try await server.answer(to: "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(new.map(\.closes) == [true])
        }
    }
}
