import Foundation
import MartletApp
import MartletContract
import MartletCore
import MartletIdentityAPI
import MartletSettings
import MartletStorage
import MartletTestKit
import NIOHTTP1
import Testing

@Suite("A new API key", .everyDatabase) struct CreatingAPIKeys {
    @Test func isToldOnceAndNeverAgain() async throws {
        try await withApp { app in
            let token = try await app.token()
            let answer = try await app.createKey(token, headers: [("Idempotency-Key", "a-key")])
            #expect(answer.headers.first(name: "Cache-Control") == "no-store")
            let key = try app.issued(answer)
            #expect(key.key.raw.wholeMatch(of: /mk_[A-Za-z0-9_-]{43}[A-Za-z0-9]{6}/) != nil)
            #expect(try await app.keys(token).map(\.prefix) == [String(key.key.raw.dropFirst(3).prefix(8))])
            let secret = key.key.raw.dropFirst(11).prefix(35)
            let list = try await app.raw(.GET, "/api/v1/auth/api-keys", token: token)
            let export = try await app.raw(.GET, "/api/v1/auth/me/export", token: token)
            #expect(try export.json()["api_keys"]?.elements.map { $0["name"]?.text } == ["import"])
            for told in [list, export] { #expect(!told.text.contains(secret) && !told.text.contains("hash")) }
            let stored = try await SecretsAtRest.stored(by: app)
            #expect(!stored.contains(Array(secret.utf8)))
            #expect(!stored.contains(try #require(Base64URL.decode(key.key.raw.dropFirst(3).prefix(43)))))
        }
    }

    @Test func isNotInTheLog() async throws {
        let log = LinesOfLog()
        var keys: [String] = []
        try await withApp(logger: log.logger, change: { $0.slowStatement = .zero }) { app in
            let token = try await app.token()
            let first = try await app.newKey(token)
            keys = [first.key.raw, try app.issued(try await app.rotateKey(first.id, token)).key.raw]
            for key in keys {
                #expect(try await app.get(key: key).status == 200)
                #expect(try await app.me(key).status == 200)
                #expect(try await app.get(key: String(key.dropLast()) + "!").status == 401)
                _ = try await app.get("/api/v1/bookmarks?key=\(key)", key: key)
            }
        }
        #expect(log.lines.contains { $0.text.contains("INSERT INTO api_key") }, "Statements were logged.")
        for key in keys { #expect(!log.lines.contains { $0.text.contains(key.dropFirst(11).prefix(35)) }) }
    }

    @Test func mayDoWhatItsOwnerMayForAYear() async throws {
        let clock = MovableClock()
        try await withApp(clock: clock.reading) { app in
            let key = try await app.newKey(try await app.token())
            #expect(key.permissions.all == ["bookmarks:read", "bookmarks:write"] && key.organisationId == nil)
            #expect(key.expiresAt == clock.now.addingTimeInterval(365 * 86_400))
            let other = try await app.createKey(try await app.token("bob"), ["expires_in_days": 3_650, "permissions": []])
            #expect(try app.issued(other).expiresAt == clock.now.addingTimeInterval(3_650 * 86_400))
        }
    }

    @Test func mayNotDoWhatItsOwnerMayNot() async throws {
        try await withApp { app in
            let token = try await app.token()
            let refused = try await app.createKey(token, ["permissions": ["bookmarks:read", "roles:assign"]])
            #expect(refused.status == 403)
            #expect(try refused.problem().code == "permission_not_held" && refused.problem().permission == "roles:assign")
            let unknown = try await app.createKey(token, ["permissions": ["bookmarks:eat"]])
            #expect(try unknown.problem().errors?.map(\.code) == ["unknown_permission"])
            #expect(try await app.keys(token).isEmpty)
        }
    }

    @Test(
        arguments: [
            ["name": ""], ["expires_in_days": 0], ["expires_in_days": 3_651], ["permissions": "bookmarks:read"], ["key": "mk_mine"],
        ] as [[String: JSON]])
    func isRefusedWhereWhatIsAskedForIsWrong(_ change: [String: JSON]) async throws {
        try await withApp { app in
            let answer = try await app.createKey(try await app.token(), change)
            #expect(answer.status == 422, "\(answer.text)")
            #expect(try answer.problem().errors?.map(\.pointer) == change.keys.map { "/\($0)" })
        }
    }

    @Test func hasANameOfItsOwnAmongThoseThatCanBeUsed() async throws {
        let clock = MovableClock()
        try await withApp(clock: clock.reading) { app in
            let token = try await app.token()
            let key = try app.issued(try await app.createKey(token, ["expires_in_days": 1]))
            #expect(try await app.createKey(token).problem().code == "api_key_exists")
            _ = try await app.newKey(token, named: "export")
            _ = try await app.newKey(try await app.token("bob"))
            clock.advance(by: .seconds(86_400))
            let later = try await app.token(of: "ada")
            #expect(try await app.keys(later).map(\.name.raw) == ["export"])
            let next = try await app.newKey(later)
            #expect(next.id != key.id)
            #expect(try await app.revokeKey(next.id, later).status == 204)
            _ = try await app.newKey(later)
        }
    }

    @Test func getsItsNameOnceWhenManyAskForIt() async throws {
        try await withApp { app in
            let token = try await app.token()
            let statuses = try await manyAtOnce(8) { _ in try await app.createKey(token).status }
            #expect(statuses.sorted() == [201] + Array(repeating: 409, count: 7))
        }
    }

    @Test func isOneOfAHundredAtMost() async throws {
        try await withApp { app in
            let token = try await app.token()
            let first = try await app.newKey(token, named: "0")
            for number in 1..<100 { _ = try await app.newKey(token, named: "\(number)") }
            #expect(try await app.createKey(token).problem().code == "too_many_api_keys")
            #expect(try await app.rotateKey(first.id, token).problem().code == "too_many_api_keys")
            #expect(try await app.revokeKey(first.id, token).status == 204)
            _ = try await app.newKey(token)
        }
    }

    @Test func isInTheAuditLogWithoutWhatItOpensAnythingWith() async throws {
        try await withApp { app in
            let token = try await app.token()
            let key = try await app.newKey(token, ["bookmarks:read"])
            let next = try app.issued(try await app.rotateKey(key.id, token))
            #expect(try await app.revokeKey(next.id, token).status == 204)
            for (action, target) in [("api_key.created", key), ("api_key.rotated", key), ("api_key.revoked", next)] {
                let rows = try await app.audited(action)
                #expect(rows.map(\.targetID) == ["\(target.id)"] && rows.map(\.targetKind) == ["api_key"], "\(action)")
                #expect(!"\(rows)".contains(key.prefix) && !"\(rows)".contains(next.prefix))
            }
            #expect(try await app.auditFault() == nil)
        }
    }
}

@Suite("What a key is written like") struct WritingAPIKeys {
    @Test func oneWrongCharacterIsFound() throws {
        let key = APIKeySecret.example
        #expect(try APIKeySecret(key).raw == key)
        for place in key.indices {
            var wrong = key
            wrong.replaceSubrange(place...place, with: key[place] == "x" ? "y" : "x")
            #expect(throws: Fault.self, "\(wrong)") { try APIKeySecret(wrong) }
        }
    }

    @Test(arguments: ["", "mk_", String(APIKeySecret.example.dropLast()), APIKeySecret.example + "x"])
    func isOfOneLength(_ text: String) {
        #expect(throws: Fault.self) { try APIKeySecret(text) }
    }

    @Test func isNeverPrinted() throws {
        let key = try APIKeySecret(APIKeySecret.example)
        #expect(!"\(key) \(String(reflecting: key)) \([key])".contains(key.prefix))
    }
}
