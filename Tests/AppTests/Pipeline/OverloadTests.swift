import HummingbirdCore
import Logging
import MartletCache
import MartletContract
import MartletCore
import MartletIdentity
import MartletOverload
import MartletService
import MartletTestKit
import MartletTestSupport
import MartletWire
import NIOCore
import NIOPosix
import ServiceLifecycle
import Testing

@testable import MartletApp
@testable import MartletHTTP

@Suite("Overload", .everyDatabase)
struct Overloading {
    @Test func moreRequestsThanAreLetInAreRefusedAtOnceAndNothingLeaks() async throws {
        try await withStage { (stage: Stage) async throws in
            let working = try await stage.occupy()
            let refusal = try await stage.ask("GET /stage/read", ["X-Request-ID: the-one"])
            #expect(refusal.status == 503)
            #expect(refusal["Retry-After"].flatMap { Int($0) }.map { (1...3).contains($0) } == true)
            #expect(refusal["Content-Type"] == "application/problem+json" && refusal["X-Content-Type-Options"] == "nosniff")
            let problem = try refusal.problem()
            #expect(problem.code == "overloaded" && problem.requestId == "the-one" && problem.status == 503)
            #expect(stage.statistics.refused[.reads] == 1 && stage.statistics.running == Stage.limit)
            await stage.gate.open()
            for answer in working { #expect(try await answer.value.status == 200) }
            try await eventually { stage.isIdle }
            #expect(stage.statistics.admitted[.reads] == Stage.limit)
            #expect(try await stage.ask("GET /stage/read").status == 200)
        }
    }

    @Test func healthAnswersWhateverHappens() async throws {
        try await withStage { (stage: Stage) async throws in
            let working = try await stage.occupy()
            for path in ["/health/live", "/health/ready"] { #expect(try await stage.ask("GET \(path)").status == 200) }
            #expect(stage.statistics.refused.values.allSatisfy { $0 == 0 })
            await stage.gate.open()
            for answer in working { _ = try await answer.value }
        }
    }

    @Test func whoeverIsRefusedIsNotAskedWhoTheyAreAndTheirBodyIsNotRead() async throws {
        try await withStage { (stage: Stage) async throws in
            let working = try await stage.occupy()
            let refusal = try await stage.ask(
                "POST /api/v1/bookmarks", ["Authorization: Bearer nonsense", "Content-Type: application/json", "Content-Length: 5000"])
            #expect(refusal.status == 503)
            #expect(stage.statistics.refused[.writes] == 1)
            await stage.gate.open()
            for answer in working { _ = try await answer.value }
            #expect(try await stage.ask("GET /api/v1/bookmarks", ["Authorization: Bearer nonsense"]).status == 401)
        }
    }

    @Test func oneWhoSendsItsBodySlowlyTakesNoPlace() async throws {
        try await withStage(limit: 1) { (stage: Stage) async throws in
            await stage.gate.open()
            // The wire refuses it in the end.
            let slow = Task { try await stage.ask("POST /stage/write", ["Content-Type: application/json", "Content-Length: 100"]) }
            try await eventually { stage.statistics.admitted[.writes] == 1 }
            #expect(try await stage.ask("GET /stage/read").status == 200)
            #expect(try await slow.value.status == 408)
            try await eventually { stage.isIdle }
        }
    }

    @Test func workThatFailsOrTakesTooLongLeavesItsPlace() async throws {
        try await withStage(limit: 1, timeout: .seconds(2)) { (stage: Stage) async throws in
            #expect(try await stage.ask("GET /stage/fail").status == 500)
            #expect(try await stage.ask("GET /stage/read?unknown=1").status == 422)
            #expect(try await stage.ask("GET /api/v1/bookmarks").status == 401)
            #expect(try await stage.ask("GET /stage/late").status == 504)
            try await eventually { stage.isIdle }
        }
    }

    @Test func whoIsTurnedAwayIsAnsweredLikeWhoIsRefused() async throws {
        try await withStage(limit: 1) { (stage: Stage) async throws in
            // Each asks again at once, so that before long a queue stands.
            let refusals = try await withThrowingTaskGroup(of: [SocketAnswer].self) { group in
                for caller in 1...12 {
                    group.addTask { try await stage.insist(caller) }
                }
                try await eventually { stage.statistics.turnedAway > 20 }
                #expect(try await stage.ask("GET /health/live").status == 200)
                await stage.gate.open()
                return try await group.reduce([], +)
            }
            #expect(refusals.count > 20)
            for refusal in refusals {
                #expect(refusal["Retry-After"].flatMap { Int($0) }.map { (1...3).contains($0) } == true)
                #expect(refusal["X-Content-Type-Options"] == "nosniff" && refusal["Date"] != nil)
                let problem = try refusal.problem()
                #expect(problem.code == "overloaded" && problem.requestId == refusal["X-Request-ID"])
            }
            try await eventually { stage.isIdle }
            #expect(stage.statistics.admitted.values.reduce(0, +) >= 12)
        }
    }

    @Test func refusalsHaveNoLineEach() async throws {
        try await withStage { (stage: Stage) async throws in
            let working = try await stage.occupy()
            for _ in 1...3 { #expect(try await stage.ask("GET /stage/read").status == 503) }
            await stage.gate.open()
            for answer in working { _ = try await answer.value }
            #expect(stage.log.lines.count { $0.metadata["status"] == "503" } == 0)
            #expect(stage.log.lines.count { $0.message.hasPrefix("Overloaded") } < 3)
            #expect(stage.log.lines.contains { $0.message.hasPrefix("Overloaded") })
        }
    }

    @Test func aKeptAnswerIsServedWhileOthersAreRefused() async throws {
        try await withStage { (stage: Stage) async throws in
            try await eventually { try await stage.ask("GET /stage/kept?number=1")["X-Cache"] == "hit" }
            let working = try await stage.occupy()
            #expect(try await stage.ask("GET /stage/kept?number=1").status == 200)
            #expect(try await stage.ask("GET /stage/kept?number=2").status == 503)
            await stage.gate.open()
            for answer in working { _ = try await answer.value }
            #expect(try await stage.ask("GET /stage/kept?number=2").status == 200)
            try await eventually { stage.isIdle }
        }
    }

    @Test func classesFollowFromTheDeclaration() {
        let classes = Dictionary(
            uniqueKeysWithValues: App.operations.map { ("\($0.operation.method) \($0.operation.path.path)", WorkClass($0.operation)) })
        #expect(classes["GET /health/live"] == .vital && classes["GET /health/ready"] == .vital)
        #expect(classes.filter { $0.key.contains("/admin/") }.values.allSatisfy { $0 == .vital })
        #expect(classes["POST /api/v1/auth/login"] == .login)
        #expect(classes["GET /api/v1/bookmarks"] == .reads && classes["POST /api/v1/bookmarks"] == .writes)
        #expect(classes["POST /api/v1/bookmarks/import"] == .bulk)
    }
}

/// A server with few places, and routes that stay in theirs until a gate opens.
private struct Stage {
    static let limit = 3

    let app: TestApp
    let port: Int
    let admission: Admission
    let gate: Gate
    let log: LogRecorder

    var statistics: AdmissionStatistics { admission.statistics }
    var isIdle: Bool { statistics.running == 0 && statistics.queued == 0 }

    /// Asks until it is served, and returns the refusals.
    func insist(_ caller: Int) async throws -> [SocketAnswer] {
        var refusals: [SocketAnswer] = []
        while true {
            let answer = try await ask("GET /stage/read", ["X-Request-ID: caller-\(caller)"])
            guard answer.status == 503 else { return refusals }
            refusals.append(answer)
        }
    }

    /// Fills all places, and returns who has them.
    func occupy() async throws -> [Task<SocketAnswer, any Error>] {
        let working = (1...Self.limit).map { _ in Task { try await ask("GET /stage/read") } }
        try await eventually { statistics.running == Self.limit }
        return working
    }

    func ask(_ line: String, _ fields: [String] = []) async throws -> SocketAnswer {
        try await app.exchange(line, fields, at: port)
    }
}

private func withStage(
    limit: Int = Stage.limit, timeout: Duration = .seconds(60), _ body: @escaping @Sendable (Stage) async throws -> Void
) async throws {
    try await withApp { app in
        let admission = Admission(AdmissionLimits(floor: limit, ceiling: limit))
        let (gate, log, deadlines) = (Gate(), LogRecorder(), Deadlines(tick: .milliseconds(20)))
        let identity = try #require(app.app.services.lazy.compactMap { $0 as? IdentityService }.first)
        var wire = WireLimits()
        wire.bodyTimeout = .seconds(5)
        let health = InstanceHealth(app.app.settings, app.app.database, app.app.shared, app.app.cache, app.app.draining)
        let pipeline = Pipeline(
            routes: app.app.services.flatMap(\.routes) + SystemAPI.routes(health) + StageAPI.routes(gate),
            authenticator: identity.authenticator,
            policy: HTTPPolicy(requestTimeout: timeout), deadlines: deadlines, responses: ResponseCache(app.app.cache, showsSource: true),
            admission: admission, logger: log.logger)
        let (ports, port) = AsyncStream.makeStream(of: Int.self)
        let server = try HTTPServer.service(
            pipeline, at: .address(host: "127.0.0.1", port: 0), limits: wire, tls: nil, draining: Draining(), reloads: Reloads(),
            eventLoops: MultiThreadedEventLoopGroup.singleton, logger: .silent
        ) { port.yield($0) }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await LoadWatch(admission, logger: log.logger) { (0, 0) }.run() }
            group.addTask { await deadlines.run() }
            group.addTask {
                defer { port.finish() }
                // Cancelled below: how it ends then is no one's concern.
                try? await server.run()
            }
            let bound = try #require(await ports.first { _ in true })
            defer { group.cancelAll() }
            try await body(Stage(app: app, port: bound, admission: admission, gate: gate, log: log))
        }
    }
}

private struct StageAPI: API {
    static let shared = StageAPI()
    static let name = "stage"

    let read = Endpoint<NoContent, NoContent>.get("/stage/read", "Wait for the gate", allow: .anyone)
    let write = Endpoint<Numbered, NoContent>.post("/stage/write", "Write", allow: .anyone)
    let fail = Endpoint<NoContent, NoContent>.get("/stage/fail", "Fail", allow: .anyone)
    let late = Endpoint<NoContent, NoContent>.get("/stage/late", "Take too long", allow: .anyone)
    let kept = Endpoint<Numbered, Numbered>.get("/stage/kept", "Be kept", allow: .anyone, cache: .for(60, tags: "stage"))

    struct Numbered: Codable, Sendable {
        var number: Int
    }

    struct Failing: Error {}

    static func routes(_ gate: Gate) -> [Route] {
        [
            serve(open: StageAPI.read) { _, _ in
                await gate.wait()
                return Reply(NoContent())
            },
            serve(open: StageAPI.write) { _, _ in Reply(NoContent()) },
            serve(open: StageAPI.fail) { _, _ in throw Failing() },
            serve(open: StageAPI.late) { _, _ in
                try await Task.sleep(for: .seconds(3600))
                return Reply(NoContent())
            },
            serve(open: StageAPI.kept) { asked, _ in Reply(asked) },
        ]
    }
}
