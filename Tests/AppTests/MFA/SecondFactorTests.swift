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

@Suite("Turning the second factor on and off", .everyDatabase) struct TurningItOnAndOff {
    @Test func takesTheFirstCode() async throws {
        try await withStandingClock { app, clock in
            let token = try await app.token()
            #expect(try await app.mfaStatus(token)["is_enabled"] == false)
            let begun = try await app.mfa("begin", token: token)
            #expect(begun.headers.first(name: "Cache-Control") == "no-store")
            #expect(try begun.json()["uri"]?.text?.hasPrefix("otpauth://totp/martlet:ada%40example.org?secret=") == true)
            #expect(try begun.json()["svg"]?.text?.hasPrefix("<svg ") == true)
            #expect(try await app.mfaStatus(token)["is_enabled"] == false, "Nothing changes before the first code.")
            #expect(try await app.logIn("ada", Registration.password).json()["access_token"] != nil)
            let ada = try await app.enrol(clock, "bob")
            #expect(try await app.mfaStatus(ada.session.accessToken)["is_enabled"] == true)
            #expect(try await app.mfaStatus(ada.session.accessToken)["recovery_codes_left"] == 10)
            #expect(Set(ada.recoveryCodes).count == 10)
        }
    }

    @Test func aWrongFirstCodeChangesNothing() async throws {
        try await withStandingClock { app, _ in
            let token = try await app.token()
            #expect(try await app.mfa("confirm", ["code": "123456"], token: token).code == "mfa_not_begun")
            _ = try await app.mfa("begin", token: token)
            // One code in 300,000 is right by chance.
            let answer = try await app.mfa("confirm", ["code": "123456"], token: token)
            #expect(answer.status == 403)
            #expect(try answer.code == "invalid_code")
            #expect(try await app.mfaStatus(token)["is_enabled"] == false)
        }
    }

    @Test func anotherSecretCannotTakeThePlaceOfOneInUse() async throws {
        try await withStandingClock { app, clock in
            let ada = try await app.enrol(clock)
            let token = try await app.finish(app.mfaToken(), code: ada.code()).accessToken
            #expect(try await app.mfa("begin", token: token).code == "mfa_enabled")
            #expect(try await app.mfa("confirm", ["code": .string(ada.code())], token: token).code == "mfa_enabled")
            clock.advance(by: .seconds(30))
            #expect(try await app.finish(app.mfaToken(), code: ada.code()).status == 200, "The old secret is good still.")
        }
    }

    @Test func turnedOffThePasswordIsEnoughAndNothingIsLeft() async throws {
        try await withStandingClock { app, clock in
            let ada = try await app.enrol(clock)
            let waiting = try await app.mfaToken()
            let token = try await app.finish(app.mfaToken(), code: ada.code()).accessToken
            #expect(try await app.mfa("disable", token: token).status == 204)
            #expect(try await app.mfa("disable", token: token).status == 204, "Again does no harm.")
            #expect(try await app.logIn("ada", Registration.password).json()["access_token"] != nil)
            #expect(try await app.finish(waiting, recoveryCode: ada.recoveryCodes[0]).code == "invalid_mfa_token")
            for table in ["totp", "recovery_code", "mfa_challenge", "remembered_device"] {
                #expect(try await app.app.database.first(Int.self, "SELECT count(*) FROM \(unsafeRaw: table)") == 0)
            }
        }
    }

    @Test func theSecretIsStoredSealed() async throws {
        try await withStandingClock { app, clock in
            let ada = try await app.enrol(clock)
            let stored = try await app.app.database.first(Sealed.self, "SELECT secret FROM totp")
            let sealed = try #require(stored).secret
            #expect(sealed.count == 20 + 37)
            #expect(Data(sealed).range(of: Data(ada.secret)) == nil)
        }
    }

    private struct Sealed: Decodable, Sendable {
        let secret: [UInt8]
    }

