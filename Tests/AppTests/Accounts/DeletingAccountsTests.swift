import Foundation
import MartletApp
import MartletBookmarksAPI
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

@Suite(.everyDatabase) struct DeletingAccounts {
    @Test func takesEverythingAlongAndNothingOfOthers() async throws {
        try await withApp { app in
            let (ada, bob) = (try await app.token("ada"), try await app.token("bob"))
            for token in [ada, bob] { try await app.fill(token) }
            let (id, other) = (try await app.id(of: ada), try await app.id(of: bob))
            let before = try await app.rows(of: other)
            #expect(try await app.rows(of: id) == before && before.values.allSatisfy { $0 > 0 })
            #expect(try await app.deleteAccount(ada).status == 204)
            #expect(try await app.rows(of: id).values.allSatisfy { $0 == 0 })
            #expect(try await app.rows(of: other) == before)
            #expect(try await app.me(bob).status == 200)
        }
    }

    @Test func endsAllAccessAtOnce() async throws {
        try await withApp { app in
            let first = try await app.client.register(.of("ada"))
            let second = try await app.logIn("ada", Registration.password).json()["access_token"]?.text
            #expect(try await app.deleteAccount(first.accessToken).status == 204)
            // Another instance hears of it within a moment.
            for token in [first.accessToken, second] {
                try await eventually { try await app.refusesEverywhere(token) }
            }
            #expect(try await app.refresh(first.refreshToken?.raw ?? "").status == 401)
            #expect(try await app.logIn("ada", Registration.password).status == 401)
            let again = try await app.client.register(.of("ada"))
            #expect(again.user.id != first.user.id)
            #expect(try await app.me(again.accessToken).status == 200)
        }
    }

    @Test func needsThePassword() async throws {
        try await withApp { app in
            let token = try await app.token()
            let refused = try await app.deleteAccount(token, password: "not the password")
            #expect(refused.status == 403)
            #expect(try refused.problem().code == "wrong_password")
            let path = "/api/v1/profile?password=\(PercentEncoding.encode(Registration.password))"
            #expect(try await app.raw(.DELETE, path, token: token).status >= 400)
            #expect(try await app.raw(.DELETE, "/api/v1/profile", token: token).status == 400)
            #expect(try await app.me(token).status == 200)
        }
    }

    @Test func whoGuessesThePasswordHasToWait() async throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        let settings = try folder.settings(["RATE_LIMIT_ENABLED": "true", "RATE_LIMIT_LOGIN": "1000/min"])
        try await withRunningApp(settings, folder: folder.path) { app in
            let token = try await app.token()
            for _ in 0..<5 { #expect(try await app.deleteAccount(token, password: "wrong wrong").status == 403) }
            // On a slow machine the first waits are over before they are noticed: they grow.
            try await eventually {
                try await app.deleteAccount(token, password: "wrong wrong").problem().code == "too_many_failures"
            }
        }
    }

    @Test func leavesNothingOfWhoWritesMeanwhile() async throws {
        try await withApp { app in
            let token = try await app.token()
            let id = try await app.id(of: token)
            let statuses = try await manyAtOnce(60) { number in
                if number == 20 { return try await app.deleteAccount(token).status }
                return try await app.save(number, token, key: "key-\(number)").status
            }
            #expect(Set(statuses).isSubset(of: [201, 204, 401]), "\(Set(statuses))")
            #expect(statuses.contains(204))
            let left = try await app.rows(of: id)
            #expect(left["bookmark"] == 0 && left["session"] == 0)
            // What was stored at that moment and no foreign key looks after goes a while later.
            try await app.app.database.change("UPDATE job SET run_at = \(SQL.now), state = 'ready' WHERE kind = 'identity.forget_account'")
            try await app.runJobs()
            #expect(try await app.rows(of: id).values.allSatisfy { $0 == 0 })
        }
    }

    @Test func manyAtOnceAreOneDeletion() async throws {
        try await withApp { app in
            let token = try await app.token()
            let statuses = try await manyAtOnce(8) { _ in try await app.deleteAccount(token).status }
            #expect(statuses.count { $0 == 204 } == 1)
            #expect(statuses.count { $0 == 401 } == 7)
            #expect(try await app.app.database.first(Int.self, "SELECT count(*) FROM account") == 0)
        }
    }

    @Test func aLoginThatWasUnderWayHasNoUse() async throws {
        try await withApp { app in
            let token = try await app.token()
            let logins = try await manyAtOnce(20) { number in
                if number == 5 { return try await app.deleteAccount(token) }
                return try await app.logIn("ada", Registration.password)
            }
            #expect(Set(logins.map(\.status)).isSubset(of: [200, 204, 401]), "\(logins.map(\.status))")
            for login in logins where login.status == 200 {
                let issued = try login.json()["access_token"]?.text
                try await eventually { try await app.refusesEverywhere(issued) }
            }
        }
    }
}

extension TestApp {
    func deleteAccount(_ token: String, password: String = Registration.password) async throws -> RawAnswer {
        let body = try WireJSON.encode(JSON.object([.init("password", .string(password))]))
        return try await raw(.DELETE, "/api/v1/profile", token: token, headers: [("Content-Type", "application/json")], body: body)
    }

    func id(of token: String) async throws -> Identifier<Account> {
        try #require(try await me(token).json()["id"]?.text.flatMap { Identifier<Account>($0[...]) })
    }

    func save(_ number: Int, _ token: String, key: String) async throws -> RawAnswer {
        try await raw(
            .POST, "/api/v1/bookmarks", token: token, headers: [("Content-Type", "application/json"), ("Idempotency-Key", key)],
            body: Array(#"{"url": "https://swift.org/\#(number)"}"#.utf8))
    }

    /// Gives an account something of everything that is kept.
    func fill(_ token: String) async throws {
        #expect(try await save(1, token, key: "a-key").status == 201)
        let owner = try await id(of: token)
        try await app.database.transaction { _ = try await Jobs().enqueue(Errand(), for: owner, in: $0) }
    }

    /// How many rows of each table are an account's.
    fileprivate func rows(of id: Identifier<Account>) async throws -> [String: Int] {
        let conditions: [(String, SQL)] = [
            ("account", "id = \(id)"), ("session", "account_id = \(id)"), ("bookmark", "owner_id = \(id)"), ("job", "owner_id = \(id)"),
            ("idempotent_answer", "caller_id = \(id)"),
            ("refresh_token", "session_id IN (SELECT id FROM session WHERE account_id = \(id))"),
        ]
        var counts: [String: Int] = [:]
        for (table, condition) in conditions {
            let count = try await app.database.first(Int.self, "SELECT count(*) FROM \(unsafeRaw: table) WHERE \(condition)")
            counts[table] = count ?? 0
        }
        return counts
    }

    fileprivate func refusesEverywhere(_ token: String?) async throws -> Bool {
        for _ in 0..<2 {
            let answer = try await me(token)
            // That there is no account any more is what only some endpoints would notice.
            guard try answer.status == 401 && answer.problem().code == "token_revoked" else { return false }
        }
        return true
    }
}

private struct Errand: Job {
    static let name = "test.errand_of_an_account"

    func run(_ work: Work<Errand>, with _: Void) async throws -> Outcome { .done }
}
