import Foundation
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

@Suite(.everyDatabase) struct MembersOfOrganisations {
    @Test func areManagedByThoseAboveThem() async throws {
        try await withApp { app in
            let (ada, bob, eve) = (try await app.somebody("ada"), try await app.somebody("bob"), try await app.somebody("eve"))
            let id = try await ada.found("Engines").id
            try await ada.add(bob, "bob", as: .admin, to: id)
            try await ada.add(eve, "eve", as: .member, to: id)
            try await bob.change(eve.id, to: .analyst, in: id)
            #expect(try await eve.members(of: id).first { $0.accountId == eve.id }?.role == .analyst)
            for forbidden in [
                try await refusal { try await bob.change(eve.id, to: .owner, in: id) },
                try await refusal { try await bob.change(bob.id, to: .owner, in: id) },
                try await refusal { try await bob.change(ada.id, to: .member, in: id) },
                try await refusal { try await bob.remove(ada.id, from: id) },
                try await refusal { try await bob.invite("kay", as: .owner, to: id) },
                try await refusal { try await eve.change(eve.id, to: .admin, in: id) },
                try await refusal { try await eve.remove(bob.id, from: id) },
                try await refusal { try await eve.invite("kay", to: id) },
            ] {
                #expect(forbidden?.status == 403 && forbidden?.code == "organisation_role_missing")
            }
            try await bob.remove(eve.id, from: id)
            #expect(try await refusal { _ = try await eve.members(of: id) }?.code == "organisation_not_found")
            #expect(try await refusal { try await bob.remove(eve.id, from: id) }?.code == "member_not_found")
        }
    }

    @Test func theLastOwnerStays() async throws {
        try await withApp { app in
            let (ada, bob) = (try await app.somebody("ada"), try await app.somebody("bob"))
            let id = try await ada.found("Engines").id
            try await ada.add(bob, "bob", as: .admin, to: id)
            #expect(try await refusal { try await ada.leave(id) }?.code == "last_owner")
            #expect(try await refusal { try await ada.remove(ada.id, from: id) }?.code == "last_owner")
            #expect(try await refusal { try await ada.change(ada.id, to: .admin, in: id) }?.code == "last_owner")
            try await ada.change(bob.id, to: .owner, in: id)
            try await ada.leave(id)
            #expect(try await bob.members(of: id).map(\.accountId) == [bob.id])
        }
    }

    @Test func ofTwoLastOwnersWhoGoAtOnceOneStays() async throws {
        try await withApp { app in
            let both = [try await app.somebody("ada"), try await app.somebody("bob")]
            for _ in 0..<5 {
                let id = try await both[0].found("Engines").id
                try await both[0].add(both[1], "bob", as: .owner, to: id)
                let outcomes = try await manyAtOnce(2) { index in try await refusal { try await both[index].leave(id) } }
                #expect(outcomes.compactMap { $0?.code } == ["last_owner"])
                let role = OrganisationRole.owner
                #expect(
                    try await app.app.database.first(
                        Int.self, "SELECT count(*) FROM membership WHERE organisation_id = \(id) AND role = \(role)") == 1)
            }
        }
    }

    @Test func areListedPageByPage() async throws {
        try await withApp { app in
            let ada = try await app.somebody("ada")
            let id = try await ada.found("Engines").id
            for name in ["bob", "eve", "kay", "lin"] { try await ada.add(try await app.somebody(name), name, to: id) }
            var (names, filter) = ([String](), OrganisationFilter(id: id, limit: try PageLimit(2)))
            repeat {
                let page = try await ada.client.send(OrganisationsAPI.members, filter)
                names += page.items.map(\.username.raw)
                filter.cursor = page.next
            } while filter.cursor != nil
            #expect(names.sorted() == ["ada", "bob", "eve", "kay", "lin"])
        }
    }
}

@Suite(.everyDatabase) struct Invitations {
    @Test func makeWhoAcceptsThemAMember() async throws {
        try await withApp { app in
            let (ada, bob) = (try await app.somebody("ada"), try await app.somebody("bob"))
            let id = try await ada.found("Engines").id
            let invitation = try await ada.invite("BOB", as: .analyst, to: id)
            #expect(try await ada.invitations(of: id).map(\.id) == [invitation.id])
            let joined = try await bob.accept(invitation.handedOver)
            #expect(joined.id == id && joined.role == .analyst)
            #expect(try await ada.invitations(of: id).isEmpty)
            #expect(try await refusal { try await ada.invite("bob", to: id) }?.code == "already_member")
        }
    }

