import MartletApp
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

@Suite(.everyDatabase) struct Organisations {
    @Test func whoeverCreatesOneOwnsIt() async throws {
        try await withApp { app in
            let ada = try await app.somebody("ada")
            let created = try await ada.found("Engines")
            #expect(created.role == .owner && created.name.raw == "Engines")
            #expect(try await ada.client.send(OrganisationsAPI.find, OrganisationReference(id: created.id)) == created)
            #expect(try await ada.organisations() == [created])
            #expect(try await ada.members(of: created.id).map(\.accountId) == [ada.id])
        }
    }

    @Test func areListedPageByPage() async throws {
        try await withApp { app in
            let (ada, bob) = (try await app.somebody("ada"), try await app.somebody("bob"))
            try await bob.found("Another's")
            for number in 1...5 { try await ada.found("Number \(number)") }
            var (names, filter) = ([String](), MembershipFilter(limit: try PageLimit(2)))
            repeat {
                let page = try await ada.client.send(OrganisationsAPI.list, filter)
                names += page.items.map(\.name.raw)
                filter.cursor = page.next
            } while filter.cursor != nil
            #expect(Set(names) == Set((1...5).map { "Number \($0)" }) && names.count == 5)
        }
    }

    @Test func areRenamedByAdministratorsAndDeletedByOwners() async throws {
        try await withApp { app in
            let (ada, bob, eve) = (try await app.somebody("ada"), try await app.somebody("bob"), try await app.somebody("eve"))
            let id = try await ada.found("Engines").id
            try await ada.add(bob, "bob", as: .admin, to: id)
            try await ada.add(eve, "eve", as: .analyst, to: id)
            let renaming = OrganisationRenaming(id: id, name: try OrganisationName("Difference Engines"))
            #expect(
                try await refusal { _ = try await eve.client.send(OrganisationsAPI.rename, renaming) }?.code == "organisation_role_missing")
            #expect(try await bob.client.send(OrganisationsAPI.rename, renaming).name.raw == "Difference Engines")
            let deletion = OrganisationReference(id: id)
            #expect(try await refusal { _ = try await bob.client.send(OrganisationsAPI.delete, deletion) }?.status == 403)
            _ = try await ada.client.send(OrganisationsAPI.delete, deletion)
            #expect(try await refusal { _ = try await bob.client.send(OrganisationsAPI.find, deletion) }?.code == "organisation_not_found")
        }
    }

    @Test func goWithEverythingThatIsInThem() async throws {
        try await withApp { app in
            let (ada, bob) = (try await app.somebody("ada"), try await app.somebody("bob"))
            let id = try await ada.found("Engines").id
            try await ada.add(bob, "bob", to: id)
            try await ada.invite("eve", to: id)
            let token = try await bob.client.act(for: id).accessToken
            _ = try await ada.client.send(OrganisationsAPI.delete, OrganisationReference(id: id))
            try await app.expectEnded(token)
            for table in ["organisation", "membership", "invitation"] {
                #expect(try await app.app.database.first(Int.self, "SELECT count(*) FROM \(unsafeRaw: table)") == 0, "\(table)")
            }
            #expect(try await bob.client.send(AccountsAPI.me).id == bob.id)
        }
    }

    @Test func nothingElseIsChosenByWhoCreatesOne() async throws {
        try await withApp { app in
            let ada = try await app.somebody("ada")
            for field in ["id", "role", "owner_id", "created_at"] {
                let answer = try await app.raw(
                    .POST, "/api/v1/organisations", token: ada.token, json: #"{"name":"Engines","\#(field)":"owner"}"#)
                #expect(answer.status == 422, "\(field)")
                #expect(try answer.problem().errors?.map(\.code) == ["unknown_field"])
            }
        }
    }
}

@Suite(.everyDatabase) struct ActingForAnOrganisation {
    @Test func isInTheTokenWithThePermissionsOfTheRoleThere() async throws {
        try await withApp { app in
            let (ada, bob) = (try await app.somebody("ada"), try await app.somebody("bob"))
            let id = try await ada.found("Engines").id
            try await ada.add(bob, "bob", as: .viewer, to: id)
            let own: Set = ["bookmarks:read", "bookmarks:write"]
            let owners = try TokenClaims(try await ada.client.act(for: id).accessToken)
            #expect(owners.organisation == id.description)
            #expect(owners.permissions == own.union(App.permissions.filter(\.isShared).map(\.permission.raw)))
            let viewers = try TokenClaims(try await bob.client.act(for: id).accessToken)
            #expect(viewers.permissions == own.union(["models:read", "datasets:read", "analyses:read"]))
            let alone = try TokenClaims(try await bob.client.act(for: nil).accessToken)
            #expect(alone.organisation == nil && alone.permissions == own)
        }
    }

