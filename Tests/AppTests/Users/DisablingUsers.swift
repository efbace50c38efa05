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

@Suite(.everyDatabase) struct DisablingUsers {
    @Test func endsAccessAndSessionsOnEveryInstance() async throws {
        try await withApp { app in
            let admin = try await app.administrator()
            let ada = try await app.client.register(.of("ada"))
            for _ in 0..<2 { #expect(try await app.me(ada.accessToken).status == 200) }
            let answer = try await app.user("/disable", of: ada.user.id, by: admin.token)
            #expect(answer.status == 200)
            #expect(try answer.json()["disabled_at"]?.text != nil)
            let began = ContinuousClock.now
            try await app.expectEnded(ada.accessToken)
            // A second is what is promised; a machine that is busy with tests takes some more to ask.
            #expect(ContinuousClock.now - began < .seconds(5))
            #expect(try await app.refresh(ada.refreshToken?.raw ?? "").status == 401)
            let row = try #require(try await app.audited("user.disabled").first)
            #expect(row.actorID == admin.id && row.targetID == ada.user.id.description)
        }
    }

    @Test func isToldToWhoeverKnowsThePasswordAndNobodyElse() async throws {
        try await withApp { app in
            let (admin, ada) = (try await app.administrator(), try await app.somebody("ada"))
            #expect(try await app.user("/disable", of: ada.id, by: admin.token).status == 200)
            let right = try await app.logIn("ada", Registration.password)
            #expect(try right.status == 403 && right.problem().code == "account_disabled")
            let (wrong, nobody) = (try await app.logIn("ada", "not the password"), try await app.logIn("nobody", "not the password"))
            #expect(try wrong.status == 401 && wrong.problem().code == nobody.problem().code)
            #expect(try wrong.problem().detail == nobody.problem().detail)
        }
    }

    @Test func isSafeToRepeatAndEndsWithEnabling() async throws {
        try await withApp { app in
            let (admin, ada) = (try await app.administrator(), try await app.somebody("ada"))
            let first = try await app.user("/disable", of: ada.id, by: admin.token)
            let again = try await app.user("/disable", of: ada.id, by: admin.token)
            #expect(try again.status == 200 && again.json()["disabled_at"] == first.json()["disabled_at"])
            for _ in 0..<2 {
                let enabled = try await app.user("/enable", of: ada.id, by: admin.token)
                #expect(try enabled.status == 200 && enabled.json()["disabled_at"]?.text == nil)
            }
            try await eventually {
                let token = try await app.token(of: "ada")
                return try await app.me(token).status == 200
            }
            #expect(try await app.me(ada.token).status == 401, "What was ended stays so.")
            #expect(try await app.audited("user.disabled").count == 1)
            #expect(try await app.audited("user.enabled").count == 1)
            #expect(try await app.auditFault() == nil)
        }
    }

    @Test func stopsALoginBeforeItsSecondFactor() async throws {
        try await withStandingClock { app, clock in
            let (admin, ada) = (try await app.administrator(), try await app.enrol(clock))
            let token = try await app.mfaToken()
            // As if it was begun in the very moment: the login under way is kept.
            try await app.app.database.change("UPDATE account SET disabled_at = \(clock.now) WHERE id = \(ada.session.user.id)")
            let finished = try await app.finish(token, code: ada.code())
            #expect(try finished.status == 403 && finished.problem().code == "account_disabled")
            #expect(try await app.user("/disable", of: ada.session.user.id, by: admin.token).status == 200)
            #expect(try await app.finish(token, code: ada.code(1)).problem().code == "invalid_mfa_token")
        }
    }

    @Test func stopsTokensThatAreMadeOfASessionWhichItHasNotSeen() async throws {
        try await withApp { app in
            let ada = try await app.client.register(.of("ada"))
            try await app.app.database.change("UPDATE account SET disabled_at = \(Date()) WHERE id = \(ada.user.id)")
            let refreshed = try await app.refresh(ada.refreshToken?.raw ?? "")
            #expect(try refreshed.status == 403 && refreshed.problem().code == "account_disabled")
            let proof: JSON = ["password": .string(Registration.password)]
            #expect(try await app.stepUp(proof, token: ada.accessToken).problem().code == "account_disabled")
            let choice = try await app.raw(.POST, "/api/v1/auth/organisation", token: ada.accessToken, json: #"{"organisation_id":null}"#)
            #expect(try choice.problem().code == "account_disabled")
        }
    }

    @Test func leavesNoSessionOfALoginAtTheSameMoment() async throws {
        try await withApp { app in
            let admin = try await app.administrator()
            for round in 0..<4 {
                let ada = try await app.somebody("ada\(round)")
                let answers = try await manyAtOnce(5) { index in
                    index == 2
                        ? try await app.user("/disable", of: ada.id, by: admin.token)
                        : try await app.logIn("ada\(round)", Registration.password)
                }
                #expect(answers[0...].contains { $0.status == 200 })
                let open = try await app.app.database.first(
                    Int.self, "SELECT count(*) FROM session WHERE account_id = \(ada.id) AND revoked_at IS NULL")
                #expect(open == 0)
                for answer in answers where answer.status == 200 {
                    guard let token = try answer.json()["access_token"]?.text else { continue }
                    try await app.expectEnded(token)
                }
            }
        }
    }

    @Test func leavesJobsToGoOn() async throws {
        try await withApp { app in
            let (admin, ada) = (try await app.administrator(), try await app.somebody("ada"))
            let job = try await app.app.database.transaction { try await Jobs().enqueue(PruneSessions(), for: ada.id, in: $0).id }
            #expect(try await app.user("/disable", of: ada.id, by: admin.token).status == 200)
            try await app.runJobs()
            #expect(try await app.app.database.first(String.self, "SELECT state FROM job WHERE id = \(job)") == "done")
        }
    }

    @Test func leavesTheLastAdministratorAndOneself() async throws {
        try await withApp { app in
            let (admin, other) = (try await app.administrator(), try await app.administrator("ada"))
            let own = try await app.user("/disable", of: admin.id, by: admin.token)
            #expect(try own.status == 409 && own.problem().code == "own_account")
            #expect(try await app.user("/disable", of: other.id, by: admin.token).status == 200)
            // Who is disabled counts for nothing.
            #expect(try await refusal { try await admin.give(["member"], to: admin.id) }?.code == "last_administrator")
            #expect(try await app.user("/enable", of: other.id, by: admin.token).status == 200)
            try await admin.give(["member"], to: admin.id)
        }
    }

    @Test func ofTwoAdministratorsWhoDisableEachOtherOneStays() async throws {
        try await withApp { app in
            for round in 0..<4 {
                let both = [try await app.administrator("grace\(round)"), try await app.administrator("ada\(round)")]
                try await app.app.database.change(
                    "DELETE FROM account_role WHERE role = 'admin' AND account_id NOT IN \(list: both.map(\.id.uuid))")
                let answers = try await manyAtOnce(2) { try await app.user("/disable", of: both[1 - $0].id, by: both[$0].token) }
                #expect(answers.count { $0.status == 200 } <= 1, "\(answers.map(\.text))")
                let left = try await app.app.database.first(
                    Int.self,
                    """
                    SELECT count(*) FROM account_role JOIN account ON account.id = account_id WHERE role = 'admin' AND disabled_at IS NULL
                    """)
                #expect(left ?? 0 >= 1)
            }
        }
    }

    @Test func endsTheAccessByTokensOfOtherIssuers() async throws {
        try await TestIssuer.with { (issuer) async throws in
            let app = issuer.app
            let admin = try await app.administrator()
            var early = issuer.token()
            // An issuer whose clock is ahead.
            early.claim("iat", .number("\(Int(issuer.clock.now.timeIntervalSince1970) + 30)"))
            let id = try await app.id(early.text)
            let known = try await app.users("?query=auth0", by: admin.token).items
            #expect(known.map(\.issuers) == [[TestIssuer.name]] && known.first?.hasPassword == false)
            #expect(try await app.user("/disable", of: id, by: admin.token).status == 200)
            // An instance that has not seen it before looks at the account.
            try await eventually {
                let answers = [try await app.me(early.text), try await app.me(early.text)]
                return try answers.allSatisfy { try ["token_revoked", "account_disabled"].contains($0.problem().code) }
            }
            issuer.clock.advance(by: .seconds(45))
            let fresh = try await app.me(issuer.token().text)
            #expect(try fresh.status == 403 && fresh.problem().code == "account_disabled")
            #expect(try await app.user("/enable", of: id, by: try await app.token(of: "grace")).status == 200)
            #expect(try await app.me(issuer.token().text).status == 200)
        }
    }
}
