import MartletApp
import MartletBookmarksAPI
import MartletClient
import MartletContract
import MartletCore
import MartletIdentity
import MartletIdentityAPI
import MartletStorage
import MartletTestKit
import MartletTestSupport
import NIOHTTP1
import Testing

@Suite(.everyDatabase) struct AssigningRoles {
    @Test func whoSignsUpIsAMember() async throws {
        try await withApp { app in
            let (admin, ada) = (try await app.administrator(), try await app.somebody("ada"))
            let held = try await admin.client.send(RolesAPI.held, AccountReference(id: ada.id))
            #expect(held.names == ["member"])
            #expect(held.permissions.all == ["bookmarks:read", "bookmarks:write"])
        }
    }

    @Test func anotherRoleEndsTheTokensThatThereAre() async throws {
        try await withApp { app in
            let (admin, ada) = (try await app.administrator(), try await app.somebody("ada"))
            #expect(try await app.raw(.GET, "/api/v1/bookmarks", token: ada.token).status == 200)
            #expect(try await admin.give(["viewer"], to: ada.id).names == ["viewer"])
            try await app.expectEnded(ada.token)
            // The client refreshes by itself, and its next token says what holds.
            let refused = try #require(try await refusal { _ = try await ada.client.send(BookmarksAPI.list, BookmarkFilter()) })
            #expect(refused.status == 403 && refused.code == "permission_missing")
            #expect(refused.permission == "bookmarks:read")
        }
    }

    @Test func severalRolesGiveWhatEachOfThemGives() async throws {
        try await withApp { app in
            let (admin, ada) = (try await app.administrator(), try await app.somebody("ada"))
            try await admin.give(["analyst", "member"], to: ada.id)
            let claims = try TokenClaims(try await app.token(of: "ada"))
            #expect(claims.permissions.isSuperset(of: ["bookmarks:write", "models:write", "health:read"]))
            #expect(claims.permissions.isDisjoint(with: ["models:delete", "jobs:admin", "roles:assign"]))
        }
    }

    @Test func nobodyGivesOrTakesWhatTheyDoNotHave() async throws {
        try await withApp { app in
            let (admin, ada, bob) = (try await app.administrator(), try await app.somebody("ada"), try await app.somebody("bob"))
            try await admin.createRole("steward", "roles:assign", "roles:read", "bookmarks:read")
            try await admin.give(["member", "steward"], to: ada.id)
            // Two instances hear of it: each of these calls comes to another one.
            try await eventually {
                let first = try await refusal { try await ada.give(["admin"], to: ada.id) }
                let second = try await refusal { try await ada.give(["admin"], to: ada.id) }
                return first?.code == "permission_not_held" && second?.code == "permission_not_held"
            }
            for (roles, account) in [
                (["admin"], ada.id), (["analyst", "member"], bob.id), (["member"], admin.id), (["steward"], admin.id),
            ] {
                let refused = try await refusal { try await ada.give(roles, to: account) }
                #expect(refused?.status == 403 && refused?.code == "permission_not_held", "\(roles)")
                #expect(refused?.permission != nil)
            }
            #expect(try await ada.give(["member", "steward"], to: bob.id).names == ["member", "steward"])
            #expect(try await ada.give(["member"], to: bob.id).names == ["member"])
        }
    }

    /// Else the owner of an organisation could hand out elsewhere what they may do there.
    @Test func whatARoleInAnOrganisationGivesIsNotOnesOwnToGive() async throws {
        try await withApp { app in
            let (admin, ada, bob) = (try await app.administrator(), try await app.somebody("ada"), try await app.somebody("bob"))
            try await admin.createRole("steward", "roles:assign")
            try await admin.give(["member", "steward"], to: ada.id)
            try await ada.client.act(for: try await ada.found("Engines").id)
            #expect(try await refusal { try await ada.give(["viewer"], to: bob.id) }?.code == "permission_not_held")
        }
    }

