import MartletApp
import MartletClient
import MartletContract
import MartletCore
import MartletIdentityAPI
import MartletService
import MartletStorage
import MartletTestKit
import NIOHTTP1
import Testing

@testable import MartletIdentity

@Suite(.everyDatabase) struct ExportingAccounts {
    @Test func holdsSomethingOfEverythingAndNoSecrets() async throws {
        try await withApp { app in
            let (ada, bob) = (try await app.client.register(.of("ada")), try await app.token("bob"))
            try await app.fill(ada.accessToken)
            try await app.fill(bob)
            let answer = try await app.export(ada.accessToken)
            #expect(answer.status == 200)
            #expect(answer.headers.first(name: "Content-Type") == "application/json")
            #expect(answer.headers.first(name: "Content-Disposition")?.contains("account.json") == true)
            let export = try answer.json()
            #expect(export["account"]?.elements.map { $0["email"]?.text } == ["ada@example.org"])
            #expect(export["bookmarks"]?.elements.map { $0["url"]?.text } == ["https://swift.org/1"])
            #expect(export["idempotency_keys"]?.elements.map { $0["key"]?.text } == ["a-key"])
            #expect(export["jobs"]?.elements.map { $0["kind"]?.text } == ["test.errand_of_an_account"])
            #expect(export["sessions"]?.elements.count == 1)
            #expect(export["exported_at"]?.text?.hasSuffix("Z") == true)
            for secret in ["argon2id", "hash", ada.accessToken, ada.refreshToken?.raw ?? "", "bob"] {
                #expect(!answer.text.contains(secret), "\(secret)")
            }
        }
    }

    @Test func holdsTenThousandBookmarksInPieces() async throws {
        try await withApp { app in
            let token = try await app.token()
            let owner = try await app.id(of: token)
            try await app.insertBookmarks(10_000, owner: owner)
            let answer = try await app.export(token)
            #expect(answer.headers.first(name: "Transfer-Encoding") == "chunked")
            let links = try answer.json()["bookmarks"]?.elements.compactMap { $0["url"]?.text } ?? []
            #expect(links.count == 10_000 && Set(links).count == 10_000)
        }
    }

    @Test func everyTableWithAnAccountsColumnIsExportedOrNotPersonal() async throws {
        try await withApp { app in
            let service = try #require(app.app.services.lazy.compactMap { $0 as? ProfileService }.first)
            let exported = Set(service.data.flatMap(\.tables))
            let unknown = App.tables.filter { $0.hasAccountsColumn && !exported.contains($0.name) && Self.notPersonal[$0.name] == nil }
            for table in unknown {
                Issue.record("\(table.name) says whose its rows are: export it as PersonalData of its service, or say here why not.")
            }
            #expect(exported.isSubset(of: App.tables.map(\.name)))
            #expect(App.tables.count { $0.hasAccountsColumn } >= 5, "The search has gone blind.")
        }
    }

    /// Tables that say whose their rows are, and hold nothing that anyone would want to take along.
    private static let notPersonal = [
        "revoked_access": "Which access ended before its time, until it would have anyway.",
        "mail_token": "Secrets that were mailed, until they are used or too old.",
        "totp": "A secret.", "recovery_code": "Secrets.", "mfa_challenge": "Logins that were not finished, for five minutes.",
        "proof_guess": "How many wrong codes there were, until there is a right one.",
        "audit_event": "What was done stays, by whomever: the rows of others hang on it.",
    ]
}

extension StoredTable {
    /// Whether its rows say whose they are.
    fileprivate var hasAccountsColumn: Bool {
        let names: Set = ["account_id", "owner_id", "caller_id", "user_id", "member_id", "actor_id", "subject_id"]
        return name == "account" || columns.contains { names.contains($0.name) }
    }
}

extension TestApp {
    fileprivate func export(_ token: String) async throws -> RawAnswer {
        try await raw(.GET, "/api/v1/auth/me/export", token: token)
    }

    fileprivate func insertBookmarks(_ count: Int, owner: Identifier<Account>) async throws {
        try await app.database.transaction { transaction in
            for start in stride(from: 0, to: count, by: 500) {
                let rows = (start..<start + 500).map { number -> SQL in
                    let (link, title) = ("https://swift.org/\(number)", "Number \(number)")
                    return """
                        (\(Identifier<TestApp>()), \(owner), \(link), \(link), \(title), \(json: [String]()), \(SQL.now), \(SQL.now))
                        """
                }
                try await transaction.change(
                    """
                    INSERT INTO bookmark (id, owner_id, url, normal_form, title, tags, saved_at, updated_at)
                    VALUES \(SQL.joined(rows, by: ", "))
                    """)
            }
        }
    }
}
