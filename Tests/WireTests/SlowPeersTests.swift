import MartletWire
import Testing

@Suite struct ClosingSlowPeers {
    @Test func aHeadThatNeverEndsIsRefusedInTime() async throws {
        // Long enough for the first byte to arrive on a busy machine: before it, the connection is closed without an answer.
        try await TestServer.run(limits: { $0.headerTimeout = .seconds(2) }) { server in
            let client = try await server.connect()
            let answers = try await drip("GET / HTTP/1.1\r\nHost: a\r\nX: ", then: "a", to: client)
            #expect(answers.map(\.status) == [408])
            #expect(answers.first?.body.contains("header_timeout") == true)
        }
    }

    @Test func aConnectionThatSaysNothingIsClosed() async throws {
        try await TestServer.run(limits: { $0.headerTimeout = .milliseconds(100) }) { server in
            let text = try await server.connect().readToEnd()
            #expect(text == "")
        }
    }

    @Test func anIdleConnectionIsClosed() async throws {
        try await TestServer.run(limits: { $0.idleTimeout = .milliseconds(100) }) { server in
            let answers = try await server.answer(to: "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(answers.map(\.closes) == [false])
        }
    }

    @Test(arguments: [("Content-Length: 5000", "x"), ("Transfer-Encoding: chunked", "1\r\nx\r\n")])
    func aDrippedBodyIsRefusedInTime(field: String, drop: String) async throws {
        try await TestServer.run(limits: { $0.bodyGrace = .milliseconds(100) }) { server in
            let client = try await server.connect()
            let answers = try await drip("POST /length HTTP/1.1\r\nHost: a\r\n\(field)\r\n\r\n", then: drop, to: client)
            #expect(answers.map(\.status) == [408])
            #expect(await server.requests.failure() == "body_timeout")
        }
    }

    @Test func aBodyThatNeverEndsIsRefusedAtTheCap() async throws {
        try await TestServer.run(limits: { ($0.bodyTimeout, $0.minimumBodyRate) = (.milliseconds(200), 0) }) { server in
            let client = try await server.connect()
            let answers = try await drip("POST /length HTTP/1.1\r\nHost: a\r\nContent-Length: 9000\r\n\r\n", then: "x", to: client)
            #expect(answers.map(\.status) == [408])
        }
    }

    @Test func aPeerThatDoesNotReadIsCutOff() async throws {
        try await TestServer.run(limits: { ($0.writeStallTimeout, $0.idleTimeout) = (.milliseconds(200), .milliseconds(200)) }) { server in
            let client = try await RawClient(port: server.port, receiveBuffer: 4_096)
            try await client.send("GET /large HTTP/1.1\r\nHost: a\r\n\r\n")
            // Nothing is read until a second connection, opened later and idle as long, was closed.
            _ = await client.read(within: 0.05, until: nil)
            try await untilStalled(server)
            let text = await client.readToEnd()
            #expect(text != "still open" && text.utf8.count < 16 * 1_048_576)
        }
    }

    /// Each idle connection lives as long as the stall may last.
    private func untilStalled(_ server: TestServer) async throws {
        for _ in 0..<4 { _ = try await server.answer(to: "GET / HTTP/1.1\r\nHost: a\r\n\r\n") }
    }

    /// Sends a drop whenever the peer has been silent for a moment, until it answers or closes.
    private func drip(_ start: String, then drop: String, to client: RawClient) async throws -> [Answer] {
        try await client.send(start)
        for _ in 0..<200 {
            if let text = await client.read(within: 0.02, until: { !$0.isEmpty }) { return Answer.parse(text + (await client.readToEnd())) }
            try await client.send(drop)
        }
        return []
    }
}

@Suite struct CappingConnections {
    @Test func oneAddressHasItsShare() async throws {
        try await TestServer.run(limits: { $0.maxConnectionsPerAddress = 2 }) { server in
            let (first, second) = (try await server.connect(), try await server.connect())
            for client in [first, second] {
                try await client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
                #expect(await client.readAnswer()?.status == 200)
            }
            let text = try await server.connect().readToEnd()
            #expect(text == "")
        }
    }

    @Test func aClosedConnectionFreesItsShare() async throws {
        try await TestServer.run(limits: { $0.maxConnectionsPerAddress = 1 }) { server in
            for _ in 0..<20 { try await server.answersSoon() }
        }
    }

    @Test func atTheCapConnectionsWaitInTheBacklog() async throws {
        try await TestServer.run(limits: { $0.maxConnections = 1 }) { server in
            let first = try await server.connect()
            try await first.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(await first.readAnswer()?.status == 200)
            let others = [try await server.connect(), try await server.connect()]
            for other in others { try await other.send("GET / HTTP/1.0\r\n\r\n") }
            first.finishSending()
            for other in others { #expect(Answer.parse(await other.readToEnd()).map(\.status) == [200]) }
        }
    }

    @Test func theCapStaysBelowTheDescriptorLimit() {
        var limits = WireLimits()
        limits.maxConnections = .max
        #expect(ConnectionCap(limits).maximum < .max - 64)
        #expect(ConnectionCap(WireLimits()).maximum <= 4_096)
    }

    @Test func aClientThatVanishesFreesItsShareAndItsRequest() async throws {
        try await TestServer.run(limits: { $0.maxConnectionsPerAddress = 1 }) { server in
            try await vanish(server)
            #expect(await server.requests.failure() == "incomplete_request")
            try await server.answersSoon()
        }
    }

    /// The socket closes when nobody holds it any more.
    private func vanish(_ server: TestServer) async throws {
        let client = try await server.connect()
        try await client.send("POST /length HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nabc")
    }
}

extension TestServer {
    /// Whether a new connection is answered, now or after the ones before it are gone.
    func answersSoon() async throws {
        for _ in 0..<1_000 {
            if try await answer(to: "GET / HTTP/1.0\r\n\r\n").first?.status == 200 { return }
        }
        Issue.record("The share of a closed connection was never free again.")
    }
}
