import Foundation
import MartletApp
import MartletClient
import MartletContract
import MartletCore
import MartletIdentityAPI
import MartletStorage
import MartletTestKit
import NIOHTTP1
import Testing

@testable import MartletIdentity

/// Callers with tokens of another issuer.
@Suite("Signing in elsewhere", .everyDatabase) struct SigningInElsewhere {
    @Test func theFirstUseMakesAnAccount() async throws {
        try await TestIssuer.with { (issuer) async throws in
            var token = issuer.token("auth0|ada")
            token.claim("name", "Ada Lovelace")
            let answer = try await issuer.app.me(token.text)
            #expect(answer.status == 200)
            #expect(try answer.json()["email"] == "auth0.ada@example.org")
            #expect(try answer.json()["username"] == "auth0-ada")
            #expect(try answer.json()["name"] == "Ada Lovelace")
            let saved = try await issuer.app.raw(.POST, "/api/v1/bookmarks", token: token.text, json: #"{"url":"https://swift.org"}"#)
            #expect(saved.status == 201)
        }
    }

    @Test func laterUsesFindItAndChangeNothing() async throws {
        try await TestIssuer.with { (issuer) async throws in
            let first = try await issuer.app.me(issuer.token().text)
            var later = issuer.token()
            later.claim("email", "other@example.org")
            later.claim("preferred_username", "other")
            later.claim("name", "Other")
            #expect(try await issuer.app.me(later.text).bytes == first.bytes)
            #expect(try await issuer.app.me(issuer.token("another").text).json()["id"] != first.json()["id"])
        }
    }

    @Test func ofManyFirstUsesAtOnceOneMakesTheAccount() async throws {
        try await TestIssuer.with { (issuer) async throws in
            try await issuer.app.withWideClient { client in
                await client.resume(accessToken: try issuer.token().text, refreshToken: nil)
                let accounts = try await manyAtOnce(50) { _ in try await client.send(AccountsAPI.me).id }
                #expect(Set(accounts).count == 1, "\(Set(accounts))")
            }
            #expect(try await issuer.count(of: "account") == 1)
            #expect(try await issuer.count(of: "external_identity") == 1)
        }
    }

    @Test func ofManyWithOneNameEachGetsAnAccount() async throws {
        try await TestIssuer.with { (issuer) async throws in
            let names = try await manyAtOnce(12) { index in
                var token = issuer.token("subject-\(index)")
                token.claim("preferred_username", "ada")
                let answer = try await issuer.app.me(token.text)
                return try answer.json()["username"]?.text ?? answer.text
            }
            #expect(Set(names).count == 12 && names.allSatisfy { $0.hasPrefix("ada") }, "\(names)")
            #expect(names.contains("ada"))
        }
    }

    @Test func withoutAnEmailAddressThereIsNoAccount() async throws {
        try await TestIssuer.with { (issuer) async throws in
            for value in [nil, "", "no address", 1, .null] as [JSON?] {
                var token = issuer.token()
                token.claim("email", value)
                let answer = try await issuer.app.me(token.text)
                #expect(answer.status == 403)
                #expect(try answer.problem().code == "external_email_missing")
            }
            #expect(try await issuer.count(of: "account") == 0)
        }
    }

    @Test func nobodyLogsInToItWithAPassword() async throws {
        try await TestIssuer.with { (issuer) async throws in
            #expect(try await issuer.app.me(issuer.token().text).status == 200)
            for password in ["", "null", Registration.password] {
                #expect([401, 422].contains(try await issuer.app.logIn("auth0-ada", password).status))
            }
        }
    }

    @Test func theSameSubjectOfAnotherIssuerIsSomebodyElse() async throws {
        let secrets = ["first secret of thirty-two bytes!!", "second secret of thirty-two bytes!"]
        let setting = secrets.enumerated().map { index, secret in
            #"{"issuer":"issuer \#(index)","audience":"api","algorithms":["HS256"],"secret":"\#(secret)"}"#
        }
        try await TestIssuer.withIssuers("[\(setting.joined(separator: ","))]") { (app, clock) async throws in
            var accounts: Set<String> = []
            for (index, secret) in secrets.enumerated() {
                var token = ForgedToken(for: "ada", at: clock.now, key: Array(secret.utf8))
                token.claim("iss", .string("issuer \(index)"))
                token.claim("aud", ["other", "api"])
                token.claim("email", .string("ada\(index)@example.org"))
                let answer = try await app.me(token.text)
                accounts.insert(try answer.json()["id"]?.text ?? answer.text)
                token.key = Array(secrets[1 - index].utf8)
                #expect(try await app.me(token.text).status == 401, "signed with the other's secret")
                token.header = #"{"alg":"HS256","typ":"JWT","kid":"any"}"#
                token.key = Array(secret.utf8)
                #expect(try await app.me(token.text).status == 401, "names a key, and there is none with a name")
            }
            #expect(accounts.count == 2)
        }
    }

    @Test func ownTokensGoOnBesideThem() async throws {
        try await TestIssuer.with { (issuer) async throws in
            let own = try await issuer.app.token("grace")
            #expect(try await issuer.app.me(own).status == 200)
            #expect(try await issuer.app.me(issuer.token().text).status == 200)
            #expect(try await issuer.app.me(own).json()["username"] == "grace")
        }
    }
}

@Suite("An e-mail address that has an account", .everyDatabase) struct LinkingAccounts {
    @Test func isNotLinkedUnlessTheSettingSaysSo() async throws {
        try await TestIssuer.with { (issuer) async throws in
            let answer = try await Self.answer(issuer, isVerified: true)
            #expect(answer.status == 409)
            #expect(try answer.problem().code == "external_email_taken")
            #expect(try await issuer.count(of: "external_identity") == 0)
        }
    }