    @Test func anotherAccountsSealedSecretDoesNotOpen() async throws {
        try await withStandingClock { app, clock in
            let (ada, bob) = (try await app.enrol(clock, "ada"), try await app.enrol(clock, "bob"))
            // Whoever can write to the database puts the secret that they know in the place of ada's.
            try await app.app.database.change(
                """
                UPDATE totp SET secret = (SELECT secret FROM totp WHERE account_id = \(bob.session.user.id))
                WHERE account_id = \(ada.session.user.id)
                """)
            let answer = try await app.finish(app.mfaToken("ada"), code: bob.code())
            #expect(answer.status == 500)
            #expect(try answer.code == "internal_error")
        }
    }
}

@Suite("Logging in with a second factor", .everyDatabase) struct LoggingInWithASecondFactor {
    @Test func theCodeGivesTheSession() async throws {
        try await withStandingClock { app, clock in
            let ada = try await app.enrol(clock)
            let answer = try await app.finish(app.mfaToken(), code: ada.code())
            #expect(answer.status == 200)
            #expect(try await app.me(answer.accessToken).status == 200)
            #expect(try await app.refresh(answer.refreshToken()).status == 200)
        }
    }

    @Test func theTypedClientIsTold() async throws {
        try await withStandingClock { app, clock in
            let ada = try await app.enrol(clock)
            let client = app.client
            let login = Login(login: try LoginName("ada"), password: try GivenPassword(Registration.password))
            let needed = await #expect(throws: SecondFactorNeeded.self) { try await client.logIn(login) }
            let token = try #require(needed?.challenge.mfaToken)
            try await client.logIn(MFALogin(mfaToken: token, code: try TOTPCode(ada.code())))
            #expect(try await client.send(AccountsAPI.me).username.raw == "ada")
        }
    }

    @Test(arguments: [(-2, 401), (-1, 200), (0, 200), (1, 200), (2, 401)])
    func theClocksMayDifferByAStep(steps: Int, status: Int) async throws {
        try await withStandingClock { app, clock in
            let ada = try await app.enrol(clock)
            clock.advance(by: .seconds(60))
            #expect(try await app.finish(app.mfaToken(), code: ada.code(steps)).status == status)
        }
    }

    @Test func theWindowEndsToTheSecond() async throws {
        try await withStandingClock { app, clock in
            let ada = try await app.enrol(clock)
            let code = ada.code()
            clock.advance(by: .seconds(60))
            #expect(try await app.finish(app.mfaToken(), code: code).status == 401)
            clock.advance(by: .seconds(-1))
            #expect(try await app.finish(app.mfaToken(), code: code).status == 200)
        }
    }

    @Test func aCodeWorksOnce() async throws {
        try await withStandingClock { app, clock in
            let ada = try await app.enrol(clock)
            #expect(try await app.finish(app.mfaToken(), code: ada.code(-1)).code == "invalid_code", "Turning it on used it up.")
            #expect(try await app.finish(app.mfaToken(), code: ada.code()).status == 200)
            let replay = try await app.finish(app.mfaToken(), code: ada.code())
            #expect(replay.status == 401)
            #expect(try replay.code == "invalid_code")
            clock.advance(by: .seconds(30))
            #expect(try await app.finish(app.mfaToken(), code: ada.code(-1)).status == 401, "Neither does it a step later.")
            #expect(try await app.finish(app.mfaToken(), code: ada.code()).status == 200)
        }
    }

    @Test func ofThoseWhoRaceWithACodeOneWins() async throws {
        try await withStandingClock { app, clock in
            let ada = try await app.enrol(clock)
            var tokens: [String] = []
            for _ in 1...5 { tokens.append(try await app.mfaToken()) }
            let statuses = try await manyAtOnce(5) { [tokens] in try await app.finish(tokens[$0], code: ada.code()).status }
            #expect(statuses.count { $0 == 200 } == 1)
            #expect(statuses.allSatisfy { [200, 401].contains($0) }, "\(statuses)")
        }
    }

    @Test func ofThoseWhoRaceWithARecoveryCodeOneWins() async throws {
        try await withStandingClock { app, clock in
            let ada = try await app.enrol(clock)
            var tokens: [String] = []
            for _ in 1...5 { tokens.append(try await app.mfaToken()) }
            let statuses = try await manyAtOnce(5) { [tokens] in
                try await app.finish(tokens[$0], recoveryCode: ada.recoveryCodes[3]).status
            }
            #expect(statuses.count { $0 == 200 } == 1)
            #expect(statuses.allSatisfy { [200, 401].contains($0) }, "\(statuses)")
        }
    }