    @Test func lastsThroughRefreshesUntilAnotherChoice() async throws {
        try await withApp { app in
            let session = try await app.client.register(.of("ada"))
            let created = try await app.raw(.POST, "/api/v1/organisations", token: session.accessToken, json: #"{"name":"Engines"}"#).json()
            let id = try #require(created["id"]?.text)
            func choose(_ body: String) async throws -> RawAnswer {
                try await app.raw(.POST, "/api/v1/auth/organisation", token: session.accessToken, json: body)
            }
            #expect(try await choose(#"{"organisation_id":"\#(id)"}"#).json()["organisation_id"]?.text == id)
            var refreshed = try await app.refresh(session.refreshToken?.raw ?? "")
            #expect(try refreshed.organisation() == id)
            #expect(try await choose("{}").json()["organisation_id"]?.text == id)
            #expect(try await choose(#"{"organisation_id":null}"#).json()["organisation_id"] == nil)
            refreshed = try await app.refresh(try refreshed.refreshToken())
            #expect(try refreshed.organisation() == nil)
            // Another login is another session.
            _ = try await choose(#"{"organisation_id":"\#(id)"}"#)
            #expect(try TokenClaims(try await app.token(of: "ada")).organisation == nil)
        }
    }

    @Test func isForMembersOnly() async throws {
        try await withApp { app in
            let (ada, bob) = (try await app.somebody("ada"), try await app.somebody("bob"))
            let id = try await ada.found("Engines").id
            for absent in [id, Identifier()] {
                #expect(try await refusal { try await bob.client.act(for: absent) }?.code == "organisation_not_found")
            }
        }
    }

    @Test func endsWithTheMembership() async throws {
        try await withApp { app in
            let (ada, bob, eve) = (try await app.somebody("ada"), try await app.somebody("bob"), try await app.somebody("eve"))
            let id = try await ada.found("Engines").id
            try await ada.add(bob, "bob", as: .analyst, to: id)
            try await ada.add(eve, "eve", as: .analyst, to: id)
            let tokens = [try await bob.client.act(for: id).accessToken, try await eve.client.act(for: id).accessToken]
            try await ada.remove(bob.id, from: id)
            try await eve.leave(id)
            for token in tokens { try await app.expectEnded(token) }
            for client in [bob.client, eve.client] {
                let choice = OrganisationChoice(organisationId: .unchanged)
                let grant = try await client.send(OrganisationsAPI.switch, choice)
                #expect(grant.organisationId == nil)
                #expect(try TokenClaims(grant.accessToken).permissions == ["bookmarks:read", "bookmarks:write"])
            }
        }
    }

    @Test func changesWithTheRole() async throws {
        try await withApp { app in
            let (ada, bob) = (try await app.somebody("ada"), try await app.somebody("bob"))
            let id = try await ada.found("Engines").id
            try await ada.add(bob, "bob", as: .analyst, to: id)
            let token = try await bob.client.act(for: id).accessToken
            #expect(try TokenClaims(token).permissions.contains("models:write"))
            try await ada.change(bob.id, to: .viewer, in: id)
            try await app.expectEnded(token)
            let next = try await bob.client.send(OrganisationsAPI.switch, OrganisationChoice(organisationId: .unchanged))
            #expect(next.organisationId == id)
            #expect(try !TokenClaims(next.accessToken).permissions.contains("models:write"))
        }
    }

    @Test func givesNoPowerOverTheSystem() async throws {
        try await withApp { app in
            let ada = try await app.somebody("ada")
            try await ada.client.act(for: try await ada.found("Engines").id)
            #expect(try await refusal { _ = try await ada.client.send(RolesAPI.list) }?.permission == "roles:read")
        }
    }
}

extension RawAnswer {
    fileprivate func organisation() throws -> String? { try TokenClaims(try json()["access_token"]?.text ?? "").organisation }
}
