import MartletContract
import MartletCore
import MartletHTTP
import MartletJobs
import MartletStorage

/// Endpoints that misbehave on purpose, for tests of what surrounds them. Never served in production: `MARTLET_TEST_ROUTES`.
struct TestAPI: API {
    static let shared = TestAPI()
    static let name = "test"

    let sleep = Endpoint<Pause, NoContent>.get("/test/sleep", "Sleep for some milliseconds", allow: .anyone)
    let trap = Endpoint<NoContent, NoContent>.post("/test/trap", "End the process by a trap", allow: .anyone)
    let fail = Endpoint<NoContent, NoContent>.get("/test/fail", "Throw an error that nobody expects", allow: .anyone)
    let slowQuery = Endpoint<Pause, NoContent>.get("/test/slow-query", "Run a statement that takes some milliseconds", allow: .anyone)
    let events = Endpoint<Counting, EventStream<Count>>.events("/test/events", "Count, in one event a number", allow: .signedIn)

    /// Counts up to a number, at most so many in one connection, and stays there for ever or says that it is over.
    struct Counting: Codable, Sendable {
        var upTo: Number
        var atATime: Number?
        var stays: Bool?
    }

    struct Count: Codable, Sendable, Equatable {
        var number: Int
    }

    struct Number: Parsed {
        static let schema = Schema.integer(0...100_000)
        static let example = 3
        let raw: Int

        init(_ raw: Int) throws(Fault) { self.raw = raw }
    }

    let errands = Endpoint<Errands, NoContent>.post("/test/jobs", "Enqueue jobs that sleep", allow: .anyone, returns: .noContent)

    struct Pause: Codable, Sendable {
        var milliseconds: PauseLength
    }

    struct PauseLength: Parsed {
        static let schema = Schema.integer(0...600_000)
        static let example = 100
        let raw: Int

        init(_ raw: Int) throws(Fault) { self.raw = raw }
    }

    static func routes(_ database: any Database, _ jobs: Jobs) -> [Route] {
        TestShelf(database).routes + [
            serve(open: TestAPI.sleep) { pause, _ in
                try await Task.sleep(for: .milliseconds(pause.milliseconds.raw))
                return Reply(NoContent())
            },
            serve(open: TestAPI.errands) { errands, _ in
                try await enqueue(errands, jobs, database)
                return Reply(NoContent())
            },
            serve(open: TestAPI.trap) { _, _ in preconditionFailure("Asked to trap.") },
            serve(open: TestAPI.fail) { _, _ in throw UnexpectedError(secret: "a secret that must not leave") },
            serve(open: TestAPI.slowQuery) { pause, _ in
                // About 10,000 steps take a millisecond; what matters is that the statement takes long.
                let steps = pause.milliseconds.raw * 10_000
                _ = try await database.first(
                    Int.self,
                    """
                    WITH RECURSIVE count(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM count WHERE n < \(steps)) SELECT max(n) FROM count
                    """)
                return Reply(NoContent())
            },
            serve(events: TestAPI.events) { counting, _, last in try count(counting, after: last.flatMap { Int($0) } ?? 0) },
        ]
    }

    private static func count(_ counting: Counting, after last: Int) throws -> EventFeed? {
        let stays = counting.stays == true
        guard last < counting.upTo.raw || stays else { return nil }
        let numbers = (1...).lazy.map { last + $0 }.prefix(min(counting.atATime?.raw ?? .max, max(0, counting.upTo.raw - last)))
        let (feed, sender) = EventFeed.open(after: try numbers.map { try EventFrame.encode(id: "\($0)", Count(number: $0)) })
        if !stays { sender.finish() }
        return feed
    }

    private struct UnexpectedError: Error {
        let secret: String
    }
}