    @Test func aTokenWorksForOneLogin() async throws {
        try await withStandingClock { app, clock in
            let ada = try await app.enrol(clock)
            let token = try await app.mfaToken()
            let statuses = try await manyAtOnce(4) { index in
                let path = index % 2 == 0
                return try await path
                    ? app.finish(token, code: ada.code()).status : app.finish(token, recoveryCode: ada.recoveryCodes[index]).status
            }
            #expect(statuses.count { $0 == 200 } == 1)
            let again = try await app.finish(token, recoveryCode: ada.recoveryCodes[8])
            #expect(again.status == 401)
            #expect(try again.code == "invalid_mfa_token")
            #expect(
                try await app.app.database.first(Int.self, "SELECT count(*) FROM recovery_code WHERE used_at IS NOT NULL") ?? 0 <= 1,
                "Who lost the race keeps the code.")
        }
    }

    @Test func aTokenEndsAfterFiveMinutes() async throws {
        try await withStandingClock { app, clock in
            let ada = try await app.enrol(clock)
            let (early, late) = (try await app.mfaToken(), try await app.mfaToken())
            clock.advance(by: .seconds(299))
            #expect(try await app.finish(early, code: ada.code()).status == 200)
            clock.advance(by: .seconds(1))
            #expect(try await app.finish(late, recoveryCode: ada.recoveryCodes[0]).code == "invalid_mfa_token")
        }
    }

    @Test func noTokenTakesThePlaceOfAnother() async throws {
        try await withStandingClock { app, clock in
            let ada = try await app.enrol(clock)
            let token = try await app.mfaToken()
            #expect(try await app.me(token).status == 401)
            #expect(try await app.refresh(token).status == 401)
            let refresh = try #require(ada.session.refreshToken).raw
            #expect(try await app.finish(refresh, code: ada.code()).code == "invalid_mfa_token")
            #expect(try await app.finish(ada.session.accessToken, code: ada.code()).status == 422)
            let bob = try await app.enrol(clock, "bob")
            #expect(try await app.finish(token, code: bob.code()).code == "invalid_code", "Another's code is no use.")
        }
    }

    @Test func withoutAnyCodeNothingIsUsedUp() async throws {
        try await withStandingClock { app, clock in
            let ada = try await app.enrol(clock)
            let token = try await app.mfaToken()
            for _ in 1...9 { #expect(try await app.mfa("login", ["mfa_token": .string(token)]).status == 422) }
            #expect(try await app.finish(token, code: ada.code()).status == 200)
        }
    }

    @Test func anAccountThatIsGoneHasNoLogin() async throws {
        try await withStandingClock { app, clock in
            let ada = try await app.enrol(clock)
            let token = try await app.mfaToken()
            try await app.app.database.change("DELETE FROM account")
            #expect(try await app.finish(token, code: ada.code()).code == "invalid_mfa_token")
            #expect(try await app.mfa("begin", token: ada.session.accessToken).status == 401)
        }
    }
}

@Suite("Recovery codes", .everyDatabase) struct RecoveringAccess {
    @Test func eachWorksOnceHoweverItIsTyped() async throws {
        try await withStandingClock { app, clock in
            let ada = try await app.enrol(clock)
            let code = ada.recoveryCodes[0]
            let typed = code.uppercased().replacing("-", with: " ")
            let answer = try await app.finish(app.mfaToken(), recoveryCode: typed)
            #expect(answer.status == 200)
            #expect(try await app.mfaStatus(answer.accessToken)["recovery_codes_left"] == 9)
            #expect(try await app.finish(app.mfaToken(), recoveryCode: code).code == "invalid_code")
            #expect(try await app.finish(app.mfaToken(), recoveryCode: ada.recoveryCodes[1]).status == 200)
        }
    }

