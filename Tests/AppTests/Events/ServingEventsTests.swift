import MartletContract
import MartletCore
import MartletSettings
import MartletTestKit
import MartletTestSupport
import MartletWire
import Testing

@testable import MartletApp
@testable import MartletHTTP

@Suite("A stream of events", .only(.sqlite))
struct ServingEvents {
    private let testing: @Sendable (inout Settings) -> Void = { $0.testRoutes = true }
    private let open = "/test/events?up_to=0&stays=true"

    @Test func isSentInOrderAndEndsProperly() async throws {
        try await withApp(change: testing) { app in
            var stream = try await app.open("/test/events?up_to=3", token: try await app.token())
            let event = { (number: Int) in "id: \(number)\ndata: {\"number\":\(number)}\n\n" }
            #expect(try await stream.readToEnd() == event(1) + event(2) + event(3))
        }
    }

    @Test func tellsCachesAndProxiesToLeaveItAlone() async throws {
        try await withApp(change: testing) { app in
            let token = try await app.token()
            let answer = try await app.exchange("GET /test/events?up_to=1000", ["Authorization: Bearer \(token)", "Accept-Encoding: gzip"])
            #expect(answer.status == 200)
            #expect(answer["Content-Type"] == "text/event-stream")
            #expect(answer["Cache-Control"] == "no-store")
            #expect(answer["X-Accel-Buffering"] == "no")
            #expect(answer["Transfer-Encoding"] == "chunked")
            #expect(answer["Content-Encoding"] == nil)
            #expect(answer["X-Content-Type-Options"] == "nosniff")
            #expect(answer.body.suffix(7) == Array("\r\n0\r\n\r\n".utf8)[...])
        }
    }

    @Test func goesOnWhereTheListenerLeftOffAndSaysWhenItIsOver() async throws {
        try await withApp(change: testing) { app in
            let token = try await app.token()
            let answers = try await [("", 200), ("1", 200), ("3", 204)].mapInOrder { last, status in
                let answer = try await app.exchange(
                    "GET /test/events?up_to=3", ["Authorization: Bearer \(token)", "Last-Event-ID: \(last)"])
                #expect(answer.status == status, "after \(last)")
                return answer
            }
            let resumed = String(decoding: answers[1].body, as: UTF8.self)
            #expect(!resumed.contains("id: 1\n") && resumed.contains("id: 2\n") && resumed.contains("id: 3\n"))
            #expect(answers[2].body.isEmpty && answers[2]["Content-Type"] == nil)
        }
    }

    @Test func isForCallersOnly() async throws {
        try await withApp(change: testing) { app in
            let answer = try await app.exchange("GET /test/events?up_to=3")
            #expect(answer.status == 401)
            #expect(try answer.problem().code == "authentication_required")
        }
    }

    @Test func refusesInputLikeAnyEndpoint() async throws {
        try await withApp(change: testing) { app in
            let answer = try await app.exchange("GET /test/events?up_to=many", ["Authorization: Bearer \(try await app.token())"])
            #expect(answer.status == 422)
            #expect(try answer.problem().errors?.map(\.pointer) == ["up_to"])
        }
    }

    @Test func hasAHeadThatEndsAtOnce() async throws {
        try await withApp(change: testing) { app in
            let answer = try await app.exchange("HEAD \(open)", ["Authorization: Bearer \(try await app.token())"])
            #expect(answer.status == 200)
            #expect(answer["Content-Type"] == "text/event-stream")
            #expect(answer.body.isEmpty)
            #expect(app.app.streams.count == 0)
        }
    }

    @Test func beginsBeforeTheFirstEventAndIsKeptAlive() async throws {
        try await withApp(change: testing) { app in
            var stream = try await app.open(open, token: try await app.token())
            #expect(stream.status == 200)
            for beats in [":\n\n", ":\n\n:\n\n"] {
                try await app.beat(times: 3)
                #expect(try await stream.reads(upTo: beats))
            }
        }
    }

    @Test func goesOnPastTheDeadlineOfItsRequest() async throws {
        try await withApp(change: testing) { app in
            var stream = try await app.open(open, token: try await app.token())
            app.app.deadlines.expire(at: .now + app.app.settings.requestTimeout)
            try await app.beat(times: 3)
            #expect(try await stream.reads(upTo: ":\n\n"))
        }
    }

    @Test func endsWhenTheListenerGoesAway() async throws {
        try await withApp(change: testing) { app in
            let token = try await app.token()
            do {
                let stream = try await app.open(open, token: token)
                #expect(stream.status == 200 && app.app.streams.count == 1)
            }
            try await eventually { app.app.streams.count == 0 }
        }
    }

    @Test func endsWhenTheInstanceDrainsAndSoDoThoseThatComeThen() async throws {
        try await withApp(change: testing) { app in
            let token = try await app.token()
            var streams = try await [1, 2, 3].mapInOrder { _ in try await app.open(open, token: token) }
            app.app.draining.begin()
            for index in streams.indices { #expect(try await streams[index].readToEnd() == "") }
            var late = try await app.open("/test/events?up_to=1&stays=true", token: token)
            #expect(try await late.readToEnd() == "id: 1\ndata: {\"number\":1}\n\n", "What was missed is sent even then.")
            #expect(late["Connection"] == "close")
            try await eventually { app.app.streams.count == 0 }
        }
    }

    @Test func doesNotHoldUpTheEndOfTheServer() async throws {
        var stream: OpenStream?
        try await withApp(change: testing) { app in
            stream = try await app.open(open, token: try await app.token())
        }
        #expect(stream?.status == 200)
    }
}

extension TestApp {
    /// Lets time pass for streams that have been set up; `times` ticks without a frame between make a heartbeat.
    fileprivate func beat(times: Int) async throws {
        try await eventually { app.streams.count > 0 && app.streams.areIdle }
        for _ in 1...times { app.streams.beat() }
    }
}

extension Array {
    func mapInOrder<Value>(_ transform: (Element) async throws -> Value) async throws -> [Value] {
        var values: [Value] = []
        for element in self { values.append(try await transform(element)) }
        return values
    }
}
