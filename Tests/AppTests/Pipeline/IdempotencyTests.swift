import MartletApp
import MartletBookmarksAPI
import MartletContract
import MartletCore
import MartletHTTP
import MartletIdentityAPI
import MartletJobs
import MartletSettings
import MartletStorage
import MartletTestKit
import NIOHTTP1
import Testing

@testable import MartletIdempotency

@Suite(.everyDatabase) struct RepeatedRequests {
    private static let path = "/api/v1/bookmarks"

    @Test func areAnsweredWithTheFirstAnswersStatusAndBytes() async throws {
        try await withApp { app in
            let token = try await app.token()
            let first = try await app.post(#"{"url": "https://swift.org/a"}"#, token, key: "k-1")
            let again = try await app.post(#"{"url": "https://swift.org/a"}"#, token, key: "k-1")
            #expect(first.status == 201)
            #expect(first.headers["Idempotency-Replayed"] == [])
            #expect(again.status == 201)
            #expect(again.bytes == first.bytes)
            #expect(again.headers["Content-Type"] == first.headers["Content-Type"])
            #expect(again.headers["Idempotency-Replayed"] == ["true"])
            #expect(try await app.count() == 1)
        }
    }

    @Test func areOneEffectHoweverManyComeAtOnce() async throws {
        try await withApp { app in
            let token = try await app.token()
            let answers = try await manyAtOnce(50) { _ in try await app.post(#"{"url": "https://swift.org/a"}"#, token, key: "k") }
            #expect(Set(answers.map(\.status)) == [201])
            #expect(Set(answers.map(\.bytes)).count == 1)
            #expect(answers.filter { $0.headers["Idempotency-Replayed"].isEmpty }.count == 1)
            #expect(try await app.count() == 1)
        }
    }

    @Test func areOneEffectAcrossInstances() async throws {
        try await withApp { app in
            let token = try await app.token()
            try await withRunningApp(app.app.settings, folder: app.folder) { other in
                let answers = try await manyAtOnce(50) { index in
                    try await (index % 2 == 0 ? app : other).post(#"{"url": "https://swift.org/a"}"#, token, key: "k")
                }
                #expect(Set(answers.map(\.status)) == [201])
                #expect(Set(answers.map(\.bytes)).count == 1)
            }
            #expect(try await app.count() == 1)
        }
    }

    @Test func ofAnotherContentAreRefused() async throws {
        try await withApp { app in
            let token = try await app.token()
            _ = try await app.post(#"{"url": "https://swift.org/a"}"#, token, key: "k")
            let other = try await app.post(#"{"url": "https://swift.org/b"}"#, token, key: "k")
            #expect(other.status == 422)
            #expect(try other.problem().code == "idempotency_key_reused")
            let file = try await app.raw(
                .POST, Self.path + "/import", token: token, headers: [("Content-Type", "application/json"), ("Idempotency-Key", "k")],
                body: Array("[]".utf8))
            #expect(try file.problem().code == "idempotency_key_reused")
            #expect(try await app.count() == 1)
        }
    }

    @Test func ofAnotherCallerAreTheirOwn() async throws {
        try await withApp { app in
            let body = #"{"url": "https://swift.org/a"}"#
            let first = try await app.post(body, try await app.token("ada"), key: "k")
            let second = try await app.post(body, try await app.token("grace"), key: "k")
            #expect(second.status == 201)
            #expect(first.bytes != second.bytes)
        }
    }

    @Test func runAnewWhenTheFirstFailed() async throws {
        try await withApp { app in
            let (token, body) = (try await app.token(), #"{"url": "https://swift.org/a"}"#)
            let saved = try await app.post(body, token, key: nil)
            #expect(try await app.post(body, token, key: "k").status == 409)
            let id = try #require(try saved.json()["id"]?.text)
            #expect(try await app.raw(.DELETE, "\(Self.path)/\(id)", token: token).status == 204)
            #expect(try await app.post(body, token, key: "k").status == 201)
        }
    }

    @Test(arguments: ["", " ", "a b", "ключ", String(repeating: "k", count: 256)])
    func withoutAProperKeyAreRefused(key: String) async throws {
        try await withApp { app in
            let answer = try await app.post(#"{"url": "https://swift.org/a"}"#, try await app.token(), key: key)
            #expect(answer.status == 400)
            #expect(try answer.problem().code == "invalid_idempotency_key")
            #expect(try await app.count() == 0)
        }
    }

    @Test func mayHaveAKeyOfAnyVisibleCharacter() async throws {
        try await withApp { app in
            let key = String(String.UnicodeScalarView((0x21...0x7E).compactMap { Unicode.Scalar($0) }))
            let token = try await app.token()
            for key in [key, String(repeating: "k", count: 255)] {
                let answer = try await app.post(#"{"url": "https://swift.org/\#(key.count)"}"#, token, key: key)
                #expect(answer.status == 201)
            }
        }
    }

    @Test func ofAFileImportItOnce() async throws {
        try await withApp { app in
            let token = try await app.token()
            let links = (0..<1_001).map { #"{"url": "https://example.org/\#($0)"}"# }.joined(separator: ",")
            for (name, body) in [("short", #"[{"url": "https://swift.org"}]"#), ("long", "[\(links)]")] {
                var answers: [RawAnswer] = []
                for _ in 0..<2 {
                    let headers = [("Content-Type", "application/json"), ("Idempotency-Key", name)]
                    answers.append(try await app.raw(.POST, Self.path + "/import", token: token, headers: headers, body: Array(body.utf8)))
                }
                #expect(answers.map(\.status) == (name == "short" ? [200, 200] : [202, 202]))
                #expect(answers[0].bytes == answers[1].bytes)
                #expect(answers[1].headers["Idempotency-Replayed"] == ["true"])
            }
            #expect(try await app.app.database.first(Int.self, "SELECT count(*) FROM job WHERE kind = 'bookmarks.import'") == 1)
        }
    }

    @Test func areRememberedByTheNextInstance() async throws {
        try await withApp { app in
            let (token, body) = (try await app.token(), #"{"url": "https://swift.org/a"}"#)
            let first = try await app.post(body, token, key: "k")
            try await withRunningApp(app.app.settings, folder: app.folder) { (next) async throws in
                #expect(try await next.post(body, token, key: "k").bytes == first.bytes)
            }
        }
    }

    @Test func areForgottenAfterTheirTime() async throws {
        try await withApp(change: { $0.idempotencyRetention = .seconds(-60) }) { app in
            let token = try await app.token()
            _ = try await app.post(#"{"url": "https://swift.org/a"}"#, token, key: "k")
            // The mail to who signed up.
            try await app.runJobs()
            try await app.app.database.transaction { _ = try await Jobs().enqueue(PruneAnswers(), in: $0) }
            #expect(try await app.runJobs() == 1)
            #expect(try await app.post(#"{"url": "https://swift.org/b"}"#, token, key: "k").status == 201)
        }
    }

    @Test func ofEndpointsWithoutKeysAreOrdinaryRequests() async throws {
        try await withApp { app in
            let answer = try await app.raw(
                .GET, Self.path, token: try await app.token(), headers: [("Idempotency-Key", "a b")])
            #expect(answer.status == 200)
        }
    }

    @Test func areServedInATransactionOrNotAtAll() async {
        await #expect(processExitsWith: .failure) { _ = serve(BookmarksAPI.save) { _, _ in throw CancellationError() } }
    }
}

extension TestApp {
    fileprivate func post(_ json: String, _ token: String, key: String?) async throws -> RawAnswer {
        let headers = [("Content-Type", "application/json")] + (key.map { [("Idempotency-Key", $0)] } ?? [])
        return try await raw(.POST, "/api/v1/bookmarks", token: token, headers: headers, body: Array(json.utf8))
    }

    fileprivate func count() async throws -> Int? { try await app.database.first(Int.self, "SELECT count(*) FROM bookmark") }
}
