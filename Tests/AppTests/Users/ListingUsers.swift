import Foundation
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

@Suite(.everyDatabase) struct ListingUsers {
    @Test func tellsWhatThereIsToKnowOfAnAccount() async throws {
        try await withStandingClock { app, clock in
            let admin = try await app.administrator()
            let ada = try await app.enrol(clock)
            let token = try await app.token(of: "grace")
            let answer = try await app.user(of: ada.session.user.id, .GET, by: token)
            let found = try WireJSON.decode(ManagedUser.self, from: answer.bytes)
            #expect(found.username.raw == "ada" && found.email.raw == "ada@example.org" && found.disabledAt == nil)
            #expect(found.hasSecondFactor && found.hasPassword && found.roles.all.map(\.raw) == ["member"] && found.issuers.isEmpty)
            #expect(found.lastSeenAt == ada.session.user.createdAt && found.emailVerifiedAt == nil)
            for secret in ["hash", "argon2", "secret\"", "token"] { #expect(!answer.text.contains(secret), "\(secret)") }
            let grace = try await app.users("?query=grace", by: token).items
            #expect(grace.map(\.id) == [admin.id] && grace.first?.roles.all.map(\.raw) == ["admin", "member"])
            #expect(grace.first?.hasSecondFactor == false)
        }
    }

    @Test func findsByTheBeginningOfAUsernameOrAnAddressInWhateverCase() async throws {
        try await withApp { app in
            let admin = try await app.administrator()
            _ = try await app.register(["username": "Adam", "email": "first@example.org"])
            _ = try await app.register(["username": "bob", "email": "ADRIAN@example.org"])
            _ = try await app.register(["username": "no-ada", "email": "not.ada@example.org"])
            #expect(try await app.usernames("?query=ad", by: admin.token) == ["Adam", "bob"])
            #expect(try await app.usernames("?query=ADRIAN%40EXAMPLE.org", by: admin.token) == ["bob"])
            #expect(try await app.usernames("?query=rian", by: admin.token).isEmpty)
        }
    }

    @Test func takesNothingOfASearchForAPattern() async throws {
        try await withApp { app in
            let admin = try await app.administrator()
            _ = try await app.register(["username": "a_b", "email": "a_b@example.org"])
            _ = try await app.register(["username": "axb", "email": "100%@example.org"])
            #expect(try await app.usernames("?query=a_", by: admin.token) == ["a_b"])
            #expect(try await app.usernames("?query=100%25", by: admin.token) == ["axb"])
            for none in ["%25", "_", "%5C", "a%5C_b", "%27", "%25%27%20OR%201%3D1--"] {
                #expect(try await app.usernames("?query=\(none)", by: admin.token).isEmpty, "\(none)")
            }
            #expect(try await app.raw(.GET, "/api/v1/admin/users?query=a%00", token: admin.token).status == 422)
        }
    }

    @Test func findsByRoleAndByStatus() async throws {
        try await withApp { app in
            let (admin, ada, bob) = (try await app.administrator(), try await app.somebody("ada"), try await app.somebody("bob"))
            try await admin.give(["viewer"], to: ada.id)
            #expect(try await app.user("/disable", of: bob.id, by: admin.token).status == 200)
            #expect(try await app.usernames("?role=viewer", by: admin.token) == ["ada"])
            #expect(try await app.usernames("?role=member", by: admin.token) == ["grace", "bob"])
            #expect(try await app.usernames("?status=disabled", by: admin.token) == ["bob"])
            #expect(try await app.usernames("?status=active", by: admin.token) == ["grace", "ada"])
            #expect(try await app.usernames("?status=active&role=member&query=g", by: admin.token) == ["grace"])
            #expect(try await app.raw(.GET, "/api/v1/admin/users?status=away", token: admin.token).status == 422)
        }
    }

    @Test func goesPageByPageThroughAllOfThem() async throws {
        try await withStandingClock { app, clock in
            let admin = try await app.administrator()
            // Some at the same moment, so that the identifier decides.
            for number in 0..<11 {
                if number.isMultiple(of: 4) { clock.advance(by: .seconds(1)) }
                _ = try await app.register(["username": .string("user\(number)"), "email": .string("user\(number)@example.org")])
            }
            var (seen, cursor): ([String], Cursor?) = ([], nil)
            repeat {
                let page = try await app.users("?limit=4&query=user\(cursor.map { "&cursor=\($0.raw)" } ?? "")", by: admin.token)
                #expect(page.items.count <= 4)
                seen += page.items.map(\.username.raw)
                cursor = page.next
            } while cursor != nil
            #expect(seen.count == 11 && Set(seen).count == 11)
            #expect(Set(seen.prefix(3)) == ["user8", "user9", "user10"])
            #expect(try await app.raw(.GET, "/api/v1/admin/users?cursor=AAAA", token: admin.token).status == 422)
        }
    }

    @Test func takesThePermission() async throws {
        try await withApp { app in
            let (admin, ada) = (try await app.administrator(), try await app.somebody("ada"))
            let refused = try await app.raw(.GET, "/api/v1/admin/users", token: ada.token)
            #expect(try refused.status == 403 && refused.problem().permission == "users:read")
            let reader = try await app.somebody("reader", with: ["users:read"], from: admin)
            #expect(try await app.usernames("", by: reader.token) == ["grace", "ada", "reader"])
            for (change, method) in [("/disable", HTTPMethod.POST), ("/enable", .POST), ("/mfa", .DELETE), ("/sessions", .DELETE)] {
                #expect(try await app.user(change, of: ada.id, method, by: reader.token).problem().permission == "users:write")
            }
        }
    }
}
