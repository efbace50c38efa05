import Foundation
import MartletApp
import MartletClient
import MartletContract
import MartletCore
import MartletIdentityAPI
import MartletStorage
import MartletTestKit
import NIOHTTP1
import Testing

@Suite(.everyDatabase) struct RefreshTokens {
    @Test func eachWorksOnceAndYieldsTheNext() async throws {
        try await withApp { app in
            var tokens = [try await app.newRefreshToken()]
            for _ in 1...3 {
                let answer = try await app.refresh(tokens[tokens.count - 1])
                #expect(answer.status == 200)
                #expect(answer.headers.first(name: "Cache-Control") == "no-store")
                #expect(try await app.me(answer.json()["access_token"]?.text).status == 200)
                tokens.append(try answer.refreshToken())
            }
            #expect(Set(tokens).count == 4)
        }
    }

    @Test func callersWhoRaceGetTheSameSuccessor() async throws {
        try await withApp { app in
            let token = try RefreshToken(try await app.newRefreshToken())
            try await app.withWideClient { client in
                let sessions = try await manyAtOnce(32) { _ in try await client.send(AccountsAPI.refresh, Refresh(refreshToken: token)) }
                #expect(sessions.count == 32)
                #expect(Set(sessions.map(\.refreshToken)).count == 1)
                #expect(sessions.first?.refreshToken != token)
            }
            #expect(try await app.app.database.first(Int.self, "SELECT count(*) FROM refresh_token") == 2)
        }
    }

    @Test func withinTheGraceAUsedOneStillYieldsItsSuccessor() async throws {
        try await withClock { app, clock in
            let token = try await app.newRefreshToken()
            let successor = try await app.refresh(token).refreshToken()
            clock.advance(by: .seconds(10))
            #expect(try await app.refresh(token).refreshToken() == successor)
        }
    }

    @Test func afterTheGraceReuseEndsTheFamily() async throws {
        try await withClock { app, clock in
            let token = try await app.newRefreshToken()
            let successor = try await app.refresh(token).refreshToken()
            clock.advance(by: .seconds(11))
            let reuse = try await app.refresh(token)
            #expect(reuse.status == 401)
            #expect(try reuse.problem().code == "refresh_token_reused")
            #expect(try await app.refresh(successor).status == 401, "The successor is dead too.")
            #expect(try await app.refresh(token).status == 401)
        }
    }

    @Test func anotherLoginOfTheAccountOutlivesTheFamily() async throws {
        try await withClock { app, clock in
            let token = try await app.newRefreshToken()
            let other = try await app.logIn("ada", Registration.password).refreshToken()
            _ = try await app.refresh(token)
            clock.advance(by: .seconds(11))
            #expect(try await app.refresh(token).status == 401)
            #expect(try await app.refresh(other).status == 200)
        }
    }

    @Test func anUnusedOneLastsThirtyDays() async throws {
        try await withClock { app, clock in
            let (early, late) = (try await app.newRefreshToken("early"), try await app.newRefreshToken("late"))
            clock.advance(by: .seconds(30 * 86_400 - 1))
            #expect(try await app.refresh(early).status == 200)
            clock.advance(by: .seconds(1))
            let answer = try await app.refresh(late)
            #expect(answer.status == 401)
            #expect(try answer.problem().code == "invalid_refresh_token")
        }
    }

    @Test(arguments: [
        "", "x", "q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA=", "q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWe A",
        "eyJhbGciOiJIUzI1NiJ9.e30.x",
    ])
    func textThatIsNoneIsInvalid(_ text: String) async throws {
        try await withApp { app in
            let answer = try await app.refresh(text)
            #expect(answer.status == 422)
            #expect(try answer.problem().errors?.map(\.pointer) == ["/refresh_token"])
        }
    }

    @Test func oneThatWasNeverGivenOutIsRefused() async throws {
        try await withApp { app in
            _ = try await app.newRefreshToken()
            let answer = try await app.refresh(RefreshToken.example)
            #expect(answer.status == 401)
            #expect(try answer.problem().code == "invalid_refresh_token")
        }
    }

    private func withClock(_ body: (TestApp, MovableClock) async throws -> Void) async throws {
        let clock = MovableClock()
        try await withApp(clock: clock.reading) { app in try await body(app, clock) }
    }
}

@Suite(.everyDatabase) struct LoggingOut {
    @Test func theWholeFamilyEnds() async throws {
        try await withApp { app in
            let token = try await app.newRefreshToken()
            let successor = try await app.refresh(token).refreshToken()
            #expect(try await app.logOut(token).status == 204)
            for dead in [token, successor] {
                let answer = try await app.refresh(dead)
                #expect(answer.status == 401)
                #expect(try answer.problem().code == "invalid_refresh_token")
            }
        }
    }

    @Test func doingItAgainChangesNothing() async throws {
        try await withApp { app in
            let token = try await app.newRefreshToken()
            for _ in 1...3 { #expect(try await app.logOut(token).status == 204) }
            #expect(try await app.logOut(RefreshToken.example).status == 204, "An unknown token has nothing to end.")
        }
    }

    @Test func otherLoginsGoOn() async throws {
        try await withApp { app in
            let token = try await app.newRefreshToken()
            let other = try await app.logIn("ada", Registration.password).refreshToken()
            #expect(try await app.logOut(token).status == 204)
            #expect(try await app.refresh(other).status == 200)
        }
    }
}
