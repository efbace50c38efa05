import AsyncHTTPClient
import MartletContract
import MartletCore
import MartletIdentityAPI
import MartletSettings
import MartletTestKit
import MartletTestSupport
import Testing

@testable import MartletApp
@testable import MartletClient
@testable import MartletHTTP

@Suite("Listening to events", .only(.sqlite))
struct ListeningToEvents {
    private let testing: @Sendable (inout Settings) -> Void = { $0.testRoutes = true }

    @Test func yieldsThemInOrderUntilTheServerSaysThatItIsOver() async throws {
        try await withApp(change: testing) { app in
            let client = try await app.signUp()
            let counting = TestAPI.Counting(upTo: try .init(200), atATime: nil, stays: nil)
            let events = try await client.events(TestAPI.events, counting).collected()
            #expect(events.map(\.data.number) == Array(1...200))
            #expect(events.map(\.id) == (1...200).map(String.init))
        }
    }

    @Test func goesOnOverConnectionsThatEnd() async throws {
        let log = LinesOfLog()
        try await withApp(logger: log.logger, change: testing) { app in
            let (client, token) = (app.impatientClient, try await app.token())
            await client.resume(accessToken: token, refreshToken: nil)
            let counting = TestAPI.Counting(upTo: try .init(10), atATime: try .init(4), stays: nil)
            let numbers = try await client.events(TestAPI.events, counting).collected().map(\.data.number)
            #expect(numbers == Array(1...10))
            #expect(log.answers(to: "/test/events") == 4, "Three times events, then 204.")
        }
    }

    @Test func beginsWhereItIsToldAndCanBeSent() async throws {
        try await withApp(change: testing) { app in
            let client = try await app.signUp()
            let counting = TestAPI.Counting(upTo: try .init(3), atATime: nil, stays: nil)
            #expect(try await client.events(TestAPI.events, counting, after: "2").collected().map(\.data.number) == [3])
            #expect(try await client.events(TestAPI.events, counting, after: "3").collected().isEmpty)
            #expect(try await client.send(TestAPI.events, counting).collected().count == 3)
        }
    }

    @Test func closesTheConnectionWhenTheConsumerHasHeardEnough() async throws {
        try await withApp(change: testing) { app in
            let client = try await app.signUp()
            let counting = TestAPI.Counting(upTo: try .init(3), atATime: nil, stays: true)
            for try await event in try client.events(TestAPI.events, counting) where event.data.number == 2 {
                #expect(app.app.streams.count == 1)
                break
            }
            try await eventually { app.app.streams.count == 0 }
        }
    }

    @Test func endsWithItsTask() async throws {
        try await withApp(change: testing) { app in
            let client = try await app.signUp()
            let counting = TestAPI.Counting(upTo: try .init(0), atATime: nil, stays: true)
            let listening = Task { try await client.events(TestAPI.events, counting).collected() }
            try await eventually { app.app.streams.count == 1 }
            listening.cancel()
            await #expect(throws: CancellationError.self) { try await listening.value }
            try await eventually { app.app.streams.count == 0 }
        }
    }

    @Test func refreshesAnExpiredTokenFirst() async throws {
        let (clock, log) = (MovableClock(), LinesOfLog())
        try await withApp(clock: clock.reading, logger: log.logger, change: testing) { app in
            let client = try await app.signUp()
            clock.advance(by: .seconds(3600))
            let counting = TestAPI.Counting(upTo: try .init(2), atATime: nil, stays: nil)
            #expect(try await client.events(TestAPI.events, counting).collected().count == 2)
            #expect(log.answers(to: "/api/v1/auth/refresh") == 1)
        }
    }

    @Test func isRefusedWithTheProblem() async throws {
        try await withApp(change: testing) { app in
            let counting = TestAPI.Counting(upTo: try .init(2), atATime: nil, stays: nil)
            let problem = try await refusal { _ = try await app.client.events(TestAPI.events, counting).collected() }
            #expect(problem?.code == "authentication_required")
        }
        try await withApp { app in
            let client = try await app.signUp()
            let counting = TestAPI.Counting(upTo: try .init(2), atATime: nil, stays: nil)
            #expect(try await refusal { _ = try await client.events(TestAPI.events, counting).collected() }?.status == 404)
        }
    }
}

@Suite("A stream that breaks")
struct BrokenStreams {
    private static let head =
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
    private static let over = "HTTP/1.1 204 No Content\r\n\r\n"
    private static let busy = "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 7\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"

    /// A chunk for each event; the body is not ended.
    private static func stream(_ events: String...) -> String {
        head + events.map { "\(String($0.utf8.count, radix: 16))\r\n\($0)\r\n" }.joined()
    }

