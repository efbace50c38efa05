import AsyncHTTPClient
import MartletBookmarksAPI
import MartletClient
import MartletContract
import MartletCore
import MartletIdentityAPI
import MartletTestKit
import Testing

@Suite struct RepeatingCalls {
    private static let saved = #"""
        {"id": "019bc05e-9a40-7c3d-8e11-5f0a4b7d2291", "url": "https://swift.org", "title": "Swift", "tags": [],
        "saved_at": "2026-01-01T00:00:00Z", "updated_at": "2026-01-01T00:00:00Z"}
        """#
    private static let created = answer("201 Created", saved, type: "application/json")
    private static let inUse = problem("409 Conflict", "idempotency_key_in_use", "Retry-After: 2\r\n")
    private static let lost = ""

    @Test(
        arguments: [lost, inUse] + ["502 Bad Gateway", "503 Service Unavailable", "504 Gateway Timeout"].map { problem($0, "x") })
    func aCallWithAKeyIsSentAgainWithTheSameKey(first: String) async throws {
        try await ScriptedServer.with([first, first, Self.created]) { server, client in
            let bookmark = try await client.send(BookmarksAPI.save, NewBookmark(url: try WebLink("https://swift.org")))
            #expect(bookmark.title.raw == "Swift")
            let keys = server.requests.map { $0.field("Idempotency-Key") }
            #expect(keys.count == 3)
            #expect(Set(keys).count == 1)
            #expect(keys[0]?.isEmpty == false)
        }
    }

    @Test func eachCallHasAKeyOfItsOwn() async throws {
        try await ScriptedServer.with([Self.created, Self.created]) { server, client in
            for _ in 0..<2 { try await client.save() }
            #expect(Set(server.requests.map { $0.field("Idempotency-Key") }).count == 2)
        }
    }

    @Test func aGivenKeyIsSent() async throws {
        try await ScriptedServer.with([Self.created]) { server, client in
            _ = try await client.send(BookmarksAPI.save, NewBookmark(url: try WebLink("https://swift.org")), key: "mine")
            #expect(server.requests.map { $0.field("Idempotency-Key") } == ["mine"])
        }
    }

    @Test func itWaitsAsLongAsTheServerAsks() async throws {
        try await ScriptedServer.with([Self.inUse, Self.lost, Self.created]) { server, client in
            try await client.save()
            #expect(server.pauses.count == 2)
            #expect((.seconds(2) ..< .seconds(3)).contains(server.pauses[0]))
            #expect((.milliseconds(1) ..< .seconds(1)).contains(server.pauses[1]))
        }
    }

    @Test func itGivesUpAfterFourAttempts() async throws {
        try await ScriptedServer.with([String](repeating: Self.inUse, count: 10)) { server, client in
            let problem = try await refusal { try await client.save() }
            #expect(problem?.code == "idempotency_key_in_use")
            #expect(server.requests.count == 4)
        }
    }

    @Test func itDoesNotWaitForMinutes() async throws {
        let away = Self.problem("503 Service Unavailable", "away", "Retry-After: 120\r\n")
        try await ScriptedServer.with([away, Self.created]) { server, client in
            let problem = try await refusal { try await client.save() }
            #expect(problem?.code == "away")
            #expect(server.requests.count == 1)
        }
    }

    @Test(arguments: ["409 Conflict", "422 Unprocessable Content", "500 Internal Server Error"])
    func aRefusalThatStaysIsThrown(status: String) async throws {
        try await ScriptedServer.with([Self.problem(status, "bookmark_exists"), Self.created]) { server, client in
            let problem = try await refusal { try await client.save() }
            #expect(problem?.code == "bookmark_exists")
            #expect(server.requests.count == 1)
        }
    }

    @Test func aCallWithoutAKeyIsSentOnce() async throws {
        try await ScriptedServer.with([Self.problem("503 Service Unavailable", "away"), Self.created]) { (server, client) async throws in
            let problem = try await refusal { _ = try await client.send(AccountsAPI.register, .of("ada")) }
            #expect(problem?.code == "away")
        }
        try await ScriptedServer.with([Self.lost, Self.created]) { (server, client) async throws in
            await #expect(throws: (any Error).self) { try await client.send(AccountsAPI.register, .of("ada")) }
            #expect(server.requests.count == 1)
            #expect(server.requests[0].field("Idempotency-Key") == nil)
        }
    }

    private static func problem(_ status: String, _ code: String, _ fields: String = "") -> String {
        let (number, rest) = (status.prefix(3), #""type": "about:blank", "title": "x", "detail": "x", "request_id": "x""#)
        return answer(status, #"{\#(rest), "status": \#(number), "code": "\#(code)"}"#, type: Problem.mediaType, fields)
    }

    private static func answer(_ status: String, _ body: String, type: String, _ fields: String = "") -> String {
        "HTTP/1.1 \(status)\r\nContent-Type: \(type)\r\nContent-Length: \(body.utf8.count)\r\nConnection: close\r\n\(fields)\r\n\(body)"
    }
}

extension MartletClient {
    fileprivate func save() async throws {
        _ = try await send(BookmarksAPI.save, NewBookmark(url: try WebLink("https://swift.org")))
    }
}

extension String {
    /// The value of a field in the head of a request.
    fileprivate func field(_ name: String) -> String? {
        split(separator: "\r\n").first { $0.lowercased().hasPrefix(name.lowercased() + ": ") }.map { String($0.dropFirst(name.count + 2)) }
    }
}
