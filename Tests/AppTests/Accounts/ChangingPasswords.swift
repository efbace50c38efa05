import MartletContract
import MartletCore
import MartletIdentityAPI
import MartletTestKit
import MartletTestSupport
import Testing

@Suite("A change of the password", .everyDatabase) struct ChangingPasswords {
    private static let new = "another good password"

    @Test func endsAllOtherSessionsAndTheirAccess() async throws {
        try await withApp { app in
            let other = try await app.register()
            let own = try await app.logIn("ada", Registration.password)
            let grace = try await app.token("grace")
            #expect(try await app.changePassword(own.accessToken, to: Self.new).status == 204)
            let ended = try other.accessToken
            try await eventually {
                let asked = try await (app.me(ended), app.me(ended))
                return asked.0.status == 401 && asked.1.status == 401
            }
            #expect(try await app.me(ended).problem().code == "token_revoked")
            #expect(try await app.refresh(other.refreshToken()).status == 401)
            #expect(try await app.me(own.accessToken).status == 200)
            #expect(try await app.refresh(own.refreshToken()).status == 200)
            #expect(try await app.me(grace).status == 200)
            #expect(try await app.logIn("ada", Registration.password).status == 401)
            #expect(try await app.logIn("ada", Self.new).status == 200)
        }
    }

    @Test func needsTheOldOne() async throws {
        try await withApp { app in
            let token = try await app.register().accessToken
            let answer = try await app.changePassword(token, from: "not the password", to: Self.new)
            #expect(answer.status == 403)
            #expect(try answer.problem().code == "wrong_password")
            #expect(try await app.logIn("ada", Registration.password).status == 200)
        }
    }

    @Test(arguments: [("password", "password_too_common"), ("ADA@example.org", "password_is_name"), ("short", "too_short")])
    func keepsTheRulesOfPasswords(_ password: String, _ code: String) async throws {
        try await withApp { app in
            let token = try await app.register().accessToken
            let answer = try await app.changePassword(token, to: password)
            #expect(answer.status == 422)
            #expect(try answer.problem().errors?.map(\.pointer) == ["/new_password"])
            #expect(try answer.problem().errors?.map(\.code) == [code])
        }
    }

    @Test func leavesNoSessionToThoseWhoLogInMeanwhileByTheOldOne() async throws {
        try await withApp { app in
            let own = try await app.register().accessToken
            let answers = try await manyAtOnce(16) { number in
                number == 8
                    ? try await app.changePassword(own, to: Self.new)
                    : try await app.logIn("ada", Registration.password)
            }
            #expect(answers.contains { $0.status == 204 })
            for login in answers where login.status == 200 {
                #expect(try await app.refresh(login.refreshToken()).status == 401)
            }
            #expect(try await app.sessions(own).map(\.isCurrent) == [true])
        }
    }

    @Test func happensOnceOfManyAtATime() async throws {
        try await withApp { app in
            let token = try await app.register().accessToken
            let statuses = try await manyAtOnce(6) { try await app.changePassword(token, to: "password number \($0) of these").status }
            // Those who come late give a password that is not the present one any more.
            #expect(statuses.count { $0 == 204 } == 1, "\(statuses)")
            #expect(statuses.allSatisfy { [204, 403, 409].contains($0) })
        }
    }
}
