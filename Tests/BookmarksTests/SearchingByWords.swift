import Foundation
import MartletBookmarksAPI
import MartletClient
import MartletContract
import MartletTestKit
import NIOHTTP1
import Testing

@Suite(.everyDatabase) struct SearchingByWords {
    @Test func whatIsInTheTitleComesBeforeWhatIsInTheNotes() async throws {
        try await withApp { app in
            let client = try await app.signUp()
            try await client.save("https://a.example/1", "Something", notes: "About migration")
            try await client.save("https://a.example/2", "Migration")
            try await client.save("https://a.example/3", "Elsewhere", notes: "A migration of birds")
            let answer = try await client.search("migration")
            #expect(answer.items.first?.bookmark.title.raw == "Migration")
            #expect(answer.total == 3 && answer.items.count == 3 && answer.query.raw == "migration")
            #expect(try await client.search("migration", limit: 1).items.map(\.bookmark.title.raw) == ["Migration"])
            #expect(try await client.search("migration", limit: 1).total == 3)
        }
    }

    @Test func everyFieldIsSearched() async throws {
        try await withApp { app in
            let client = try await app.signUp()
            try await client.save(
                "https://linkword.example/pathword", "titleword", notes: "noteword", category: "categoryword", tags: ["tagword", "other"])
            for word in ["titleword", "noteword", "linkword", "pathword", "categoryword", "tagword"] {
                #expect(try await client.found(word) == ["titleword"])
            }
        }
    }

    @Test func allWordsAreNeededAndTheLastMayBeABeginning() async throws {
        try await withApp { app in
            let client = try await app.signUp()
            try await client.save("https://a.example/1", "Swift concurrency", notes: "actors")
            try await client.save("https://a.example/2", "Swift birds")
            #expect(try await client.found("swift actors") == ["Swift concurrency"])
            #expect(try await client.found("swift conc") == ["Swift concurrency"])
            #expect(try await client.found("conc swift") == [])
            #expect(try await client.found("concurrency swi") == ["Swift concurrency"])
            #expect(try await client.found("swift fish") == [])
            #expect(try await client.found("oncurrency") == [])
            #expect(try await client.search("s").total == 2)
        }
    }

    @Test(arguments: ["cafe resume", "CAFÉ RÉSUMÉ", "café résumé", "Cafe\u{301} Re\u{301}sume\u{301}", "  café,  résum "])
    func caseAndDiacriticsDoNotCount(_ words: String) async throws {
        try await withApp { app in
            let client = try await app.signUp()
            try await client.save("https://a.example/1", "Café Résumé")
            #expect(try await client.found(words) == ["Café Résumé"])
        }
    }

    @Test func theSnippetMarksTheWordsAndEscapesTheRest() async throws {
        try await withApp { app in
            let client = try await app.signUp()
            try await client.save(
                "https://a.example/1", "One", notes: "<script>alert(\"x\")</script> & <mark>kingfisher</mark> <img src=x onerror='y'>")
            try await client.save("https://a.example/2", "<b>Heron</b>")
            let notes = try #require(try await client.search("kingfish").items.first?.snippet)
            #expect(notes.contains("&lt;mark&gt;<mark>kingfisher</mark>&lt;/mark&gt;"))
            #expect(notes.contains("&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt; &amp; "))
            #expect(notes.replacing("<mark>", with: "").replacing("</mark>", with: "").contains("<") == false)
            #expect(try await client.search("heron").items.first?.snippet == "&lt;b&gt;<mark>Heron</mark>&lt;/b&gt;")
        }
    }

    @Test func theIndexFollowsChangesAndDeletions() async throws {
        try await withApp { app in
            let client = try await app.signUp()
            let saved = try await client.save("https://a.example/1", "Kestrel", notes: "hovers")
            _ = try await client.send(
                BookmarksAPI.change, BookmarkChange(saved.id, title: .set(try BookmarkTitle("Merlin")), notes: .cleared))
            #expect(try await client.found("kestrel") == [])
            #expect(try await client.found("hovers") == [])
            #expect(try await client.found("merlin") == ["Merlin"])
            _ = try await client.send(BookmarksAPI.delete, BookmarkReference(saved.id))
            #expect(try await client.search("merlin").total == 0)
            _ = try await client.importFile(bookmarkFile("<DT><A HREF=\"https://a.example/2\">Merlin returns</A>"))
            #expect(try await client.found("merlin") == ["Merlin returns"])
        }
    }
}

