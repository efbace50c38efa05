import Foundation
import MartletApp
import MartletClient
import MartletContract
import MartletCore
import MartletIdentityAPI
import MartletSettings
import MartletStorage
import MartletTestKit
import MartletTestSupport
import NIOHTTP1
import Testing

@Suite(.everyDatabase) struct CreatingUsers {
    private static let ada = #""email":"ada@example.org","username":"ada""#

    @Test func withAPasswordMakesAnAccountToLogInTo() async throws {
        try await withApp { app in
            let admin = try await app.administrator()
            let json = #"{\#(Self.ada),"name":"Ada","password":"\#(Registration.password)","roles":["analyst"]}"#
            let answer = try await app.createUser(json, by: admin.token)
            #expect(answer.status == 201)
            #expect(try answer.json()["roles"]?.elements.compactMap(\.text) == ["analyst"])
            #expect(try TokenClaims(try await app.token(of: "ada")).permissions.contains("models:write"))
            let row = try #require(try await app.audited("user.created").first)
            #expect(try row.actorID == admin.id && row.targetID == answer.json()["id"]?.text)
            #expect(row.stateAfter == #"{"roles":["analyst"]}"#)
        }
    }

    @Test func withoutAPasswordInvitesTheOwner() async throws {
        try await withMail { app, server in
            let admin = try await app.administrator()
            let answer = try await app.createUser("{\(Self.ada)}", by: admin.token)
            #expect(answer.status == 201)
            #expect(try answer.json()["has_password"] == false)
            #expect(try answer.json()["roles"]?.elements.compactMap(\.text) == ["member"])
            for password in ["", Registration.password] { #expect(try await app.logIn("ada", password).status != 200) }
            try await app.runJobs()
            let mail = try #require(server.mails.last { $0.recipients == ["ada@example.org"] })
            #expect(mail.text.contains("an account was made for you"))
            let token = try server.token(for: "reset-password", to: "ada@example.org")
            #expect(try await app.resetPassword(token, to: Registration.password).status == 204)
            let session = try await app.logIn("ada", Registration.password)
            #expect(session.status == 200)
            #expect(try session.json()["user"]?["email_verified_at"]?.text != nil)
        }
    }

    @Test func withoutAPasswordTakesMail() async throws {
        try await withApp {
            $0.mailURL = .nowhere
        } _: { app in
            let admin = try await app.administrator()
            let answer = try await app.createUser("{\(Self.ada)}", by: admin.token)
            #expect(try answer.status == 503 && answer.problem().code == "mail_unavailable")
            #expect(try await app.usernames("", by: admin.token) == ["grace"])
        }
    }

    @Test func asksForNoMoreAndNoLessThanItSays() async throws {
        try await withApp { app in
            let admin = try await app.administrator()
            for field in ["role", "is_operator", "permissions", "disabled_at", "id", "email_verified_at", "password_hash"] {
                let json = #"{\#(Self.ada),"password":"\#(Registration.password)","\#(field)":"admin"}"#
                let answer = try await app.createUser(json, by: admin.token)
                #expect(answer.status == 422, "\(field)")
                #expect(try answer.problem().errors?.map(\.pointer) == ["/\(field)"])
            }
            let common = try await app.createUser(#"{\#(Self.ada),"password":"password1"}"#, by: admin.token).problem()
            #expect(common.errors?.map(\.pointer) == ["/password"])
            let unknown = try await app.createUser(
                #"{\#(Self.ada),"password":"\#(Registration.password)","roles":["nobody"]}"#, by: admin.token)
            #expect(try unknown.problem().errors?.map(\.code) == ["unknown_role"])
            #expect(try await app.usernames("", by: admin.token) == ["grace"])
        }
    }

    @Test func refusesWhatIsTaken() async throws {
        try await withApp { app in
            let admin = try await app.administrator()
            _ = try await app.somebody("ada")
            let password = #""password":"\#(Registration.password)""#
            let address = try await app.createUser(#"{"email":"ADA@example.org","username":"other",\#(password)}"#, by: admin.token)
            #expect(try address.status == 409 && address.problem().code == "email_taken")
            let name = try await app.createUser(#"{"email":"other@example.org","username":"Ada",\#(password)}"#, by: admin.token)
            #expect(try name.status == 409 && name.problem().code == "username_taken")
        }
    }

    @Test func givesNothingThatItsCallerDoesNotHave() async throws {
        try await withApp { app in
            let admin = try await app.administrator()
            let helper = try await app.somebody("helper", with: ["users:write", "users:read"], from: admin)
            let giver = try await app.somebody("giver", with: ["users:write", "roles:assign"], from: admin)
            func create(_ roles: String, by caller: Somebody) async throws -> RawAnswer {
                try await app.createUser(#"{\#(Self.ada),"password":"\#(Registration.password)"\#(roles)}"#, by: caller.token)
            }
            for roles in [#"["member"]"#, #"["admin"]"#] {
                let refused = try await create(#","roles":\#(roles)"#, by: helper)
                #expect(try refused.status == 403 && refused.problem().code == "permission_not_held")
            }
            #expect(try await create(#","roles":["admin"]"#, by: giver).problem().code == "permission_not_held")
            #expect(try await create(#","roles":["member"]"#, by: giver).status == 201)
            let other = #"{"email":"bob@example.org","username":"bob","password":"\#(Registration.password)"}"#
            #expect(try await app.createUser(other, by: helper.token).status == 201)
        }
    }
}
