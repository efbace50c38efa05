import Foundation
import MartletBookmarksAPI
import MartletClient
import MartletContract
import MartletCore
import MartletIdentityAPI
import MartletTestKit
import NIOHTTP1
import Testing

@Suite(.everyDatabase) struct ChangingBookmarks {
    private func withBookmark(_ body: (MartletClient, Bookmark) async throws -> Void) async throws {
        try await withApp(clock: TickingClock().reading) { app in
            let client = try await app.signUp()
            try await body(client, client.save("https://a.example/x", "Title", notes: "Notes", category: "Category", tags: ["one", "two"]))
        }
    }

    @Test func whatIsAbsentStaysAsItIs() async throws {
        try await withBookmark { client, old in
            var expected = old
            let changed = try await client.send(BookmarksAPI.change, BookmarkChange(old.id))
            expected.updatedAt = changed.updatedAt
            #expect(changed == expected)
            #expect(changed.updatedAt > old.updatedAt && changed.savedAt == old.savedAt)
        }
    }

    @Test func whatIsNullIsCleared() async throws {
        try await withBookmark { client, old in
            let changed = try await client.send(
                BookmarksAPI.change, BookmarkChange(old.id, title: .cleared, notes: .cleared, category: .cleared, tags: .cleared))
            #expect(changed.title.raw == "a.example/x")
            #expect(changed.notes == nil && changed.category == nil && changed.tags.all.isEmpty)
            #expect(changed.url == old.url && changed.savedAt == old.savedAt)
            #expect(try await client.send(BookmarksAPI.find, BookmarkReference(old.id)) == changed)
        }
    }

    @Test func eachFieldMayBeSetAlone() async throws {
        try await withBookmark { client, old in
            var expected = old
            func change(_ change: BookmarkChange, _ edit: (inout Bookmark) throws -> Void) async throws {
                let changed = try await client.send(BookmarksAPI.change, change)
                try edit(&expected)
                expected.updatedAt = changed.updatedAt
                #expect(changed == expected)
            }
            try await change(BookmarkChange(old.id, title: .set(try BookmarkTitle("New")))) { $0.title = try BookmarkTitle("New") }
            try await change(BookmarkChange(old.id, notes: .set(try BookmarkNotes("N")))) { $0.notes = try BookmarkNotes("N") }
            try await change(BookmarkChange(old.id, category: .set(try Category("C")))) { $0.category = try Category("C") }
            try await change(BookmarkChange(old.id, tags: .set(try Tags.of(["three"])))) { $0.tags = try Tags.of(["three"]) }
            try await change(BookmarkChange(old.id, tags: .set(Tags()))) { $0.tags = Tags() }
            try await change(BookmarkChange(old.id, url: try WebLink("https://b.example/Y"))) {
                $0.url = try WebLink("https://b.example/Y")
            }
        }
    }

    @Test func aLinkCannotBecomeOneThatIsSaved() async throws {
        try await withBookmark { client, old in
            try await client.save("https://b.example/y")
            let taken = BookmarkChange(
                old.id, url: try WebLink("https://B.example/y/?utm_source=z"), title: .set(try BookmarkTitle("Lost")))
            let problem = try await refusal { _ = try await client.send(BookmarksAPI.change, taken) }
            #expect(problem?.status == 409 && problem?.code == "bookmark_exists")
            #expect(try await client.send(BookmarksAPI.find, BookmarkReference(old.id)) == old)
        }
    }

    @Test func aLinkMayBeWrittenDifferently() async throws {
        try await withBookmark { client, old in
            let changed = try await client.send(BookmarksAPI.change, BookmarkChange(old.id, url: try WebLink("https://A.example/x/#here")))
            #expect(changed.url.raw == "https://A.example/x/#here")
            #expect(try await refusal { try await client.save("https://a.example/x") }?.status == 409)
        }
    }

    @Test func theOldLinkIsFreeAfterAChange() async throws {
        try await withBookmark { client, old in
            _ = try await client.send(BookmarksAPI.change, BookmarkChange(old.id, url: try WebLink("https://b.example")))
            try await client.save("https://a.example/x")
            #expect(try await refusal { try await client.save("https://b.example/") }?.status == 409)
        }
    }

