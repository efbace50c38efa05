import Testing

/// Requests that the server answers before any endpoint hears of them.
@Suite struct TurningAwayRequests {
    private static let full = "GET /full HTTP/1.1\r\nHost: a\r\n\r\n"
    private static let ok = "GET /ok HTTP/1.1\r\nHost: a\r\n\r\n"
    private static let last = "GET /ok HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"

    @Test func theConnectionGoesOn() async throws {
        try await TestServer.run { server in
            let answers = try await server.answer(to: Self.full + Self.ok + Self.full + Self.full + Self.last)
            #expect(answers.map(\.status) == [503, 200, 503, 503, 200])
            #expect(answers.map(\.body) == ["full", "ok", "full", "full", "ok"])
            #expect(answers.filter(\.isWhole).count == 5)
            #expect(server.requests.paths == ["/ok", "/ok"])
        }
    }

    @Test func eachIsAnsweredAtOnce() async throws {
        try await TestServer.run { server in
            let client = try await server.connect()
            for _ in 1...3 {
                try await client.send(Self.full)
                #expect(await client.readAnswer()?.status == 503)
            }
            #expect(server.requests.paths.isEmpty)
        }
    }

    @Test func theBodyIsReadAndDropped() async throws {
        try await TestServer.run { server in
            let client = try await server.connect()
            try await client.send("POST /full HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nab")
            #expect(await client.readAnswer()?.status == 503)
            try await client.send("cde" + Self.last)
            #expect(await client.readAnswer()?.body == "ok")
            #expect(server.requests.paths == ["/ok"])
        }
    }

    @Test(arguments: [
        "GET /full HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", "GET /full HTTP/1.0\r\n\r\n",
        "POST /full HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n",
    ])
    func theConnectionClosesWhereItMust(request: String) async throws {
        try await TestServer.run { server in
            let answers = try await server.answer(to: request)
            #expect(answers.map(\.status) == [503])
            #expect(answers.first?.closes == true && server.requests.paths.isEmpty)
        }
    }

    @Test func theAnswerToHEADHasNoBody() async throws {
        try await TestServer.run { server in
            let client = try await server.connect()
            try await client.send("HEAD /full HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            let text = await client.readToEnd()
            #expect(text.hasPrefix("HTTP/1.1 503") && text.hasSuffix("\r\n\r\n"))
        }
    }

    /// To read and drop what is long, or may never end, costs more than to let the endpoint refuse it.
    @Test(arguments: ["Content-Length: 900000", "Transfer-Encoding: chunked"])
    func aBodyThatMayBeLongIsForTheEndpoint(framing: String) async throws {
        try await TestServer.run { server in
            let client = try await server.connect()
            try await client.send("POST /full HTTP/1.1\r\nHost: a\r\n\(framing)\r\n\r\n")
            #expect(await client.readAnswer()?.body == "ok")
            #expect(server.requests.paths == ["/full"])
        }
    }

    @Test func aBodyThatIsCutShortEndsTheConnectionOnly() async throws {
        try await TestServer.run { server in
            let client = try await server.connect()
            try await client.send("POST /full HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nab")
            #expect(await client.readAnswer()?.status == 503)
            client.finishSending()
            _ = await client.readToEnd()
            #expect(try await server.answer(to: Self.last).map(\.status) == [200])
        }
    }
}
