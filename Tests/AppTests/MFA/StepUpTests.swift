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

@Suite("Recent proof of who one is", .everyDatabase) struct RecentProof {
    @Test func isWantedWhereTheEndpointSaysSo() async throws {
        try await withStandingClock { app, clock in
            let session = try await app.client.register(.of("ada"))
            clock.advance(by: .seconds(600))
            #expect(try await app.mfa("begin", token: session.accessToken).status == 200)
            clock.advance(by: .seconds(1))
            let refused = try await app.mfa("begin", token: session.accessToken)
            #expect(refused.status == 403)
            #expect(try refused.code == "step_up_required")
            #expect(try await app.mfaStatus(session.accessToken)["is_enabled"] == false, "Others do not ask for it.")
        }
    }

    @Test func isNotRenewedByARefresh() async throws {
        try await withStandingClock { app, clock in
            let token = try await app.newRefreshToken()
            clock.advance(by: .seconds(601))
            let fresh = try await app.refresh(token)
            #expect(try await app.mfa("begin", token: fresh.accessToken).code == "step_up_required")
        }
    }

    @Test func isGivenByThePassword() async throws {
        try await withStandingClock { app, clock in
            let session = try await app.client.register(.of("ada"))
            clock.advance(by: .seconds(601))
            let wrong = try await app.stepUp(["password": "not the password"], token: session.accessToken)
            #expect(wrong.status == 403)
            #expect(try wrong.code == "invalid_password")
            let fresh = try await app.stepUp(["password": .string(Registration.password)], token: session.accessToken)
            #expect(fresh.status == 200)
            #expect(try await app.mfa("begin", token: fresh.accessToken).status == 200)
            #expect(try await app.mfa("begin", token: session.accessToken).status == 403, "The old token says what it said.")
            let refreshed = try await app.refresh(try #require(session.refreshToken).raw)
            #expect(try await app.mfa("begin", token: refreshed.accessToken).status == 200, "It is the same session's.")
        }
    }

    @Test func isTheSecondFactorsWhereThereIsOne() async throws {
        try await withStandingClock { app, clock in
            let ada = try await app.enrol(clock)
            let old = ada.session.accessToken
            #expect(try await app.mfa("disable", token: old).code == "step_up_required", "The password was given a moment ago.")
            let answer = try await app.stepUp(["password": .string(Registration.password)], token: old)
            #expect(answer.status == 422)
            #expect(try answer.problem().errors?.map(\.pointer) == ["/code"])
            #expect(try await app.stepUp(["code": .string(ada.wrongCode)], token: old).code == "invalid_code")
            let fresh = try await app.stepUp(["code": .string(ada.code())], token: old)
            #expect(try await app.mfa("disable", token: fresh.accessToken).status == 204)
        }
    }

    @Test func aCodeOfALoginIsNoProofOnceMore() async throws {
        try await withStandingClock { app, clock in
            let ada = try await app.enrol(clock)
            let token = try await app.finish(app.mfaToken(), code: ada.code()).accessToken
            #expect(try await app.stepUp(["code": .string(ada.code())], token: token).code == "invalid_code")
        }
    }

    @Test func aLoginWithASecondFactorIsOneForTenMinutes() async throws {
        try await withStandingClock { app, clock in
            let ada = try await app.enrol(clock)
            let answer = try await app.finish(app.mfaToken(), code: ada.code())
            clock.advance(by: .seconds(600))
            #expect(try await app.mfa("recovery-codes", token: answer.accessToken).status == 200)
            clock.advance(by: .seconds(1))
            #expect(try await app.mfa("recovery-codes", token: answer.accessToken).code == "step_up_required")
            let refreshed = try await app.refresh(answer.refreshToken())
            #expect(try await app.mfa("recovery-codes", token: refreshed.accessToken).code == "step_up_required")
        }
    }

    @Test func whoLostTheAuthenticatorGetsOutByARecoveryCode() async throws {
        try await withStandingClock { app, clock in
            let ada = try await app.enrol(clock)
            let token = try await app.finish(app.mfaToken(), recoveryCode: ada.recoveryCodes[9]).accessToken
            #expect(try await app.mfa("disable", token: token).status == 204)
        }
    }

    @Test func guessesAreCounted() async throws {
        try await withStandingClock { app, clock in
            let token = try await app.token()
            for _ in 1...5 { #expect(try await app.stepUp(["password": "wrong"], token: token).status == 403) }
            let refused = try await app.stepUp(["password": .string(Registration.password)], token: token)
            #expect(refused.status == 429)
            #expect(try refused.code == "too_many_guesses")
            clock.advance(by: .seconds(900))
            #expect(try await app.stepUp(["password": .string(Registration.password)], token: token).status == 200)
        }
    }

    @Test func aSessionThatEndedHasNone() async throws {
        try await withStandingClock { app, _ in
            let session = try await app.client.register(.of("ada"))
            _ = try await app.logOut(try #require(session.refreshToken).raw)
            #expect(try await app.stepUp(["password": .string(Registration.password)], token: session.accessToken).status == 401)
        }
    }

    @Test func aTokenOfAnEarlierReleaseHasNone() async throws {
        try await withStandingClock { app, clock in
            let account = try await app.client.register(.of("ada")).user.id.description
            let token = try ForgedToken(for: account, at: clock.now, key: app.app.settings.jwtSecretKey.unsafeRevealBytes()).text
            #expect(try await app.me(token).status == 200)
            #expect(try await app.mfa("begin", token: token).code == "step_up_required")
            #expect(try await app.stepUp(["password": .string(Registration.password)], token: token).code == "session_missing")
        }
    }

    @Test func theClaimsAreThoseOfOpenIDConnect() async throws {
        try await withStandingClock { app, clock in
            let ada = try await app.enrol(clock)
            func claims(_ token: String) throws -> JSON {
                try WireJSON.parse(try #require(Base64URL.decode(token.split(separator: ".")[1])))
            }
            let first = try claims(ada.session.accessToken)
            #expect(first["amr"] == ["pwd"])
            #expect(first["auth_time"]?.integer == 1_900_000_020)
            let answer = try await app.finish(app.mfaToken(), code: ada.code())
            #expect(try claims(answer.accessToken)["amr"] == ["mfa", "otp", "pwd"])
            clock.advance(by: .seconds(100))
            let refreshed = try claims(try await app.refresh(answer.refreshToken()).accessToken)
            #expect(refreshed["amr"] == ["mfa", "otp", "pwd"])
            #expect(refreshed["auth_time"]?.integer == 1_900_000_050)
        }
    }
}
