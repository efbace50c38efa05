import MartletApp
import MartletClient
import MartletContract
import MartletCore
import MartletIdentityAPI
import MartletStorage
import MartletTestKit
import MartletTestSupport
import NIOHTTP1
import Testing

@Suite(.everyDatabase) struct PowerOverUsers {
    private static let changes: [(String, HTTPMethod, Int)] = [
        ("/disable", .POST, 200), ("/enable", .POST, 200), ("/mfa", .DELETE, 204), ("/sessions", .DELETE, 204),
    ]

    @Test func nobodyAdministersThoseWhoMayDoMore() async throws {
        try await withApp { app in
            let (admin, ada) = (try await app.administrator(), try await app.somebody("ada"))
            let permissions: [Permission] = ["users:write", "users:read"]
            let helper = try await app.somebody("helper", with: permissions, from: admin)
            let analyst = try await app.somebody("analyst")
            try await admin.give(["analyst"], to: analyst.id)
            for (change, method, _) in Self.changes {
                for stronger in [admin.id, analyst.id] {
                    let refused = try await app.user(change, of: stronger, method, by: helper.token)
                    #expect(try refused.status == 403 && refused.problem().code == "permission_not_held", "\(change)")
                }
            }
            // Members may do no more than the helper, who is one, too.
            for (change, method, status) in Self.changes {
                #expect(try await app.user(change, of: ada.id, method, by: helper.token).status == status, "\(change)")
            }
            #expect(try await app.user("/enable", of: ada.id, by: helper.token).status == 200)
            for (change, method, _) in Self.changes {
                let missing = try await app.user(change, of: Identifier<Account>(), method, by: admin.token)
                #expect(try missing.status == 404 && missing.problem().code == "account_not_found")
            }
        }
    }

    @Test func aSecondFactorIsResetWithAllThatBelongsToIt() async throws {
        try await withStandingClock { app, clock in
            let (admin, ada) = (try await app.administrator(), try await app.enrol(clock))
            let (id, waiting) = (ada.session.user.id, try await app.mfaToken())
            #expect(try await app.finish(waiting, code: ada.wrongCode).status == 401)
            #expect(try await app.user("/mfa", of: id, .DELETE, by: admin.token).status == 204)
            #expect(try await app.finish(waiting, code: ada.code()).problem().code == "invalid_mfa_token")
            #expect(try await app.logIn("ada", Registration.password).json()["access_token"]?.text != nil)
            for table in ["totp", "recovery_code", "mfa_challenge", "remembered_device", "proof_guess"] {
                let count = try await app.app.database.first(
                    Int.self, "SELECT count(*) FROM \(unsafeRaw: table) WHERE account_id = \(id)")
                #expect(count == 0, "\(table)")
            }
            #expect(try await app.user("/mfa", of: id, .DELETE, by: admin.token).status == 204)
            #expect(try await app.audited("user.mfa_reset").map(\.targetID) == ["\(id)"])
            let own = try await app.user("/mfa", of: admin.id, .DELETE, by: admin.token)
            #expect(try own.status == 409 && own.problem().code == "own_account")
        }
    }

    @Test func sessionsEndAndOthersMayFollow() async throws {
        try await withApp { app in
            let admin = try await app.administrator()
            let ada = try await app.client.register(.of("ada"))
            let second = try await app.token(of: "ada")
            #expect(try await app.user("/sessions", of: ada.user.id, .DELETE, by: admin.token).status == 204)
            for token in [ada.accessToken, second] { try await app.expectEnded(token) }
            #expect(try await app.refresh(ada.refreshToken?.raw ?? "").status == 401)
            #expect(try await app.me(try await app.token(of: "ada")).status == 200)
            #expect(try await app.audited("user.sessions_ended").map(\.stateBefore) == [#"{"sessions":2}"#])
        }
    }
}
