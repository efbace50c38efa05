import Testing

@Suite struct RefusingRequests {
    @Test(arguments: [
        ("GET / HTTP/1.1\r\n\r\n", 400, "missing_host"), ("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400, "duplicate_host"),
        ("GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400, "malformed_host"), ("GET /é HTTP/1.1\r\nHost: a\r\n\r\n", 400, "malformed_target"),
        ("CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n", 400, "connect_refused"), ("GARBAGE\r\n\r\n", 400, "malformed_request_line"),
        ("GET / HTTP/3.0\r\nHost: a\r\n\r\n", 400, "unsupported_version"),
        ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400, "unsupported_version"),
        ("GET / HTTP/1.1\r\nHost: a\r\nExpect: tea\r\n\r\n", 417, "unknown_expectation"),
        ("POST /length HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999\r\n\r\n", 413, "body_too_large"),
        ("GET /\(String(repeating: "a", count: 9_000)) HTTP/1.1\r\nHost: a\r\n\r\n", 414, "target_too_long"),
        ("GET / HTTP/1.1\r\nHost: a\r\nA: \(String(repeating: "a", count: 20_000))\r\n\r\n", 431, "header_too_large"),
    ])
    func aRefusalLooksLikeEveryAnswer(bytes: String, status: Int, code: String) async throws {
        try await TestServer.run { server in
            let answers = try await server.answer(to: bytes)
            let answer = try #require(answers.first)
            #expect(answers.count == 1 && answer.isWhole)
            #expect(answer.status == status)
            #expect(answer.body == "{\"code\":\"\(code)\"}")
            #expect(answer.closes && answer.fields["date"]?.hasSuffix("GMT") == true)
            #expect(answer.fields["x-content-type-options"] == "nosniff")
            #expect(server.requests.paths.isEmpty)
        }
    }

    @Test(arguments: [
        "POST /length HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST /length HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nabcd",
        "POST /length HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        "POST /length HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nA: b\r\n c\r\n\r\n", "GET / HTTP/1.1\nHost: a\n\n",
    ])
    func nothingBehindARefusedRequestIsAnswered(bytes: String) async throws {
        try await TestServer.run { server in
            let answers = try await server.answer(to: bytes + "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(answers.map(\.status) == [400])
            #expect(server.requests.paths.isEmpty)
        }
    }

    @Test func aMalformedChunkIsAnsweredOnceAndTheEndpointIsTold() async throws {
        try await TestServer.run { server in
            let head = "POST /length HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
            let answers = try await server.answer(to: head + "3\r\nabc\r\nzz\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(answers.map(\.status) == [400])
            #expect(answers.first?.body.contains("malformed_chunk") == true)
            #expect(!server.requests.paths.contains("/smuggled"))
        }
    }

    @Test func aHugeChunkIsRefusedFromItsSize() async throws {
        try await TestServer.run { server in
            let answers = try await server.answer(to: "POST /length HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFF\r\n")
            #expect(answers.map(\.status) == [413])
        }
    }

    @Test func aRefusedHEADHasNoBody() async throws {
        try await TestServer.run { server in
            let client = try await server.connect()
            try await client.send("HEAD / HTTP/1.1\r\nHost: a b\r\n\r\n")
            let text = await client.readToEnd()
            #expect(text.hasPrefix("HTTP/1.1 400") && text.hasSuffix("\r\n\r\n"))
        }
    }

    @Test func theRequestsBeforeARefusedOneAreAnswered() async throws {
        try await TestServer.run { server in
            let good = "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
            let answers = try await server.answer(to: good + good + "GET / HTTP/1.1\r\n\r\n" + good)
            #expect(answers.map(\.status) == [200, 200, 400])
        }
    }

    @Test func anAnswerCanBeReadWhileTheClientStillSends() async throws {
        try await TestServer.run { server in
            let client = try await server.connect()
            try await client.send(
                "POST /length HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999\r\n\r\n" + String(repeating: "x", count: 30_000))
            let answers = Answer.parse(await client.readToEnd())
            #expect(answers.map(\.status) == [413])
        }
    }
}
