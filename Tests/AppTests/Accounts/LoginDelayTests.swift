import Foundation
import MartletApp
import MartletContract
import MartletCore
import MartletIdentityAPI
import MartletRateLimit
import MartletTestKit
import MartletTestSupport
import NIOHTTP1
import Testing

@testable import MartletIdentity

@Suite("Delays after failed logins", .everyDatabase)
struct DelaysAfterFailedLogins {
    /// Delays, and limits by address that nothing here reaches.
    private func delayed(_ change: [String: String] = [:], _ body: (TestApp) async throws -> Void) async throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        let settings = try folder.settings(
            [
                "RATE_LIMIT_ENABLED": "true", "RATE_LIMIT_LOGIN": "1000/min", "TRUSTED_PROXIES": "127.0.0.1",
            ].merging(change) { $1 })
        try await withRunningApp(settings, folder: folder.path, body)
    }

    @Test func beginAfterFiveFailuresAndEndByThemselves() async throws {
        try await delayed { app in
            _ = try await app.register()
            for _ in 0..<5 { #expect(try await app.logIn("ada", from: "192.0.2.1").status == 401) }
            var refused: RawAnswer?
            // On a slow machine the first waits are over before they are noticed: they grow.
            try await eventually {
                refused = try await app.logIn("ADA", from: "192.0.2.1")
                return refused?.status == 429
            }
            #expect(try refused?.problem().code == "too_many_failures")
            let wait = try #require(refused?.headers.first(name: "Retry-After").flatMap { Int($0) })
            #expect((1...64).contains(wait))
            try await eventually { try await app.logIn("ada", Registration.password, from: "192.0.2.1").status == 200 }
        }
    }

    @Test func areFeltByNobodyElse() async throws {
        try await delayed { app in
            _ = try await app.register()
            _ = try await app.register(["email": "bob@example.org", "username": "bob"])
            try await app.fail("ada", from: "192.0.2.1")
            #expect(try await app.logIn("ada", Registration.password, from: "192.0.2.1").status == 429)
            #expect(try await app.logIn("ada", Registration.password, from: "192.0.2.2").status == 200)
            #expect(try await app.logIn("bob", Registration.password, from: "192.0.2.1").status == 200)
            #expect(try await app.logIn("ada@example.org", Registration.password, from: "192.0.2.1").status == 200)
        }
    }

    @Test func areForgottenByASuccess() async throws {
        try await delayed { app in
            _ = try await app.register()
            for _ in 0..<3 {
                for _ in 0..<4 { #expect(try await app.logIn("ada", from: "192.0.2.1").status == 401) }
                #expect(try await app.logIn("ada", Registration.password, from: "192.0.2.1").status == 200)
            }
        }
    }

    @Test func tellNothingOfWhetherAnAccountExists() async throws {
        try await delayed { app in
            _ = try await app.register()
            for status in [401, 401, 401, 401, 401, 429] {
                if status == 429 { for login in ["ada", "nobody"] { try await app.fail(login, from: "192.0.2.1") } }
                let (known, unknown) = (
                    try await app.logIn("ada", from: "192.0.2.1"), try await app.logIn("nobody", from: "192.0.2.1")
                )
                #expect(known.status == status && unknown.status == status)
                #expect(try known.problem().code == unknown.problem().code)
                #expect(known.headers.map { $0.name }.sorted() == unknown.headers.map { $0.name }.sorted())
            }
        }
    }

    @Test func holdForAllAddressesOfANetworkOfIPv6() async throws {
        try await delayed { app in
            try await app.fail("ada", from: "2001:db8:0:1::1")
            #expect(try await app.logIn("ada", from: "2001:db8:0:1:ffff::1").status == 429)
            #expect(try await app.logIn("ada", from: "2001:db8:0:2::1").status == 401)
        }
    }

    @Test func slowGuessesFromManyAddressesAndLockNobodyOut() async throws {
        try await delayed { app in
            _ = try await app.register()
            for number in 0..<20 { #expect(try await app.logIn("ada", from: "198.51.100.\(number)").status == 401) }
            try await app.attack("ada")
            // Now an address has one attempt, and who is right needs no second one.
            #expect(try await app.logIn("ada", from: "192.0.2.1").status == 401)
            try await app.attack("ada")
            #expect(try await app.logIn("ada", Registration.password, from: "192.0.2.1").status == 429)
            try await app.attack("ada")
            #expect(try await app.logIn("ada", Registration.password, from: "192.0.2.2").status == 200)
            #expect(try await app.logIn("bob", from: "192.0.2.1").status == 401)
            #expect(try await app.logIn("bob", from: "192.0.2.1").status == 401)
        }
    }

    @Test func goOnWhileRedisIsAway() async throws {
        try await delayed(["REDIS_URL": "redis://127.0.0.1:1"]) { app in
            _ = try await app.register()
            try await eventually { try await app.logIn("ada", from: "192.0.2.1").status == 429 }
            #expect(try await app.logIn("ada", Registration.password, from: "192.0.2.2").status == 200)
        }
    }

    @Test func areOffWhereNothingIsLimited() async throws {
        try await withApp { (app) async throws in
            for _ in 0..<8 { #expect(try await app.logIn("nobody", "wrong wrong wrong").status == 401) }
        }
    }
}

/// By clocks that the test moves.
@Suite struct CountingFailedLogins {
    private let clock = MovableClock()
    private let delays: LoginDelays

    init() {
        let microseconds: @Sendable () -> Int64 = { [clock] in Int64(clock.now.timeIntervalSince1970) * 1_000_000 }
        delays = LoginDelays(
            failures: MemoryFailureCounter(clock: microseconds), limiter: MemoryRateLimiter(clock: microseconds))
    }

    private func wait(_ login: String = "ada", from address: String = "192.0.2.1", isRight: Bool = false) async throws -> Int {
        do {
            try await delays.attempt(login, from: IPAddress(address)) {
                if !isRight { throw Failure.unauthenticated("invalid_credentials", "Wrong.") }
            }
        } catch let failure as Failure {
            return failure.code == "too_many_failures" ? failure.retryAfterSeconds ?? 0 : 0
        }
        return 0
    }

    @Test func fiveAreFreeAndTheWaitsGrowToAQuarterOfAnHour() async throws {
        for _ in 0..<5 { #expect(try await wait() == 0) }
        for seconds in [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900] {
            #expect(try await wait(isRight: true) == seconds)
            #expect(try await wait(from: "192.0.2.2", isRight: true) == 0)
            clock.advance(by: .seconds(seconds))
            #expect(try await wait() == 0)
        }
    }

    @Test func aSuccessForgetsItsPairOnly() async throws {
        for _ in 0..<5 { _ = try await (wait(), wait(from: "192.0.2.2")) }
        clock.advance(by: .seconds(1))
        #expect(try await wait(isRight: true) == 0)
        for _ in 0..<5 { #expect(try await wait() == 0) }
        #expect(try await wait() == 1)
        #expect(try await wait(from: "192.0.2.2") == 0)
        #expect(try await wait(from: "192.0.2.2") == 2)
    }

    @Test func anAttackedLoginHasOneFreeAttemptForEachAddress() async throws {
        for number in 0..<100 { #expect(try await wait(from: "198.51.100.\(number)") == 0) }
        #expect(try await wait() == 0)
        #expect(try await wait(isRight: true) == 60)
        #expect(try await wait(from: "192.0.2.2", isRight: true) == 0)
        #expect(try await wait("bob") == 0)
        #expect(try await wait("bob") == 0)
        clock.advance(by: .seconds(60))
        #expect(try await wait(isRight: true) == 0, "Nobody is locked out.")
    }

    @Test func whatSaysNothingOfThePasswordDoesNotCount() async throws {
        for _ in 0..<20 {
            let failure = await #expect(throws: Failure.self) {
                try await delays.attempt("ada", from: nil) { throw Failure.unavailable("database_busy", "Too many writes are waiting.") }
            }
            #expect(failure?.code == "database_busy")
        }
    }

    @Test func whoHangsUpHasGuessed() async throws {
        for _ in 0..<5 {
            await #expect(throws: CancellationError.self) { try await delays.attempt("ada", from: nil) { throw CancellationError() } }
        }
        let failure = await #expect(throws: Failure.self) { try await delays.attempt("ada", from: nil) {} }
        #expect(failure?.code == "too_many_failures")
    }
}

extension TestApp {
    fileprivate func logIn(_ login: String, _ password: String = "wrong wrong wrong", from address: String) async throws -> RawAnswer {
        let node = address.contains(":") ? "\"[\(address)]\"" : address
        return try await logIn(login, password, headers: [("Forwarded", "for=\(node)")])
    }

    private var delays: [LoginDelays] {
        instances.flatMap(\.services).compactMap { ($0 as? IdentityService)?.delays }
    }

    /// Has every instance count so many failures that the wait is longer than any test.
    fileprivate func fail(_ login: String, from address: String) async throws {
        let uncounted = GrowingDelay(patience: 1000, within: .seconds(900), from: .seconds(1), upTo: .seconds(900))
        for delays in delays {
            for _ in 0..<15 { _ = try await delays.failures.attempt(LoginDelays.pair(login, IPAddress(address)), uncounted) }
        }
    }

    /// Has every instance count as many failures from elsewhere as make an attack.
    fileprivate func attack(_ login: String) async throws {
        for delays in delays {
            let demand = LoginDelays.demand(for: login)
            while try await delays.limiter.take([demand]).first?.isAdmitted == true {}
        }
    }
}
