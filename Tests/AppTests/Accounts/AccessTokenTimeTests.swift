import Foundation
import MartletApp
import MartletClient
import MartletContract
import MartletCore
import MartletIdentityAPI
import MartletSettings
import MartletStorage
import MartletTestKit
import NIOHTTP1
import Testing

@Suite struct TheTimeOfAnAccessToken {
    @Test func withinTheLeewayAfterItsEndItIsGood() async throws {
        try await withToken { app, clock, token in
            clock.advance(by: .seconds(1800 + 59))
            let answer = try await app.me(token)
            #expect(answer.status == 200)
        }
    }

    @Test func beyondTheLeewayItHasExpired() async throws {
        try await withToken { app, clock, token in
            clock.advance(by: .seconds(1800 + 60))
            let answer = try await app.me(token)
            #expect(answer.status == 401)
            #expect(try answer.problem().code == "token_expired")
        }
    }

    @Test func oneThatWasVerifiedBeforeExpiresJustAsWell() async throws {
        try await withToken { app, clock, token in
            let first = try await app.me(token)
            clock.advance(by: .seconds(1800 + 59))
            let last = try await app.me(token)
            clock.advance(by: .seconds(1))
            let late = try await app.me(token)
            let statuses = [first.status, last.status, late.status]
            #expect(statuses == [200, 200, 401])
        }
    }

    @Test(arguments: [("iat", 60, 200), ("iat", 61, 401), ("nbf", 60, 200), ("nbf", 61, 401)])
    func oneFromTheFutureIsGoodOnlyWithinTheLeeway(_ claim: String, _ seconds: Int, _ status: Int) async throws {
        let clock = MovableClock()
        try await withApp(clock: clock.reading) { app in
            let account = try await app.client.register(.of("ada")).user.id.description
            var token = ForgedToken(for: account, at: clock.now, key: app.app.settings.jwtSecretKey.unsafeRevealBytes())
            token.claim(claim, .number("\(Int(clock.now.timeIntervalSince1970) + seconds)"))
            #expect(try await app.me(token.text).status == status)
        }
    }

    @Test func itsLifetimeIsAsConfigured() async throws {
        let clock = MovableClock()
        try await withApp(clock: clock.reading, change: { $0.jwtExpiration = .seconds(300) }) { app in
            let session = try await app.client.register(.of("ada"))
            #expect(session.expiresIn == 300)
            clock.advance(by: .seconds(360))
            #expect(try await app.me(session.accessToken).status == 401)
        }
    }

    private func withToken(_ body: (TestApp, MovableClock, String) async throws -> Void) async throws {
        let clock = MovableClock()
        try await withApp(clock: clock.reading) { app in try await body(app, clock, try await app.token()) }
    }
}

@Suite struct TheAuthorizationHeader {
    @Test func withoutItTheCallerIsAskedToSignIn() async throws {
        try await withApp { app in
            let answer = try await app.me(nil)
            #expect(answer.status == 401)
            #expect(try answer.problem().code == "authentication_required")
            #expect(answer.headers.first(name: "WWW-Authenticate") == "Bearer")
        }
    }

    @Test(arguments: ["Basic ", "Token ", "", "Bearer,", "Bearer", "BearerBearer "])
    func withAnotherSchemeItIsRefused(_ prefix: String) async throws {
        try await withApp { app in
            let token = try await app.token()
            let answer = try await app.raw(.GET, "/api/v1/auth/me", headers: [("Authorization", prefix + token)])
            #expect(answer.status == 401)
        }
    }

    @Test(arguments: ["Bearer ", "bearer ", "BEARER "])
    func theSchemeIsKnownInAnyCase(_ prefix: String) async throws {
        try await withApp { app in
            let token = try await app.token()
            let answer = try await app.raw(.GET, "/api/v1/auth/me", headers: [("Authorization", prefix + token)])
            #expect(answer.status == 200)
        }
    }

    @Test func givenTwiceItIsRefused() async throws {
        try await withApp { app in
            let field = ("Authorization", "Bearer \(try await app.token())")
            let answer = try await app.raw(.GET, "/api/v1/auth/me", headers: [field, field])
            #expect(answer.status == 400 || answer.status == 401)
        }
    }

    @Test(.everyDatabase) func theTokenOfAnAccountThatIsGoneOpensNothing() async throws {
        try await withApp { app in
            let token = try await app.token()
            try await app.app.database.change("DELETE FROM account")
            #expect(try await app.me(token).status == 401)
            let saved = try await app.raw(.POST, "/api/v1/bookmarks", token: token, json: #"{"url":"https://swift.org"}"#)
            #expect(saved.status == 401)
        }
    }
}
