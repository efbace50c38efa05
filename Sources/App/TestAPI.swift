import MartletContract
import MartletCore
import MartletHTTP
import MartletStorage

/// Endpoints that misbehave on purpose, for tests of what surrounds them. Never served in production: `MARTLET_TEST_ROUTES`.
struct TestAPI: API {
    static let shared = TestAPI()
    static let name = "test"

    let sleep = Endpoint<Pause, NoContent>.get("/test/sleep", "Sleep for some milliseconds", allow: .anyone)
    let trap = Endpoint<NoContent, NoContent>.post("/test/trap", "End the process by a trap", allow: .anyone)
    let fail = Endpoint<NoContent, NoContent>.get("/test/fail", "Throw an error that nobody expects", allow: .anyone)
    let slowQuery = Endpoint<Pause, NoContent>.get("/test/slow-query", "Run a statement that takes some milliseconds", allow: .anyone)

    struct Pause: Codable, Sendable {
        var milliseconds: PauseLength
    }

    struct PauseLength: Parsed {
        static let schema = Schema.integer(0...600_000)
        static let example = 100
        let raw: Int

        init(_ raw: Int) throws(Fault) { self.raw = raw }
    }

    static func routes(_ database: any Database) -> [Route] {
        [
            serve(open: TestAPI.sleep) { pause, _ in
                try await Task.sleep(for: .milliseconds(pause.milliseconds.raw))
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
        ]
    }

    private struct UnexpectedError: Error {
        let secret: String
    }
}
