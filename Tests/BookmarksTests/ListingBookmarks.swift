import Foundation
import MartletBookmarksAPI
import MartletClient
import MartletContract
import MartletCore
import MartletTestKit
import NIOHTTP1
import Testing

@Suite(.everyDatabase) struct ListingBookmarks {
    private func withShelf(_ body: (MartletClient) async throws -> Void) async throws {
        try await withApp(clock: TickingClock().reading) { app in
            let client = try await app.signUp()
            try await client.save("https://a.example/1", "Swift concurrency", category: "Dev", tags: ["swift", "async"])
            try await client.save("https://a.example/2", "Swift birds", category: "Nature", tags: ["birds"])
            try await client.save("https://a.example/3", "Actors", notes: "About swift", category: "Dev", tags: ["Swift"])
            try await client.save("https://a.example/4", "Loose ends")
            try await body(client)
        }
    }

    @Test func theNewestComesFirst() async throws {
        try await withShelf { client in
            let page = try await client.list()
            #expect(page.items.map(\.title.raw) == ["Loose ends", "Actors", "Swift birds", "Swift concurrency"])
            #expect(page.total == 4 && page.next == nil)
        }
    }

    /// The titles that a filter leaves, all on one page.
    private func titles(_ client: MartletClient, category: String? = nil, tag: String? = nil, q: String? = nil) async throws -> [String] {
        let page = try await client.list(category: category, tag: tag, q: q)
        #expect(page.total == page.items.count)
        return page.items.map(\.title.raw)
    }

    @Test func theFiltersNarrowAloneAndTogether() async throws {
        try await withShelf { client async throws in
            #expect(try await titles(client, category: "Dev") == ["Actors", "Swift concurrency"])
            #expect(try await titles(client, category: "dev") == [])
            #expect(try await titles(client, tag: "swift") == ["Swift concurrency"])
            #expect(try await titles(client, tag: "swif") == [])
            #expect(try await titles(client, q: "swift") == ["Actors", "Swift birds", "Swift concurrency"])
            #expect(try await titles(client, category: "Dev", q: "swift") == ["Actors", "Swift concurrency"])
            #expect(try await titles(client, tag: "birds", q: "swift") == ["Swift birds"])
            #expect(try await titles(client, category: "Dev", tag: "async", q: "conc") == ["Swift concurrency"])
            #expect(try await titles(client, category: "Nature", tag: "async", q: "swift") == [])
            #expect(try await titles(client, q: "\"*(-") == [])
        }
    }

    @Test(arguments: ["100%", "a_c", "[\"x\"]", "it's", "\\", "*", "😀"])
    func aFilterIsTakenAsItIsWritten(_ text: String) async throws {
        try await withApp { app in
            let client = try await app.signUp()
            try await client.save("https://a.example/1", "This", category: text, tags: [text])
            try await client.save("https://a.example/2", "Other", category: "abc", tags: ["x", "abc", "100"])
            #expect(try await client.list(category: text).items.map(\.title.raw) == ["This"])
            #expect(try await client.list(tag: text).items.map(\.title.raw) == ["This"])
        }
    }

    @Test(arguments: [
        ("limit=0", "limit"), ("limit=-1", "limit"), ("limit=201", "limit"), ("limit=1000000000", "limit"),
        ("limit=99999999999999999999", "limit"),
        ("limit=ten", "limit"), ("limit=1.5", "limit"), ("limit=", "limit"), ("limit=1&limit=2", "limit"), ("cursor=", "cursor"),
        ("cursor=x!", "cursor"),
        ("cursor=QUJD", "cursor"), ("cursor=MS4x", "cursor"), ("q=", "q"), ("tag=", "tag"), ("category=", "category"), ("page=2", "page"),
        ("category=%00", "category"),
    ])
    func aFaultyParameterIsNamed(_ query: String, _ name: String) async throws {
        try await withApp { app in
            let answer = try await app.raw(.GET, "/api/v1/bookmarks?\(query)", token: try await app.token())
            #expect(answer.status == 422)
            #expect(try answer.problem().errors?.map(\.pointer) == [name])
        }
    }
}

@Suite(.everyDatabase) struct TurningPages {
    /// Rows of which several were saved at the same moment.
    private static func rows(_ range: Range<Int>) -> JSON {
        .array(
            range.map {
                ["url": .string("https://a.example/\($0)"), "title": .string("\($0)"), "saved_at": .number("\(1_700_000_000 + $0 / 3)")]
            })
    }

    @Test func eachBookmarkIsOnOnePage() async throws {
        try await withApp { app in
            let client = try await app.signUp()
            _ = try await client.importJSON(Self.rows(0..<61))
            let all = try await client.everything()
            #expect(all.count == 61 && all.map(\.savedAt) == all.map(\.savedAt).sorted(by: >))
            for limit in [1, 7, 20, 60, 61, 62] {
                var page = try await client.list(limit: limit)
                #expect(page.total == 61)
                var seen = page.items
                while let next = page.next {
                    page = try await client.list(limit: limit, after: next)
                    #expect(!page.items.isEmpty && page.items.count <= limit)
                    seen += page.items
                }
                #expect(seen == all)
            }
        }
    }

    @Test func aPageHasFiftyUnlessSaidOtherwise() async throws {
        try await withApp { app in
            let client = try await app.signUp()
            _ = try await client.importJSON(Self.rows(0..<205))
            #expect(try await client.list().items.count == 50)
            #expect(try await client.list(limit: 200).items.count == 200)
            #expect(try await client.list(limit: 1).items.count == 1)
        }
    }

    @Test func nothingRepeatsOrIsMissedWhileBookmarksComeAndGo() async throws {
        try await withApp { app in
            let client = try await app.signUp()
            _ = try await client.importJSON(Self.rows(0..<40))
            let before = try await client.everything()
            var (seen, deleted, round): ([Bookmark], Set<Bookmark.ID>, Int) = ([], [], 0)
            var page = try await client.list(limit: 6)
            seen += page.items
            while let next = page.next {
                round += 1
                try await client.save("https://new.example/\(round)")
                for victim in [seen.last, before.last { !deleted.contains($0.id) }].compactMap({ $0 })
                where deleted.insert(victim.id).inserted {
                    _ = try await client.send(BookmarksAPI.delete, BookmarkReference(victim.id))
                }
                page = try await client.list(limit: 6, after: next)
                seen += page.items
            }
            #expect(Set(seen.map(\.id)).count == seen.count)
            let missed = Set(before.map(\.id)).subtracting(seen.map(\.id))
            #expect(missed.isSubset(of: deleted) && round >= 5)
            #expect(!seen.contains { $0.url.raw.contains("new.example") })
        }
    }

    @Test func theFiltersHoldOnEveryPage() async throws {
        try await withApp { app in
            let client = try await app.signUp()
            for index in 0..<12 {
                try await client.save("https://a.example/\(index)", "Page \(index)", category: index % 2 == 0 ? "Even" : "Odd")
            }
            let first = try await client.list(category: "Even", q: "page", limit: 4)
            let second = try await client.list(category: "Even", q: "page", limit: 4, after: first.next)
            #expect(first.total == 6 && second.next == nil)
            #expect((first.items + second.items).map(\.title.raw) == [10, 8, 6, 4, 2, 0].map { "Page \($0)" })
        }
    }
}
