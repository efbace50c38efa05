import MartletClient
import MartletContract
import MartletCore
import MartletIdentityAPI
import MartletTestKit
import Testing

@Suite(.everyDatabase) struct StayingLoggedIn {
    @Test func anExpiredTokenIsRefreshedAndTheCallSentAgain() async throws {
        try await withClient { app, client, clock, log in
            clock.advance(by: .seconds(3600))
            let user = try await client.send(AccountsAPI.me)
            #expect(user.username.raw == "ada")
            #expect(log.answers(to: "/api/v1/auth/refresh") == 1)
            #expect(log.answers(to: "/api/v1/auth/me") == 2)
        }
    }

    @Test func manyCallsThatFindItExpiredTogetherRefreshItOnce() async throws {
        try await withClient { app, client, clock, log in
            clock.advance(by: .seconds(3600))
            let users = try await manyAtOnce(50) { _ in try await client.send(AccountsAPI.me) }
            #expect(users.count == 50)
            #expect(log.answers(to: "/api/v1/auth/refresh") == 1)
        }
    }

    @Test func itGoesOnForAsManyExpiriesAsThereAre() async throws {
        try await withClient { app, client, clock, log in
            for round in 1...3 {
                clock.advance(by: .seconds(3600))
                let user = try await client.send(AccountsAPI.me)
                #expect(user.username.raw == "ada")
                #expect(log.answers(to: "/api/v1/auth/refresh") == round)
            }
        }
    }

    @Test func whenTheSessionHasEndedTheProblemIsThrown() async throws {
        try await withClient { app, client, clock, log in
            let session = try await client.logIn(.ada())
            #expect(try await app.logOut(session.refreshToken?.raw ?? "").status == 204)
            clock.advance(by: .seconds(3600))
            for _ in 1...2 {
                let problem = try await refusal { _ = try await client.send(AccountsAPI.me) }
                #expect(problem?.status == 401)
            }
            #expect(log.answers(to: "/api/v1/auth/refresh") == 1, "A refused refresh token is not tried again.")
        }
    }

    @Test func manyCallsAllHearThatTheSessionHasEnded() async throws {
        try await withClient { app, client, clock, log in
            let session = try await client.logIn(.ada())
            _ = try await app.logOut(session.refreshToken?.raw ?? "")
            clock.advance(by: .seconds(3600))
            let statuses = try await manyAtOnce(50) { _ in try await refusal { _ = try await client.send(AccountsAPI.me) }?.status }
            #expect(statuses == [Int?](repeating: 401, count: 50))
            #expect(log.answers(to: "/api/v1/auth/refresh") == 1)
        }
    }

    @Test func aClientThatNeverLoggedInRefreshesNothing() async throws {
        try await withClient { app, _, _, log in
            let problem = try await refusal { _ = try await app.client.send(AccountsAPI.me) }
            #expect(problem?.code == "authentication_required")
            #expect(log.answers(to: "/api/v1/auth/refresh") == 0)
        }
    }

    @Test func aWrongPasswordIsNoReasonToRefresh() async throws {
        try await withClient { app, client, _, log in
            let wrong = Login(login: try LoginName("ada"), password: try GivenPassword("not the password"))
            let problem = try await refusal { try await client.logIn(wrong) }
            #expect(problem?.code == "invalid_credentials")
            #expect(log.answers(to: "/api/v1/auth/refresh") == 0)
            #expect(try await client.send(AccountsAPI.me).username.raw == "ada", "The session from before goes on.")
        }
    }

    @Test func loggingOutEndsTheSessionOnBothSides() async throws {
        try await withClient { app, client, _, _ in
            let token = try await client.logIn(.ada()).refreshToken
            try await client.logOut()
            try await client.logOut()
            #expect(try await refusal { _ = try await client.send(AccountsAPI.me) }?.code == "authentication_required")
            #expect(try await app.refresh(token?.raw ?? "").status == 401)
        }
    }

    @Test func aSessionFromBeforeIsResumed() async throws {
        try await withClient { app, client, clock, log in
            let session = try await client.logIn(.ada())
            let other = app.client
            await other.resume(accessToken: session.accessToken, refreshToken: session.refreshToken)
            clock.advance(by: .seconds(3600))
            #expect(try await other.send(AccountsAPI.me) == session.user)
            #expect(log.answers(to: "/api/v1/auth/refresh") == 1)
        }
    }

    private func withClient(_ body: (TestApp, MartletClient, MovableClock, LinesOfLog) async throws -> Void) async throws {
        let (clock, log) = (MovableClock(), LinesOfLog())
        try await withApp(clock: clock.reading, logger: log.logger) { app in
            try await app.withWideClient { client in
                try await client.register(.of("ada"))
                try await body(app, client, clock, log)
            }
        }
    }
}

extension Login {
    fileprivate static func ada() throws -> Login {
        Login(login: try LoginName("ada"), password: try GivenPassword(Registration.password))
    }
}
