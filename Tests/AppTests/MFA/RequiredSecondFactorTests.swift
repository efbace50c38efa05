import MartletApp
import MartletClient
import MartletContract
import MartletCore
import MartletIdentity
import MartletIdentityAPI
import MartletSettings
import MartletTestKit
import MartletTestSupport
import NIOHTTP1
import Testing

@Suite("A second factor that a role demands", .everyDatabase) struct RequiredSecondFactors {
    @Test func isMissedBeforeAnythingIsPermitted() async throws {
        try await withDemandingApp("admin") { app, clock in
            try await app.client.register(.of("grace"))
            try await app.app.operators.appoint("grace")
            let login = try await app.client.logIn(Login(login: LoginName("grace"), password: GivenPassword(Registration.password)))
            #expect(login.mfaSetupRequired == true)
            let token = login.accessToken
            #expect(try await app.raw(.GET, "/api/v1/admin/roles", token: token).code == "permission_missing")
            #expect(try await app.raw(.GET, "/api/v1/bookmarks", token: token).status == 403, "Another role of hers gives nothing either.")
            #expect(try await app.me(token).status == 200)

            let grace = try await app.turnOn("grace", clock, session: login)
            let refreshed = try await app.refresh(try #require(login.refreshToken).raw)
            #expect(try refreshed.json()["mfa_setup_required"] == nil)
            #expect(try await app.raw(.GET, "/api/v1/admin/roles", token: refreshed.accessToken).status == 200)
            let finished = try await app.finish(app.mfaToken("grace"), code: grace.code())
            #expect(try await app.raw(.GET, "/api/v1/admin/roles", token: finished.accessToken).status == 200)
            #expect(try await app.mfa("disable", token: finished.accessToken).code == "mfa_required")
        }
    }

    @Test func isNothingToOthers() async throws {
        try await withDemandingApp("admin") { app, _ in
            let login = try await app.register()
            #expect(try login.json()["mfa_setup_required"] == nil)
            #expect(try await app.raw(.GET, "/api/v1/bookmarks", token: login.accessToken).status == 200)
        }
    }

    @Test func canBeEverybodys() async throws {
        try await withDemandingApp("any") { app, _ in
            let login = try await app.register()
            #expect(try login.json()["mfa_setup_required"] == true)
            #expect(try await app.raw(.GET, "/api/v1/bookmarks", token: login.accessToken).status == 403)
        }
    }

    private func withDemandingApp(_ roles: String, _ body: (TestApp, MovableClock) async throws -> Void) async throws {
        try await withStandingClock(change: { $0.mfaRequiredRoles = [roles] }, body)
    }
}