    @Test(arguments: [
        (#"{"url":null}"#, ["/url wrong_type"]), (#"{"url":"ftp://a.example"}"#, ["/url invalid_url"]),
        (#"{"url":"https://a..b"}"#, ["/url invalid_format"]),
        (#"{"title":"","tags":{},"saved_at":"2026-01-01T00:00:00Z"}"#, ["/title empty", "/tags wrong_type", "/saved_at unknown_field"]),
    ])
    func aFaultyChangeChangesNothing(_ body: String, _ faults: [String]) async throws {
        try await withApp { app in
            let session = try await app.client.register(.of("ada"))
            let client = app.client
            await client.resume(accessToken: session.accessToken, refreshToken: nil)
            let old = try await client.save("https://a.example", "Title")
            let answer = try await app.raw(.PATCH, "/api/v1/bookmarks/\(old.id)", token: session.accessToken, json: body)
            #expect(answer.status == 422)
            #expect(try answer.problem().faults == faults)
            #expect(try await client.send(BookmarksAPI.find, BookmarkReference(old.id)) == old)
        }
    }
}

@Suite(.everyDatabase) struct BookmarksOfAnother {
    @Test func areNotFoundChangedOrDeleted() async throws {
        try await withApp { app in
            let (ada, eve) = (try await app.signUp("ada"), try await app.signUp("eve"))
            let secret = try await ada.save("https://secret.example", "Secret")
            let reference = BookmarkReference(secret.id)
            let refusals = [
                try await refusal { _ = try await eve.send(BookmarksAPI.find, reference) },
                try await refusal {
                    _ = try await eve.send(BookmarksAPI.change, BookmarkChange(secret.id, title: .set(try BookmarkTitle("Mine"))))
                },
                try await refusal { _ = try await eve.send(BookmarksAPI.delete, reference) },
            ]
            #expect(refusals.map { $0?.status } == [404, 404, 404])
            let missing = try await refusal { _ = try await eve.send(BookmarksAPI.find, BookmarkReference(Bookmark.ID())) }
            #expect(refusals.map { $0?.detail } == Array(repeating: missing?.detail, count: 3))
            #expect(try await ada.send(BookmarksAPI.find, reference) == secret)
        }
    }

    @Test func areInNoListSearchOrExport() async throws {
        try await withApp { app in
            let (ada, eve) = (try await app.signUp("ada"), try await app.signUp("eve"))
            try await ada.save("https://secret.example", "Secret plan", notes: "secret", category: "Secrets", tags: ["secret"])
            try await eve.save("https://open.example", "Open plan")
            #expect(try await eve.everything().map(\.title.raw) == ["Open plan"])
            #expect(try await eve.list().total == 1)
            #expect(try await eve.list(category: "Secrets").items.isEmpty)
            #expect(try await eve.list(tag: "secret").total == 0)
            #expect(try await eve.list(q: "secret").total == 0)
            #expect(try await eve.search("secret").total == 0)
            #expect(try await eve.search("plan").items.map(\.bookmark.title.raw) == ["Open plan"])
            #expect(try await eve.search("plan").total == 1)
            #expect(String(decoding: try await eve.exported(), as: UTF8.self).lowercased().contains("secret") == false)
        }
    }

    @Test func areNotReachedByACursorOrTheOwnersName() async throws {
        try await withApp { app in
            let adaSession = try await app.client.register(.of("ada"))
            let ada = app.client
            await ada.resume(accessToken: adaSession.accessToken, refreshToken: nil)
            let eve = try await app.signUp("eve")
            for index in 0..<3 { try await ada.save("https://secret.example/\(index)") }
            let cursor = try #require(try await ada.list(limit: 1).next)
            #expect(try await eve.list(after: cursor).items.isEmpty)
            let owner = adaSession.user.id.description
            for words in [owner, owner.replacing("-", with: ""), "owner:\(owner)", "* owner : \"\(owner.replacing("-", with: ""))\""] {
                #expect(try await eve.search(words).total == 0)
            }
        }
    }

    @Test func areKeptWhenTheSameFileIsImported() async throws {
        try await withApp { app in
            let (ada, eve) = (try await app.signUp("ada"), try await app.signUp("eve"))
            let saved = try await ada.save("https://a.example", "Ada's")
            let report = try await eve.importFile(bookmarkFile("<DT><A HREF=\"https://a.example\" TAGS=\"x\">Eve's</A>"))
            #expect(report.added == 1)
            #expect(try await ada.everything() == [saved])
        }
    }
}
