import Foundation
import MartletBookmarksAPI
import MartletClient
import MartletContract
import MartletCore
import MartletTestKit
import NIOHTTP1
import Testing

@Suite(.everyDatabase) struct SavingLinks {
    @Test func aSavedLinkIsFoundAsItWasSaved() async throws {
        try await withApp(clock: TickingClock().reading) { app in
            let client = try await app.signUp()
            let saved = try await client.save(
                "https://swift.org/a?b=c#d", " Swift – a \"language\" ", notes: "Two\nlines 😀", category: "Programming",
                tags: ["swift", "Ünï", "swift"])
            #expect(saved.url.raw == "https://swift.org/a?b=c#d")
            #expect(saved.title.raw == "Swift – a \"language\"")
            #expect(saved.notes?.raw == "Two\nlines 😀")
            #expect(saved.category?.raw == "Programming")
            #expect(saved.tags.all.map(\.raw) == ["swift", "Ünï"])
            #expect(saved.savedAt == saved.updatedAt)
            #expect(try await client.send(BookmarksAPI.find, BookmarkReference(saved.id)) == saved)
            #expect(try await client.list().items == [saved])
        }
    }

    @Test func aLinkStandsInForItsTitle() async throws {
        try await withApp { app in
            let client = try await app.signUp()
            let saved = try await client.save("https://swift.org/documentation/")
            #expect(saved.title.raw == "swift.org/documentation/")
            #expect(saved.notes == nil && saved.category == nil && saved.tags.all.isEmpty)
        }
    }

    @Test func theLongestTextsAreKept() async throws {
        try await withApp { app in
            let client = try await app.signUp()
            let url = "https://a.example/" + varied(2030).replacing(" ", with: "/")
            let tags = (1...20).map { String(varied(2_000).dropFirst($0 * 50).filter { $0 != " " }.prefix(50)) }
            let saved = try await client.save(
                url, String(repeating: "é", count: 200), notes: varied(10_000), category: String(repeating: "c", count: 100), tags: tags)
            #expect(
                saved.url.raw == url && saved.title.raw.count == 200 && saved.notes?.raw.count == 10_000 && saved.category?.raw.count == 100
            )
            #expect(saved.tags.all.map(\.raw) == tags)
            #expect(try await client.save(url.dropLast() + "y").title.raw.count <= 200)
        }
    }

    @Test(arguments: [
        ("{}", ["/url missing"]),
        (#"{"url":""}"#, ["/url too_short"]),
        (#"{"url":"javascript:alert(1)"}"#, ["/url invalid_url"]),
        (#"{"url":"https://user:secret@a.example/"}"#, ["/url invalid_url"]),
        (#"{"url":"https://a..b/"}"#, ["/url invalid_format"]),
        (#"{"url":"https://a.example/\u202e"}"#, ["/url invalid_format"]),
        (
            #"{"url":"https://a.example","title":"","notes":1,"category":null,"tags":["",2],"owner":"x"}"#,
            ["/title empty", "/notes wrong_type", "/category wrong_type", "/tags/0 empty", "/tags/1 wrong_type", "/owner unknown_field"]
        ),
        (#"{"url":"https://a.example","title":"a\u0000b"}"#, ["/title nul_character"]),
    ])
    func aFaultyLinkIsRefusedWithEveryFault(_ body: String, _ faults: [String]) async throws {
        try await withApp { app in
            let token = try await app.token()
            let answer = try await app.raw(.POST, "/api/v1/bookmarks", token: token, json: body)
            #expect(answer.status == 422)
            #expect(try answer.problem().faults == faults)
            #expect(try await app.raw(.GET, "/api/v1/bookmarks", token: token).json()["total"] == 0)
        }
    }

    @Test func aDeletedLinkIsGoneAndMayBeSavedAgain() async throws {
        try await withApp { app in
            let client = try await app.signUp()
            let saved = try await client.save("https://swift.org")
            _ = try await client.send(BookmarksAPI.delete, BookmarkReference(saved.id))
            let found = try await refusal { _ = try await client.send(BookmarksAPI.find, BookmarkReference(saved.id)) }
            let deletedAgain = try await refusal { _ = try await client.send(BookmarksAPI.delete, BookmarkReference(saved.id)) }
            #expect(found?.status == 404 && found?.code == "bookmark_not_found")
            #expect(deletedAgain?.status == 404)
            #expect(try await client.list().total == 0)
            #expect(try await client.save("https://swift.org").id != saved.id)
        }
    }
}

@Suite(.everyDatabase) struct SavingALinkTwice {
    @Test(arguments: [
        ("https://a.example/x", "https://a.example/x"), ("https://a.example/x", "https://a.example/x/"),
        ("https://a.example", "https://a.example/"),
        ("https://a.example/x", "https://a.example/x#part"), ("https://a.example/x", "HTTPS://A.Example/x"),
        ("https://a.example/x", "https://a.example:443/x"),
        ("http://a.example/x", "http://a.example:80/x"), ("https://a.example/%c3%a9", "https://a.example/%C3%A9"),
        ("https://a.example/x", "https://a.example/x?"),
        ("https://a.example/x?b=1&a=2", "https://a.example/x?utm_source=n&b=1&UTM_MEDIUM=m&utm_term=t&a=2&utm_content=c&utm_campaign=c"),
        ("https://a.example/x", "https://a.example/x?fbclid=1&GCLID=2&ref=3&source=4&campaign=5#top"),
    ])
    func isAConflict(_ first: String, _ second: String) async throws {
        try await withApp { app in
            let client = try await app.signUp()
            for (one, other) in [(first, second), (second, first)] {
                let saved = try await client.save(one, "First")
                let problem = try await refusal { try await client.save(other, "Second") }
                #expect(problem?.status == 409 && problem?.code == "bookmark_exists")
                #expect(try await client.everything().map(\.title.raw) == ["First"])
                _ = try await client.send(BookmarksAPI.delete, BookmarkReference(saved.id))
            }
        }
    }

    @Test(arguments: [
        ["https://www.youtube.com/watch?v=A", "https://www.youtube.com/watch?v=B"], ["https://a.example/Path", "https://a.example/path"],
        ["https://a.example/x?a=1&b=2", "https://a.example/x?b=2&a=1"], ["http://a.example/", "https://a.example/"],
        ["https://a.example/", "https://a.example:8443/"], ["https://a.example/x", "https://www.a.example/x"],
        ["https://a.example/#/inbox", "https://a.example/#/sent", "https://a.example/#!/sent"],
        ["https://a.example/?q=X", "https://a.example/?q=x"],
        ["https://a.example/?reference=1", "https://a.example/?resource=1"], ["https://a.example/x", "https://a.example/x//"],
    ])
    func isNoConflictForDifferentLinks(_ links: [String]) async throws {
        try await withApp { app in
            let client = try await app.signUp()
            for link in links { try await client.save(link) }
            #expect(Set(try await client.everything().map(\.url.raw)) == Set(links))
        }
    }

    @Test func isNoConflictBetweenAccounts() async throws {
        try await withApp { app in
            try await app.signUp("ada").save("https://swift.org")
            try await app.signUp("grace").save("https://swift.org")
        }
    }

    @Test func fiftyTimesAtOnceSavesItOnce() async throws {
        try await withApp { app in
            let client = try await app.signUp()
            let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
                for index in 0..<50 {
                    group.addTask {
                        try await refusal { try await client.save("https://swift.org/?utm_source=\(index)") }?.status ?? 201
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(statuses.sorted() == [201] + Array(repeating: 409, count: 49))
            #expect(try await client.list().total == 1)
        }
    }
}
