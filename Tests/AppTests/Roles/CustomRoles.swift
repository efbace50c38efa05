import MartletApp
import MartletClient
import MartletContract
import MartletCore
import MartletIdentity
import MartletIdentityAPI
import MartletTestKit
import MartletTestSupport
import NIOHTTP1
import Testing

@Suite(.everyDatabase) struct CustomRoles {
    @Test func areListedBesideTheBuiltInOnes() async throws {
        try await withApp { app in
            let admin = try await app.administrator()
            let created = try await admin.createRole("release_manager", "models:read", "health:read")
            #expect(created.permissions.all == ["health:read", "models:read"] && !created.isBuiltIn)
            let list = try await admin.client.send(RolesAPI.list)
            #expect(list.roles.map(\.name.raw) == ["admin", "analyst", "viewer", "api_user", "member", "release_manager"])
            #expect(list.roles.map(\.isBuiltIn) == [true, true, true, true, true, false])
            #expect(list.roles[0].permissions.all == list.permissions)
            #expect(list.permissions.contains("roles:write"))
        }
    }

    @Test func giveWhatTheyConsistOf() async throws {
        try await withApp { app in
            let (admin, ada) = (try await app.administrator(), try await app.somebody("ada"))
            try await admin.createRole("reader", "bookmarks:read")
            try await admin.give(["reader"], to: ada.id)
            let token = try await app.token(of: "ada")
            #expect(try await app.raw(.GET, "/api/v1/bookmarks", token: token).status == 200)
            let refused = try await app.raw(.POST, "/api/v1/bookmarks", token: token, json: #"{"url":"https://example.org"}"#)
            #expect(refused.status == 403)
            #expect(try refused.json()["permission"]?.text == "bookmarks:write")
        }
    }

    @Test func aChangeEndsTheTokensOfWhoeverHasTheRole() async throws {
        try await withApp { app in
            let (admin, ada, bob) = (try await app.administrator(), try await app.somebody("ada"), try await app.somebody("bob"))
            try await admin.createRole("reader", "bookmarks:read", "models:read")
            try await admin.give(["reader"], to: ada.id)
            let token = try await app.token(of: "ada")
            #expect(try await app.me(token).status == 200)
            try await admin.changeRole("reader", "bookmarks:read")
            try await app.expectEnded(token)
            #expect(try TokenClaims(try await app.token(of: "ada")).permissions == ["bookmarks:read"])
            #expect(try await app.me(bob.token).status == 200, "Whoever has not the role notices nothing.")
        }
    }

    @Test func aChangeOfWordsEndsNobodysAccess() async throws {
        try await withApp { app in
            let (admin, ada) = (try await app.administrator(), try await app.somebody("ada"))
            try await admin.createRole("reader", "bookmarks:read")
            try await admin.give(["reader"], to: ada.id)
            let token = try await app.token(of: "ada")
            let change = RoleChange(name: try RoleName("reader"), summary: .set(try RoleSummary("Those who read")))
            let changed = try await admin.client.send(RolesAPI.change, change)
            #expect(changed.summary?.raw == "Those who read" && changed.permissions.all == ["bookmarks:read"])
            #expect(try await app.me(token).status == 200)
        }
    }

    @Test func cannotShadowOrChangeABuiltInOne() async throws {
        try await withApp { app in
            let admin = try await app.administrator()
            for role in BuiltInRole.allCases {
                #expect(try await refusal { try await admin.createRole(role.rawValue) }?.code == "role_exists")
                #expect(try await refusal { try await admin.changeRole(role.rawValue, "models:read") }?.code == "role_built_in")
                let deletion = try await refusal { _ = try await admin.client.send(RolesAPI.delete, RoleReference(name: RoleName(role))) }
                #expect(deletion?.code == "role_built_in")
            }
            try await admin.createRole("reader")
            #expect(try await refusal { try await admin.createRole("reader") }?.code == "role_exists")
        }
    }

    @Test func consistOfDeclaredPermissionsOnly() async throws {
        try await withApp { app in
            let admin = try await app.administrator()
            let refused = try #require(try await refusal { try await admin.createRole("reader", "bookmarks:read", "castles:build") })
            #expect(refused.status == 422)
            #expect(refused.errors?.map(\.pointer) == ["/permissions"] && refused.errors?.map(\.code) == ["unknown_permission"])
            for permission in ["*", "bookmarks", "bookmarks:*", "Bookmarks:read", "bookmarks:read ", ":", "a:b:c", "_a:b", "1:2"] {
                let body = #"{"name":"reader","permissions":["\#(permission)"]}"#
                let answer = try await app.raw(.POST, "/api/v1/admin/roles", token: admin.token, json: body)
                #expect(answer.status == 422, "\(permission)")
            }
        }
    }

    @Test func areMadeAndChangedOnlyByWhoHasWhatIsInThem() async throws {
        try await withApp { app in
            let (admin, ada) = (try await app.administrator(), try await app.somebody("ada"))
            try await admin.createRole("author", "roles:write", "bookmarks:read")
            try await admin.createRole("keeper", "jobs:admin")
            try await admin.give(["author"], to: ada.id)
            #expect(try await refusal { try await ada.createRole("mine", "jobs:admin") }?.permission == "jobs:admin")
            #expect(try await refusal { try await ada.changeRole("author", "roles:write", "roles:assign") }?.permission == "roles:assign")
            #expect(try await refusal { try await ada.changeRole("keeper") }?.permission == "jobs:admin")
            let deletion = try await refusal { _ = try await ada.client.send(RolesAPI.delete, RoleReference(name: try RoleName("keeper"))) }
            #expect(deletion?.code == "permission_not_held")
            #expect(try await ada.createRole("mine", "bookmarks:read").name.raw == "mine")
        }
    }

    @Test func areNotDeletedWhileSomebodyHasThem() async throws {
        try await withApp { app in
            let (admin, ada) = (try await app.administrator(), try await app.somebody("ada"))
            let reader = RoleReference(name: try RoleName("reader"))
            try await admin.createRole("reader", "bookmarks:read")
            try await admin.give(["reader"], to: ada.id)
            #expect(try await refusal { _ = try await admin.client.send(RolesAPI.delete, reader) }?.code == "role_in_use")
            try await admin.give(["member"], to: ada.id)
            _ = try await admin.client.send(RolesAPI.delete, reader)
            #expect(try await refusal { _ = try await admin.client.send(RolesAPI.delete, reader) }?.code == "role_not_found")
        }
    }
}