    @Test func theLastAdministratorStays() async throws {
        try await withApp { app in
            let (admin, ada) = (try await app.administrator(), try await app.somebody("ada"))
            #expect(try await refusal { try await admin.give(["member"], to: admin.id) }?.code == "last_administrator")
            try await admin.give(["admin"], to: ada.id)
            try await admin.give(["member"], to: admin.id)
            #expect(try await refusal { try await ada.give(["member"], to: ada.id) }?.code == "last_administrator")
            let dismissal = await #expect(throws: Failure.self) { try await app.app.operators.dismiss("ada") }
            #expect(dismissal?.code == "last_administrator")
        }
    }

    @Test func ofTwoLastAdministratorsWhoGoAtOnceOneStays() async throws {
        try await withApp { app in
            for round in 0..<5 {
                let both = [try await app.administrator("grace\(round)"), try await app.administrator("ada\(round)")]
                try await app.app.database.change(
                    "DELETE FROM account_role WHERE role = 'admin' AND account_id NOT IN \(list: both.map(\.id.uuid))")
                let outcomes = try await manyAtOnce(2) { index in
                    try await refusal { try await both[index].give(["member"], to: both[index].id) }
                }
                #expect(outcomes.compactMap { $0?.code } == ["last_administrator"])
                #expect(try await app.app.database.first(Int.self, "SELECT count(*) FROM account_role WHERE role = 'admin'") == 1)
            }
        }
    }

    @Test func rolesAndAccountsThatAreNotThereAreNamed() async throws {
        try await withApp { app in
            let (admin, ada) = (try await app.administrator(), try await app.somebody("ada"))
            #expect(try await refusal { try await admin.give(["member"], to: Identifier()) }?.code == "account_not_found")
            #expect(try await refusal { _ = try await admin.permissions(of: Identifier()) }?.code == "account_not_found")
            let unknown = try #require(try await refusal { try await admin.give(["member", "nobody"], to: ada.id) })
            #expect(unknown.status == 422 && unknown.errors?.map(\.pointer) == ["/roles"])
            #expect(try await refusal { try await admin.give([], to: ada.id) }?.errors?.map(\.code) == ["too_few"])
        }
    }

    @Test func nobodyChoosesTheirOwnWhenTheySignUp() async throws {
        try await withApp { app in
            for field in ["role", "roles", "is_operator", "permissions", "organisation_id"] {
                let answer = try await app.register([field: ["admin"]])
                #expect(answer.status == 422, "\(field)")
                #expect(try answer.problem().errors?.map(\.pointer) == ["/\(field)"])
            }
        }
    }

    @Test func operatorsOfAnEarlierReleaseAreAdministrators() async throws {
        try await withApp { app in
            let (ada, bob) = (try await app.somebody("ada"), try await app.somebody("bob"))
            let database = app.app.database
            try await database.schemaTransaction { transaction in
                try await transaction.run(
                    script: "DROP TABLE account_role; DROP TABLE role; DELETE FROM schema_migration WHERE id = 'identity/0012-role';")
                try await transaction.change("UPDATE account SET is_operator = \(true) WHERE id = \(ada.id)")
            }
            #expect(try await app.app.migrator.apply() == ["identity/0012-role"])
            let (admin, member) = (try TokenClaims(try await app.token(of: "ada")), try TokenClaims(try await app.token(of: "bob")))
            #expect(admin.permissions.isSuperset(of: ["roles:assign", "jobs:admin", "bookmarks:read"]))
            #expect(member.permissions == ["bookmarks:read", "bookmarks:write"], "\(bob.id)")
        }
    }
}

extension TestApp {
    /// Waits until every instance refuses an access token.
    func expectEnded(_ token: String) async throws {
        try await eventually {
            let answers = [try await me(token), try await me(token)]
            return try answers.allSatisfy { try $0.status == 401 && $0.problem().code == "token_revoked" }
        }
    }
}
