import Foundation
import MartletApp
import MartletClient
import MartletContract
import MartletCore
import MartletIdentityAPI
import MartletJobs
import MartletStorage
import MartletTestKit
import MartletTestSupport
import Testing

@testable import MartletIdentity

@Suite(.only(.cluster)) struct EndedAccessElsewhere {
    @Test func afterALogoutEveryInstanceRefusesTheToken() async throws {
        try await withApp { app in
            let ada = try await app.client.register(.of("ada"))
            #expect(try await app.logOut(ada.refreshToken?.raw ?? "").status == 204)
            try await eventually {
                let asked = try await (app.me(ada.accessToken), app.me(ada.accessToken))
                return asked.0.status == 401 && asked.1.status == 401
            }
        }
    }
}

@Suite(.oneInstance) struct EndedAccess {
    @Test func afterALogoutTheAccessTokenIsRefused() async throws {
        try await withApp { (app) async throws in
            let ada = try await app.client.register(.of("ada"))
            // Verified before, so that it is remembered.
            #expect(try await app.me(ada.accessToken).status == 200)
            #expect(try await app.logOut(ada.refreshToken?.raw ?? "").status == 204)
            let refused = try await app.me(ada.accessToken)
            #expect(refused.status == 401)
            #expect(try refused.problem().code == "token_revoked")
        }
    }

    @Test func tokensOfOtherSessionsGoOn() async throws {
        try await withApp { (app) async throws in
            let (first, grace) = (try await app.client.register(.of("ada")), try await app.token("grace"))
            let second = try await app.client.logIn(.ada())
            #expect(try await app.logOut(first.refreshToken?.raw ?? "").status == 204)
            #expect(try await app.me(first.accessToken).status == 401)
            #expect(try await app.me(second.accessToken).status == 200)
            #expect(try await app.me(grace).status == 200)
            let third = try await app.client.logIn(.ada())
            #expect(try await app.me(third.accessToken).status == 200)
        }
    }

    @Test func everyTokenThatDescendsFromTheLoginIsRefused() async throws {
        try await withApp { (app) async throws in
            let first = try await app.client.register(.of("ada"))
            let next = try await app.refresh(first.refreshToken?.raw ?? "")
            let access = try #require(try next.json()["access_token"]?.text)
            #expect(try await app.me(access).status == 200)
            _ = try await app.logOut(try next.refreshToken())
            for token in [first.accessToken, access] { #expect(try await app.me(token).status == 401) }
        }
    }

    @Test func aReusedRefreshTokenEndsTheAccessOfItsFamily() async throws {
        let clock = MovableClock()
        try await withApp(clock: clock.reading) { (app) async throws in
            let first = try await app.client.register(.of("ada"))
            let next = try await app.refresh(first.refreshToken?.raw ?? "")
            clock.advance(by: .seconds(600))
            #expect(try await app.refresh(first.refreshToken?.raw ?? "").problem().code == "refresh_token_reused")
            let access = try #require(try next.json()["access_token"]?.text)
            #expect(try await app.me(access).problem().code == "token_revoked")
        }
    }

    @Test func anotherInstanceHearsOfIt() async throws {
        try await withApp { (app) async throws in
            try await withRunningApp(app.app.settings, folder: app.folder) { (other) async throws in
                let (ada, grace) = (try await app.client.register(.of("ada")), try await app.token("grace"))
                #expect(try await other.me(ada.accessToken).status == 200)
                #expect(try await app.logOut(ada.refreshToken?.raw ?? "").status == 204)
                try await eventually { try await other.me(ada.accessToken).status == 401 }
                #expect(try await other.me(grace).status == 200)
            }
        }
    }

    @Test func aRestartForgetsNothing() async throws {
        try await withApp { (app) async throws in
            let ada = try await app.client.register(.of("ada"))
            _ = try await app.logOut(ada.refreshToken?.raw ?? "")
            try await withRunningApp(app.app.settings, folder: app.folder) { (next) async throws in
                #expect(try await next.me(ada.accessToken).problem().code == "token_revoked")
            }
        }
    }

    @Test func anAccountsTokensEndAndNewOnesAreGood() async throws {
        let clock = MovableClock()
        try await withApp(clock: clock.reading) { (app) async throws in
            let (ada, grace) = (try await app.client.register(.of("ada")), try await app.token("grace"))
            clock.advance(by: .seconds(1))
            try await app.denylist.revoke(account: ada.user.id, issuedBefore: clock.now)
            #expect(try await app.me(ada.accessToken).problem().code == "token_revoked")
            #expect(try await app.me(grace).status == 200)
            let again = try await app.client.logIn(.ada())
            #expect(try await app.me(again.accessToken).status == 200)
            // An earlier moment takes nothing back.
            try await app.denylist.revoke(account: ada.user.id, issuedBefore: clock.now.addingTimeInterval(-10))
            #expect(try await app.me(ada.accessToken).status == 401)
        }
    }

    @Test func whatIsOverIsForgotten() async throws {
        let clock = MovableClock(Date(timeIntervalSince1970: 1_500_000_000))
        try await withApp(clock: clock.reading) { (app) async throws in
            let denylist = try app.denylist
            for name in ["ada", "grace"] {
                let session = try await app.client.register(.of(name))
                _ = try await app.logOut(session.refreshToken?.raw ?? "")
            }
            #expect(denylist.count == 2)
            clock.advance(by: .seconds(7_200))
            try await denylist.revoke(session: Identifier())
            #expect(denylist.count == 1)
            // By the database's clock all of it is long over.
            try await app.app.database.transaction { _ = try await Jobs().enqueue(PruneSessions(), in: $0) }
            try await app.runJobs()
            #expect(try await app.app.database.first(Int.self, "SELECT count(*) FROM revoked_access") == 0)
        }
    }

    @Test func aSecondLogoutRevokesNothingMore() async throws {
        try await withApp { (app) async throws in
            let ada = try await app.client.register(.of("ada"))
            for _ in 0..<2 { #expect(try await app.logOut(ada.refreshToken?.raw ?? "").status == 204) }
            let entries = try await app.app.database.first(Int.self, "SELECT count(*) FROM outbox WHERE topic = 'identity.revoked'")
            #expect(entries == 1)
        }
    }

    @Test func anEntryOfAnotherReleaseEndsAccessRatherThanNone() async throws {
        try await withApp { (app) async throws in
            let ada = try await app.client.register(.of("ada"))
            try await app.app.database.transaction {
                try await Outbox.append(Revocation.topic, key: ada.user.id.description, ["unknown": 1], in: $0)
            }
            try await eventually { try await app.me(ada.accessToken).status == 401 }
        }
    }
}

extension Login {
    fileprivate static func ada() throws -> Login {
        Login(login: try LoginName("ada"), password: try GivenPassword(Registration.password))
    }
}

extension TestApp {
    fileprivate var denylist: Denylist {
        get throws { try #require(app.services.lazy.compactMap { $0 as? IdentityService }.first).denylist }
    }
}
