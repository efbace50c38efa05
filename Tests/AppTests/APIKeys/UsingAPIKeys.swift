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
import NIOHTTP1
import Testing

@testable import MartletIdentity

@Suite("An API key that is used", .everyDatabase) struct UsingAPIKeys {
    private static let bookmarks = "/api/v1/bookmarks"

    @Test func maySayWhoCallsInEitherField() async throws {
        try await withApp { app in
            let (token, key) = (try await app.token(), try await app.newKey(try await app.token("bob")).key.raw)
            for fields in [
                [("X-API-Key", key)], [("Authorization", "Bearer \(key)")], [("authorization", "bearer \(key)"), ("x-api-key", key)],
            ] {
                let answer = try await app.raw(.GET, "/api/v1/auth/me", headers: fields)
                #expect(try answer.status == 200 && answer.json()["username"]?.text == "bob", "\(answer.text)")
            }
            for authorization in ["Bearer \(token)", "Bearer \(APIKeySecret.example)", "Bearer", "Basic \(key)", key] {
                let answer = try await app.raw(
                    .GET, "/api/v1/auth/me", headers: [("X-API-Key", key), ("Authorization", authorization)])
                #expect(try answer.status == 401 && answer.problem().code == "conflicting_credentials", "\(answer.text)")
            }
            let twice = try await app.raw(.GET, "/api/v1/auth/me", headers: [("X-API-Key", key), ("X-API-Key", key)])
            #expect(try twice.problem().code == "invalid_api_key")
        }
    }

    @Test(arguments: [APIKeySecret.example, "mk_guess", "mk_", "eyJhbGciOiJub25lIn0.e30."])
    func isRefusedWhenItIsNobodys(_ key: String) async throws {
        try await withApp { app in
            let answer = try await app.get(key: key)
            #expect(try answer.status == 401 && answer.problem().code == "invalid_api_key")
            #expect(answer.headers.first(name: "WWW-Authenticate") == "Bearer")
        }
    }