    @Test func newOnesEndTheOldOnes() async throws {
        try await withStandingClock { app, clock in
            let ada = try await app.enrol(clock)
            let token = try await app.finish(app.mfaToken(), code: ada.code()).accessToken
            let fresh = try await app.mfa("recovery-codes", token: token)
            #expect(fresh.headers.first(name: "Cache-Control") == "no-store")
            let codes = try fresh.json()["recovery_codes"]?.elements.compactMap(\.text) ?? []
            #expect(codes.count == 10 && Set(codes).isDisjoint(with: ada.recoveryCodes))
            #expect(try await app.finish(app.mfaToken(), recoveryCode: ada.recoveryCodes[5]).status == 401)
            #expect(try await app.finish(app.mfaToken(), recoveryCode: codes[5]).status == 200)
        }
    }

    @Test func anothersIsNoUse() async throws {
        try await withStandingClock { app, clock in
            let (_, bob) = (try await app.enrol(clock, "ada"), try await app.enrol(clock, "bob"))
            #expect(try await app.finish(app.mfaToken("ada"), recoveryCode: bob.recoveryCodes[0]).code == "invalid_code")
        }
    }

    @Test func thereAreNoneWithoutASecondFactor() async throws {
        try await withStandingClock { app, _ in
            let answer = try await app.mfa("recovery-codes", token: app.token())
            #expect(try answer.code == "mfa_not_enabled")
        }
    }
}

@Suite("Guessing codes", .everyDatabase) struct GuessingCodes {
    @Test func endsAfterFiveOverAllTokens() async throws {
        try await withStandingClock { app, clock in
            let ada = try await app.enrol(clock)
            for _ in 1...5 { #expect(try await app.finish(app.mfaToken(), code: ada.wrongCode).code == "invalid_code") }
            let refused = try await app.finish(app.mfaToken(), code: ada.code())
            #expect(refused.status == 429, "Even a right one is not looked at.")
            #expect(try refused.code == "too_many_guesses")
            #expect(refused.headers.first(name: "Retry-After") == "900")
            #expect(try await app.finish(app.mfaToken(), recoveryCode: ada.recoveryCodes[0]).status == 429)
            clock.advance(by: .seconds(899))
            #expect(try await app.finish(app.mfaToken(), code: ada.code()).status == 429)
            clock.advance(by: .seconds(1))
            #expect(try await app.finish(app.mfaToken(), code: ada.code()).status == 200)
        }
    }

    @Test func theNextPauseIsTwiceAsLongAndARightCodeBeginsAnew() async throws {
        try await withStandingClock { app, clock in
            let ada = try await app.enrol(clock)
            for pause in [900, 1800] {
                for _ in 1...5 { #expect(try await app.finish(app.mfaToken(), code: ada.wrongCode).status == 401) }
                let refused = try await app.finish(app.mfaToken(), code: ada.code())
                #expect(refused.headers.first(name: "Retry-After") == "\(pause)")
                clock.advance(by: .seconds(pause))
            }
            #expect(try await app.finish(app.mfaToken(), code: ada.code()).status == 200)
            for _ in 1...5 { #expect(try await app.finish(app.mfaToken(), code: ada.wrongCode).status == 401) }
            #expect(try await app.finish(app.mfaToken(), code: ada.code()).headers.first(name: "Retry-After") == "900")
        }
    }

    @Test func manyAtOnceAreNoMoreThanFive() async throws {
        try await withStandingClock { app, clock in
            let ada = try await app.enrol(clock)
            var tokens: [String] = []
            for _ in 1...20 { tokens.append(try await app.mfaToken()) }
            let codes = try await manyAtOnce(20) { [tokens] in try await app.finish(tokens[$0], code: ada.wrongCode).code }
            #expect(codes.count { $0 == "invalid_code" } == 5, "\(codes)")
            #expect(codes.count { $0 == "too_many_guesses" } == 15, "\(codes)")
        }
    }

    @Test func ofOneAccountAreNobodyElses() async throws {
        try await withStandingClock { app, clock in
            let (ada, bob) = (try await app.enrol(clock, "ada"), try await app.enrol(clock, "bob"))
            for _ in 1...6 { _ = try await app.finish(app.mfaToken("ada"), code: ada.wrongCode) }
            #expect(try await app.finish(app.mfaToken("bob"), code: bob.code()).status == 200)
        }
    }
}
