import MartletApp
import MartletContract
import MartletCore
import MartletSettings
import MartletStorage
import MartletTestKit
import Testing

@testable import MartletHTTP

@Suite("A request's deadline", .everyDatabase)
struct RequestDeadlines {
    private let short: @Sendable (inout Settings) -> Void = { settings in
        settings.testRoutes = true
        settings.requestTimeout = .milliseconds(300)
    }

    @Test func answersWorkThatTakesTooLongWith504() async throws {
        try await withApp(change: short) { app in
            let answer = try await app.exchange("GET /test/sleep?milliseconds=600000", ["X-Request-ID: late"])
            #expect(answer.status == 504)
            #expect(try answer.problem().code == "deadline_exceeded")
            #expect(try answer.problem().requestId == "late")
        }
    }

    @Test func freesTheDatabaseConnectionOfAStatementThatTakesTooLong() async throws {
        let oneReader: @Sendable (inout Settings) -> Void = { settings in
            short(&settings)
            settings.sqliteReaders = 1
        }
        try await withApp(change: oneReader) { app in
            for _ in 1...2 {
                let answer = try await app.exchange("GET /test/slow-query?milliseconds=600000")
                #expect(answer.status == 504)
            }
            // The only reader: it answers only if it was given back.
            try await app.app.database.check()
        }
    }

    @Test func cancelsTheWork() async throws {
        let deadlines = Deadlines(tick: .milliseconds(5))
        let (ends, end) = AsyncStream.makeStream(of: Bool.self)
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await deadlines.run() }
            let failure = await #expect(throws: Failure.self) {
                try await deadlines.run(within: .milliseconds(10)) {
                    do { try await Task.sleep(for: .seconds(3600)) } catch { end.yield(Task.isCancelled) }
                }
            }
            #expect(failure?.kind == .timeout)
            #expect(await ends.first { _ in true } == true)
            group.cancelAll()
        }
    }

    @Test func doesNotWaitForWorkThatIgnoresItsCancellation() async throws {
        let deadlines = Deadlines(tick: .milliseconds(5))
        let (gate, opener) = AsyncStream.makeStream(of: Void.self)
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await deadlines.run() }
            await #expect(throws: Failure.self) {
                try await deadlines.run(within: .milliseconds(10)) {
                    await Task.detached { for await _ in gate { break } }.value
                }
            }
            opener.yield()
            group.cancelAll()
        }
    }

    @Test func passesOnWhatTheWorkReturnsOrThrows() async throws {
        let deadlines = Deadlines()
        #expect(try await deadlines.run(within: .seconds(60)) { 42 } == 42)
        await #expect(throws: Failure.self) {
            try await deadlines.run(within: .seconds(60)) { throw Failure.notFound("x", "y") }
        }
    }
}