    @Test func mayDoWhatItIsFor() async throws {
        try await withApp { app in
            let key = try await app.newKey(try await app.token(), ["bookmarks:read"]).key.raw
            #expect(try await app.get(Self.bookmarks, key: key).status == 200)
            let refused = try await app.raw(.POST, Self.bookmarks, token: key, json: #"{"url":"https://swift.org"}"#)
            #expect(try refused.status == 403 && refused.problem().code == "permission_missing")
        }
    }

    @Test func mayNeverDoMoreThanItsOwner() async throws {
        try await withApp { app in
            let (admin, ada) = (try await app.administrator(), try await app.somebody("ada"))
            let key = try await app.newKey(ada.token).key.raw
            #expect(try await app.answers(key, 200, to: Self.bookmarks))
            try await admin.give(["viewer"], to: ada.id)
            try await eventually { try await app.answers(key, 403, to: Self.bookmarks) }
            #expect(try await app.get(key: key).status == 200)
            try await admin.give(["member", "admin"], to: ada.id)
            try await eventually { try await app.answers(key, 200, to: Self.bookmarks) }
            #expect(try await app.get("/api/v1/admin/roles", key: key).status == 403, "It was made for less.")
        }
    }

    @Test func givesNobodyMoreThanItMayDo() async throws {
        try await withApp { app in
            let (admin, ada) = (try await app.administrator(), try await app.somebody("ada"))
            let key = try await app.newKey(try await app.token(of: "grace"), ["roles:assign"]).key.raw
            let refused = try await app.raw(.PUT, "/api/v1/admin/users/\(ada.id)/roles", token: key, json: #"{"roles":["admin"]}"#)
            #expect(try refused.status == 403 && refused.problem().code == "permission_not_held")
            #expect(try await admin.permissions(of: ada.id) == ["bookmarks:read", "bookmarks:write"])
        }
    }

    @Test func isOverWhenItExpires() async throws {
        let clock = MovableClock(Date(timeIntervalSince1970: 1_500_000_000))
        try await withApp(clock: clock.reading) { app in
            let key = try app.issued(try await app.createKey(try await app.token(), ["expires_in_days": 1])).key.raw
            clock.advance(by: .seconds(86_399))
            #expect(try await app.answers(key, 200))
            clock.advance(by: .seconds(1))
            for _ in 0..<2 { #expect(try await app.get(key: key).problem().code == "invalid_api_key") }
            // By the database's clock it has been over for years.
            try await app.app.database.transaction { _ = try await Jobs().enqueue(PruneSessions(), in: $0) }
            try await app.runJobs()
            #expect(try await app.app.database.first(Int.self, "SELECT count(*) FROM api_key") == 0)
        }
    }

    @Test func isOverEverywhereWhenItIsRevoked() async throws {
        try await withApp { app in
            let token = try await app.token()
            let (key, other) = (try await app.newKey(token), try await app.newKey(token, named: "export"))
            #expect(try await app.answers(key.key.raw, 200))
            #expect(try await app.revokeKey(key.id, token).status == 204)
            try await eventually { try await app.answers(key.key.raw, 401) }
            #expect(try await app.get(key: key.key.raw).problem().code == "invalid_api_key")
            #expect(try await app.answers(other.key.raw, 200))
            #expect(try await app.revokeKey(key.id, token).problem().code == "api_key_not_found")
        }
    }

    @Test func isOverWithItsAccount() async throws {
        try await withApp { app in
            let token = try await app.token()
            let key = try await app.newKey(token).key.raw
            #expect(try await app.answers(key, 200))
            let deletion = try await app.raw(.DELETE, "/api/v1/profile", token: token, json: #"{"password":"\#(Registration.password)"}"#)
            #expect(deletion.status == 204)
            try await eventually { try await app.answers(key, 401) }
        }
    }

    @Test func sleepsWhileItsAccountIsDisabled() async throws {
        try await withApp { app in
            let (key, admin) = (try await app.newKey(try await app.token()).key.raw, try await app.operatorToken())
            let id = try #require(try await app.get("/api/v1/auth/me", key: key).json()["id"]?.text)
            #expect(try await app.raw(.POST, "/api/v1/admin/users/\(id)/disable", token: admin).status == 200)
            try await eventually { try await app.answers(key, 401) }
            #expect(try await app.raw(.POST, "/api/v1/admin/users/\(id)/enable", token: admin).status == 200)
            #expect(try await app.answers(key, 200))
        }
    }

    @Test func outlivesALogout() async throws {
        try await withApp { app in
            let session = try await app.register()
            let key = try await app.newKey(session.accessToken).key.raw
            #expect(try await app.logOut(session.refreshToken()).status == 204)
            #expect(try await app.answers(key, 200))
        }
    }

    @Test func isSeenWithoutAWriteForEachRequest() async throws {
        try await withApp { app in
            let token = try await app.token()
            let key = try await app.newKey(token).key.raw
            for _ in 0..<4 { #expect(try await app.get(key: key).status == 200) }
            #expect(try await app.keys(token).map(\.lastUsedAt) == [nil])
            await app.flushSightings()
            let seen = try #require(try await app.keys(token).first?.lastUsedAt)
            #expect(abs(seen.timeIntervalSinceNow) < 120)
        }
    }
}

@Suite("An API key that is rotated", .everyDatabase) struct RotatingAPIKeys {
    @Test func isGoodBesideItsSuccessorForAWhile() async throws {
        let clock = MovableClock()
        try await withApp(clock: clock.reading) { app in
            let token = try await app.token()
            let old = try app.issued(try await app.createKey(token, ["expires_in_days": 30, "permissions": ["bookmarks:read"]]))
            clock.advance(by: .seconds(600))
            let new = try app.issued(try await app.rotateKey(old.id, token, overlap: 3_600))
            #expect(new.name == old.name && new.permissions == old.permissions && new.key.raw != old.key.raw)
            #expect(new.expiresAt == clock.now.addingTimeInterval(30 * 86_400))
            for key in [old, new] { #expect(try await app.answers(key.key.raw, 200)) }
            #expect(try await app.rotateKey(old.id, token).problem().code == "api_key_replaced")
            clock.advance(by: .seconds(3_599))
            #expect(try await app.answers(old.key.raw, 200))
            clock.advance(by: .seconds(1))
            #expect(try await app.answers(old.key.raw, 401))
            #expect(try await app.answers(new.key.raw, 200))
        }
    }

    @Test func isOverAtOnceWhereNothingElseIsWanted() async throws {
        try await withApp { app in
            let token = try await app.token()
            let old = try await app.newKey(token)
            #expect(try await app.answers(old.key.raw, 200))
            let new = try app.issued(try await app.rotateKey(old.id, token, overlap: 0))
            try await eventually { try await app.answers(old.key.raw, 401) }
            #expect(try await app.answers(new.key.raw, 200))
            #expect(try await app.keys(token).map(\.id) == [new.id])
        }
    }

    @Test func neverLivesLongerForIt() async throws {
        let clock = MovableClock()
        try await withApp(clock: clock.reading) { app in
            let token = try await app.token()
            let old = try app.issued(try await app.createKey(token, ["expires_in_days": 1]))
            _ = try app.issued(try await app.rotateKey(old.id, token, overlap: 604_800))
            #expect(try await app.keys(token).first { $0.id == old.id }?.expiresAt == old.expiresAt)
        }
    }

    @Test func isRotatedByOneOfThoseWhoRace() async throws {
        try await withApp { app in
            let token = try await app.token()
            let id = try await app.newKey(token).id
            let statuses = try await manyAtOnce(6) { _ in try await app.rotateKey(id, token).status }
            #expect(statuses.sorted() == [201] + Array(repeating: 409, count: 5))
        }
    }
}

@Suite("An API key of an organisation", .everyDatabase) struct KeysOfOrganisations {
    @Test func mayDoWhatItsOwnerMayThereUntilTheyAreRemoved() async throws {
        try await withApp { app in
            let (ada, bob) = (try await app.somebody("ada"), try await app.somebody("bob"))
            let organisation = try await ada.found("Engines").id
            try await ada.add(bob, "bob", as: .analyst, to: organisation)
            let token = try await bob.client.act(for: organisation).accessToken
            let key = try await app.newKey(token, named: "there")
            let own = try await app.newKey(bob.token, named: "alone")
            #expect(key.organisationId == organisation && own.organisationId == nil)
            #expect(Set(key.permissions.all).isSuperset(of: App.roles.sharedPermissions(of: .analyst)))
            #expect(try await app.answers(key.key.raw, 200))
            try await ada.remove(bob.id, from: organisation)
            try await eventually { try await app.answers(key.key.raw, 401) }
            #expect(try await app.get(key: key.key.raw).problem().code == "invalid_api_key")
            #expect(try await app.answers(own.key.raw, 200))
        }
    }

    @Test func goesWithIt() async throws {
        try await withApp { app in
            let ada = try await app.somebody("ada")
            let organisation = try await ada.found("Engines").id
            let key = try await app.newKey(try await ada.client.act(for: organisation).accessToken)
            #expect(try await app.answers(key.key.raw, 200))
            let deleted = try await app.raw(.DELETE, "/api/v1/organisations/\(organisation)", token: try await app.token(of: "ada"))
            #expect(deleted.status == 204)
            try await eventually { try await app.answers(key.key.raw, 401) }
        }
    }
}