@Suite(.everyDatabase) struct AnyTextIsAQuery {
    static let texts = [
        "\"", "\"\"", "\"swift", "'", "''; DROP TABLE bookmark; --", "*", "swift*", "* *", "AND", "OR", "NOT", "swift AND", "AND swift",
        "NOT swift", "NEAR(", "NEAR(a b, 5)",
        "-", "-swift", "swift -birds", ":", "title:swift", "owner:x", "{title} : x", "^swift", "+", "(", ")", "((()", "\\", "%", "_", "?",
        "!", "|", "&", "<->", "~", "@", "#", "$1", "?1",
        "😀", "👩‍👩‍👧", "❤️", "swift ❤️", "🇩🇪", "\u{301}", "\"\u{301}", "\"\u{301}swift\"\u{301}", "a\u{301}\"", "\u{200B}", "\u{202E}", "\u{FEFF}",
        "日本語", "ไทย", "हिन्दी", "العربية", "İ", "ß", "ﬁ", "½",
        "²", "Ⅷ", "\u{E000}", "\u{FFFF}", "\u{10FFFF}", "a\tb\nc", ".,;:!?…—", "c++ c# .net", "node.js", "https://a.example/x?y=z",
        String(repeating: "a", count: 1_000), String(repeating: "a ", count: 500).trimmingCharacters(in: .whitespaces),
        String(repeating: "\"", count: 1_000),
        String(repeating: "(", count: 1_000), String(repeating: "😀", count: 600), String(repeating: "\u{301}", count: 1_000),
    ]

    @Test func andNeverAnError() async throws {
        try await withApp { app in
            let token = try await app.token()
            for path in ["/api/v1/search/text?q=", "/api/v1/bookmarks?q="] {
                for text in Self.texts {
                    let answer = try await app.raw(
                        .GET, path + PercentEncoding.encode(text), token: token, headers: [("Accept-Encoding", "identity")])
                    #expect(answer.status == 200, "\(text.debugDescription)")
                }
            }
        }
    }

    @Test(arguments: [
        "\"", "*", "-", ":", "(", "😀", "❤️", "\u{301}", "\"\u{301}", "…", "' OR 1=1 --", "\u{200B}",
    ])
    func whichWithoutAWordFindsNothing(_ text: String) async throws {
        try await withApp { app in
            let client = try await app.signUp()
            try await client.save("https://a.example/1", "Swift birds")
            #expect(try await client.search(text).total == 0)
            #expect(try await client.list(q: text).total == 0)
        }
    }

    @Test(arguments: [
        "swift*", "\"swift\"", "swift :", "-swift", "(swift", "swift 😀", "swift ❤️", "❤️ swift", "^swift", "swift \u{301}",
        "\"\u{301}swift\"\u{301}",
    ])
    func whichOnlyItsWordsCount(_ text: String) async throws {
        try await withApp { app in
            let client = try await app.signUp()
            try await client.save("https://a.example/1", "Swift birds")
            #expect(try await client.found(text) == ["Swift birds"])
        }
    }

    @Test func whichOperatorsAreWordsLikeOthers() async throws {
        try await withApp { app in
            let client = try await app.signUp()
            try await client.save("https://a.example/1", "Swift birds")
            try await client.save("https://a.example/2", "Swift AND fish, NOT birds")
            #expect(try await client.found("swift AND fish") == ["Swift AND fish, NOT birds"])
            #expect(try await client.found("birds NOT swift") == ["Swift AND fish, NOT birds"])
            #expect(try await client.found("fish OR birds") == [])
        }
    }

    @Test(arguments: ["", "q=", "q=%20", "q=%00", "q=a%00b", "q=%FF", "q=\(String(repeating: "a", count: 1001))"])
    func unlessItIsNoTextAtAll(_ query: String) async throws {
        try await withApp { app in
            let answer = try await app.raw(.GET, "/api/v1/search/text?\(query)", token: try await app.token())
            #expect(answer.status == (query == "q=%FF" ? 400 : 422))
        }
    }
}