    @Test func isResumedAfterTheLastWholeEvent() async throws {
        let answers = [
            Self.stream("id: a\ndata: {\"number\":1}\n\n", "id: b\ndata: {\"num"), Self.busy, "", Self.stream(":\n\n"),
            Self.stream("data: {\"number\":2}\n\n") + "0\r\n\r\n", Self.over,
        ]
        try await ScriptedServer.with(answers) { server, client in
            let events = try await client.events(TestAPI.events, Self.counting).collected()
            #expect(events.map(\.data.number) == [1, 2])
            #expect(events.map(\.id) == ["a", "a"])
            #expect(server.requests.map(\.lastEventID) == [nil, "a", "a", "a", "a", "a"])
            #expect(server.requests.allSatisfy { $0.lowercased().contains("accept: text/event-stream\r\n") })
            let shortest: [Duration] = [0.5, 7, 2, 0.5, 0.5].map { .seconds($0) }
            #expect(server.pauses.count == shortest.count)
            for (pause, shortest) in zip(server.pauses, shortest) { #expect(pause >= shortest && pause <= shortest * 1.5) }
        }
    }

    @Test func isResumedWhenTheServerWantsIt() async throws {
        try await ScriptedServer.with([Self.stream("retry: 40000\n\n"), Self.busy, Self.over]) { server, client in
            let events = try await client.events(TestAPI.events, Self.counting).collected()
            #expect(events.isEmpty)
            #expect(server.pauses.count == 2 && server.pauses.allSatisfy { $0 >= .seconds(40) && $0 <= .seconds(60) })
        }
    }

    @Test(arguments: [401, 403, 404, 410])
    func isGivenUpWhenTheServerRefusesToResumeIt(status: Int) async throws {
        let problem = try WireJSON.encode(Problem(title: "No", status: status, detail: "No.", code: "no", requestId: "1"))
        let refusal =
            "HTTP/1.1 \(status) No\r\nContent-Type: \(Problem.mediaType)\r\nContent-Length: \(problem.count)\r\n\r\n"
            + String(decoding: problem, as: UTF8.self)
        try await ScriptedServer.with([Self.stream("data: {\"number\":1}\n\n"), refusal]) { server, client in
            var numbers: [Int] = []
            let thrown = await #expect(throws: Problem.self) {
                for try await event in try client.events(TestAPI.events, Self.counting) { numbers.append(event.data.number) }
            }
            #expect(thrown?.status == status)
            #expect(numbers == [1])
        }
    }

    @Test(arguments: [
        "", "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 2\r\n\r\nhi", "nonsense\r\n\r\n", busy,
    ])
    func thatNeverBeganIsNotTriedAgain(answer: String) async throws {
        try await ScriptedServer.with([answer, Self.over]) { server, client in
            await #expect(throws: (any Error).self) { try await client.events(TestAPI.events, Self.counting).collected() }
            #expect(server.pauses.isEmpty)
        }
    }

    @Test func withAnEventOfAnotherShapeThrowsAndKeepsItToItself() async throws {
        try await ScriptedServer.with([Self.stream("data: {\"secret\":1}\n\n")]) { server, client in
            let error = await #expect(throws: UnexpectedEvent.self) {
                try await client.events(TestAPI.events, Self.counting).collected()
            }
            #expect(!String(describing: error).contains("secret"))
        }
    }

    @Test func withAnEndlessLineThrows() async throws {
        let endless = String(repeating: "a", count: EventParser.longest + 1)
        try await ScriptedServer.with([Self.stream("data: {\"number\":1}\n\n", endless) + "0\r\n\r\n", Self.over]) { server, client in
            await #expect(throws: EventTooLong.self) { try await client.events(TestAPI.events, Self.counting).collected() }
        }
    }

    private static var counting: TestAPI.Counting {
        get throws { TestAPI.Counting(upTo: try .init(3), atATime: nil, stays: nil) }
    }
}

extension AsyncSequence {
    func collected() async throws -> [Element] {
        var elements: [Element] = []
        for try await element in self { elements.append(element) }
        return elements
    }
}

extension TestApp {
    /// Resumes streams without waiting.
    fileprivate var impatientClient: MartletClient {
        MartletClient(baseURL: baseURL, http: .shared, timeout: .seconds(60), pause: { _ in })
    }
}

extension String {
    /// Of the head of a request.
    fileprivate var lastEventID: String? {
        split(separator: "\r\n").first { $0.lowercased().hasPrefix("last-event-id:") }.map { String($0.dropFirst(15)) }
    }
}