    @Test func workOnceAlsoForThoseWhoRace() async throws {
        try await withApp { app in
            let (ada, bob) = (try await app.somebody("ada"), try await app.somebody("bob"))
            let id = try await ada.found("Engines").id
            let token = try await ada.invite("bob", to: id).handedOver
            let outcomes = try await manyAtOnce(4) { _ in try await refusal { try await bob.accept(token) } }
            #expect(outcomes.filter { $0 == nil }.count == 1)
            #expect(Set(outcomes.compactMap { $0?.code }) == ["invitation_not_found"])
            try await bob.leave(id)
            #expect(try await refusal { try await bob.accept(token) }?.code == "invitation_not_found")
        }
    }

    @Test func areForTheirAddressOnly() async throws {
        try await withApp { app in
            let (ada, bob, eve) = (try await app.somebody("ada"), try await app.somebody("bob"), try await app.somebody("eve"))
            let id = try await ada.found("Engines").id
            let token = try await ada.invite("bob", to: id).handedOver
            #expect(try await refusal { try await eve.accept(token) }?.code == "invitation_not_found")
            #expect(try await bob.accept(token).id == id)
        }
    }

    @Test func endAfterSevenDaysOrWhenTheyAreTakenBackOrReplaced() async throws {
        let clock = MovableClock()
        try await withApp(clock: clock.reading) { app in
            let (ada, bob) = (try await app.somebody("ada"), try await app.somebody("bob"))
            let id = try await ada.found("Engines").id
            let first = try await ada.invite("bob", to: id)
            let second = try await ada.invite("Bob", to: id)
            #expect(try await refusal { try await bob.accept(first.handedOver) }?.code == "invitation_not_found")
            let reference = InvitationReference(id: id, invitationId: second.id)
            _ = try await ada.client.send(OrganisationsAPI.revokeInvitation, reference)
            #expect(try await refusal { try await bob.accept(second.handedOver) }?.code == "invitation_not_found")
            let third = try await ada.invite("bob", to: id)
            #expect(third.expiresAt.timeIntervalSince(third.createdAt) == 7 * 86_400)
            clock.advance(by: .seconds(7 * 86_400))
            #expect(try await refusal { try await bob.accept(third.handedOver) }?.code == "invitation_not_found")
            #expect(try await ada.invitations(of: id).isEmpty)
        }
    }

    @Test func areStoredWithoutWhatAcceptsThem() async throws {
        try await withApp { app in
            let ada = try await app.somebody("ada")
            let id = try await ada.found("Engines").id
            let invitation = try await ada.invite("bob", to: id)
            let token = try invitation.handedOver
            #expect("\(invitation)".contains(token.raw) == false)
            let listed = try await app.raw(.GET, "/api/v1/organisations/\(id)/invitations", token: ada.token)
            #expect(listed.status == 200 && !listed.text.contains(token.raw))
            let stored = try await app.app.database.first([UInt8].self, "SELECT token_hash FROM invitation")
            #expect(stored?.count == 32 && stored != Base64URL.decode(token.raw))
        }
    }

    @Test func areMailedToTheirAddress() async throws {
        try await withMail { app, server in
            let (ada, bob) = (try await app.somebody("ada"), try await app.somebody("bob"))
            let id = try await ada.found("Engines").id
            let invitation = try await ada.invite("bob", to: id, byMail: nil)
            #expect(invitation.token == nil)
            try await app.runJobs()
            let mail = try #require(server.mails.last { $0.recipients == ["bob@example.org"] && $0.text.contains("/join#") })
            #expect(mail.text.contains("ada invites you") && !mail.text.contains("Engines"))
            let token = try InvitationToken(server.token(for: "join", to: "bob@example.org"))
            #expect(try await bob.accept(token).id == id)
        }
    }
}

extension Somebody {
    fileprivate func invitations(of organisation: Identifier<Organisation>) async throws -> [Invitation] {
        try await client.send(OrganisationsAPI.invitations, OrganisationFilter(id: organisation)).items
    }
}
