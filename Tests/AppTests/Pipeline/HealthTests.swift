import MartletClient
import MartletContract
import MartletCore
import MartletHTTP
import MartletSettings
import MartletStorage
import MartletTestKit
import MartletTestSupport
import NIOHTTP1
import Synchronization
import Testing

@testable import MartletApp

@Suite("The health endpoints", .everyDatabase)
struct HealthEndpoints {
    static let open = [
        "/health", "/health/live", "/health/liveness", "/health/ready", "/health/readiness", "/health/database", "/health/redis",
        "/api/health", "/api/health/database", "/api/health/redis",
    ]

    @Test func answerAnybodyUnderAllTheirNames() async throws {
        try await withApp { app in
            for path in Self.open {
                let answer = try await app.exchange("GET \(path)")
                #expect(answer.status == 200, "\(path)")
                #expect(answer["Cache-Control"] == "no-store", "\(path)")
            }
        }
    }

    @Test func tellWhetherRedisIsUsed() async throws {
        try await withApp { app in
            let health = try await app.client.send(SystemAPI.redis)
            #expect(health.status == (Engine.current == .cluster ? .ok : .off))
            #expect((health.milliseconds != nil) == (Engine.current == .cluster))
        }
    }

    @Test(arguments: [
        ("older", "DELETE FROM schema_migration WHERE id LIKE 'bookmarks%'"), ("edited", "UPDATE schema_migration SET checksum = 'other'"),
    ])
    func refuseAnotherSchemaThanTheProgramNeeds(state: String, change: String) async throws {
        try await withApp { app in
            try await app.app.database.schemaTransaction { try await $0.run(script: change) }
            for instance in 0..<app.instances.count {
                let answer = try await app.exchange("GET /health/ready")
                let problem = try answer.problem()
                #expect(answer.status == 503, "instance \(instance)")
                #expect(problem.code == "schema_\(state)")
            }
            #expect(try await app.exchange("GET /health/live").status == 200)
        }
    }

    @Test func acceptTheSchemaOfALaterRelease() async throws {
        try await withApp { app in
            try await app.app.database.change(
                "INSERT INTO schema_migration (id, checksum, applied_at) VALUES ('later', 'text', \(WallClock.system.now))")
            #expect(try await app.exchange("GET /health/ready").status == 200)
            #expect(try await app.details().schema == .newer)
        }
    }
}

@Suite("The details of an instance's health", .everyDatabase)
struct HealthDetails {
    @Test func areForOperators() async throws {
        try await withApp { app in
            for (token, status) in [(nil, 401), (try await app.token(), 403), (try await app.operatorToken(), 200)] {
                #expect(try await app.raw(.GET, "/health/detailed", token: token).status == status)
            }
        }
    }

    @Test func tellWhatAnOperatorLooksAtFirst() async throws {
        try await withApp { app in
            let health = try await app.details()
            #expect(health.status == .ok)
            #expect(health.degraded == [])
            #expect(health.version == App.version)
            #expect(health.environment == "test")
            #expect(health.uptimeSeconds >= 0)
            #expect(health.database.engine == app.app.database.dialect.rawValue)
            #expect(health.database.health.status == .ok)
            #expect(health.database.connections > 0)
            #expect(health.schema == .current)
            let disk = try #require(health.disk)
            #expect(0 < disk.freeBytes && disk.freeBytes <= disk.totalBytes)
            let process = try #require(health.process)
            #expect(process.memoryBytes > 1 << 20 && process.openDescriptors > 0)
            #expect(process.mostDescriptors.map { process.openDescriptors < $0 } ?? true)
            #expect(health.openBreakers.isEmpty)
        }
    }

    @Test func areThereWhileTheDatabaseIsNot() async throws {
        try await withApp { app in
            let health = try await app.app.healthWithoutItsDatabase()
            let details = await health.detailed()
            #expect(details.status == .unavailable)
            #expect(details.database.health == PartHealth(status: .unavailable))
            #expect(details.schema == .unknown)
            let failure = await #expect(throws: Failure.self) { try await health.ready() }
            #expect(failure?.kind == .unavailable)
        }
    }
}

@Suite("A probe")
struct Probes {
    @Test func asksOnceForEverybodyWhoWaits() async throws {
        let asked = Atomic(0)
        let gate = Gate()
        let probe = Probe<Int>(of: "It") {
            asked.add(1, ordering: .relaxed)
            await gate.wait()
            return 7
        }
        try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 1...200 { group.addTask { try await probe.answer() } }
            try await eventually { asked.load(ordering: .relaxed) == 1 }
            await gate.open()
            for try await answer in group { #expect(answer == 7) }
        }
        #expect(asked.load(ordering: .relaxed) <= 2)
    }

    @Test func givesUpAndAsksAgainAfterwards() async throws {
        let isWell = Atomic(false)
        let probe = Probe<Int>(of: "It", goodFor: .zero, patience: .milliseconds(1)) {
            if isWell.load(ordering: .relaxed) { return 7 }
            try await Task.sleep(for: .seconds(600))
            return 0
        }
        let failure = await #expect(throws: Failure.self) { try await probe.answer() }
        #expect(failure?.code == "health_timeout")
        isWell.store(true, ordering: .relaxed)
        try await eventually { (try? await probe.answer()) == 7 }
    }
}

extension TestApp {
    fileprivate func details() async throws -> DetailedHealth {
        try WireJSON.decode(DetailedHealth.self, from: try await raw(.GET, "/health/detailed", token: operatorToken()).bytes)
    }
}

extension App {
    fileprivate func healthWithoutItsDatabase() async throws -> InstanceHealth {
        let other = try App.database(at: settings.databaseURL, settings, logger: logger)
        await other.close()
        return InstanceHealth(settings, other, shared, cache, draining)
    }
}