    @Test func isNotLinkedUnlessTheIssuerHasVerifiedIt() async throws {
        try await TestIssuer.with(members: #", "link_verified_email": true"#) { (issuer) async throws in
            for verified in [false, nil, "true", 1] as [JSON?] {
                let answer = try await Self.answer(issuer, isVerified: verified)
                #expect(answer.status == 403)
                #expect(try answer.problem().code == "external_email_unverified")
            }
            #expect(try await issuer.count(of: "external_identity") == 0)
        }
    }

    @Test func isNotLinkedUnlessItWasVerifiedHereToo() async throws {
        try await TestIssuer.with(members: #", "link_verified_email": true"#) { (issuer) async throws in
            let answer = try await Self.answer(issuer, isVerified: true)
            #expect(try answer.status == 403 && answer.problem().code == "external_email_unverified")
            #expect(try await issuer.count(of: "external_identity") == 0)
        }
    }

    @Test func isLinkedWhenBothVouchForIt() async throws {
        try await TestIssuer.with(members: #", "link_verified_email": true"#) { (issuer) async throws in
            _ = try await issuer.app.token("grace")
            try await issuer.app.app.database.change("UPDATE account SET email_verified_at = \(SQL.now)")
            let answer = try await Self.answer(issuer, isVerified: true)
            #expect(try answer.json()["username"] == "grace")
            #expect(try await issuer.count(of: "account") == 1)
            #expect(try await issuer.app.logIn("grace", Registration.password).status == 200)
        }
    }

    /// What a token hears that has the address of an account, in another case.
    private static func answer(_ issuer: TestIssuer, isVerified: JSON?) async throws -> RawAnswer {
        if try await issuer.count(of: "account") == 0 { _ = try await issuer.app.token("grace") }
        var token = issuer.token()
        token.claim("email", "GRACE@example.org")
        token.claim("email_verified", isVerified)
        return try await issuer.app.me(token.text)
    }
}

@Suite("Roles of others", .everyDatabase) struct RolesOfOthers {
    private static let mapped = #", "claims": {"roles": ["realm_access", "roles"]}, "roles": {"boss": "admin"}"#

    @Test func giveWhatTheSettingSays() async throws {
        try await TestIssuer.with(members: Self.mapped) { (issuer) async throws in
            #expect(try await Self.status(issuer, ["realm_access": ["roles": ["visitor", "boss"]]]) == 200)
            #expect(try await Self.status(issuer, ["realm_access": ["roles": "boss"]]) == 200)
        }
    }

    @Test func areNotTakenByTheirOwnNamesNorFromElsewhere() async throws {
        try await TestIssuer.with(members: Self.mapped) { (issuer) async throws in
            #expect(try await Self.status(issuer, ["realm_access": ["roles": ["admin", "Boss", "visitor"]]]) == 403)
            #expect(try await Self.status(issuer, ["roles": ["boss"], "scope": "health:read jobs:admin", "realm_access": []]) == 403)
            #expect(try await Self.status(issuer, [:]) == 403)
        }
    }

    private static func status(_ issuer: TestIssuer, _ claims: [String: JSON]) async throws -> Int {
        var token = issuer.token()
        for (name, value) in claims { token.claim(name, value) }
        return try await issuer.app.raw(.GET, "/health/detailed", token: token.text).status
    }
}

@Suite("Ended access of others", .oneInstance) struct EndedAccessOfOthers {
    @Test func countsForTokensOfTheAccountThatWereIssuedBefore() async throws {
        try await TestIssuer.with { (issuer) async throws in
            let token = issuer.token()
            let account = try #require(Identifier<Account>(try #require(try await issuer.app.me(token.text).json()["id"]?.text)))
            issuer.clock.advance(by: .seconds(1))
            try await issuer.denylist.revoke(account: account, issuedBefore: issuer.clock.now)
            #expect(try await issuer.app.me(token.text).problem().code == "token_revoked")
            issuer.clock.advance(by: .seconds(1))
            #expect(try await issuer.app.me(issuer.token().text).status == 200)
        }
    }

    @Test func countsForAsLongAsSuchATokenLives() async throws {
        try await TestIssuer.with { (issuer) async throws in
            var token = issuer.token()
            token.claim("exp", .number("\(Int(issuer.clock.now.timeIntervalSince1970) + 86_400)"))
            let account = try #require(Identifier<Account>(try #require(try await issuer.app.me(token.text).json()["id"]?.text)))
            issuer.clock.advance(by: .seconds(1))
            try await issuer.denylist.revoke(account: account, issuedBefore: issuer.clock.now)
            issuer.clock.advance(by: .seconds(86_000))
            try await issuer.denylist.revoke(session: Identifier())
            #expect(try await issuer.app.me(token.text).problem().code == "token_revoked")
        }
    }
}

extension TestIssuer {
    func count(of table: String) async throws -> Int {
        try await app.app.database.first(Int.self, "SELECT count(*) FROM \(unsafeRaw: table)") ?? -1
    }

    /// Of the one instance.
    fileprivate var denylist: Denylist {
        get throws { try #require(app.app.services.compactMap { $0 as? IdentityService }.first).denylist }
    }
}
