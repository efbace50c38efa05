import MartletBookmarksAPI
import MartletClient
import MartletContract
import MartletCore
import MartletIdentityAPI
import MartletTestKit
import Testing

@Suite(.everyDatabase) struct CallingByDeclaration {
    @Test func aCallReturnsTheOutputOfItsEndpoint() async throws {
        try await withApp { app in
            let client = try await app.signUp()
            let saved = try await client.send(BookmarksAPI.save, NewBookmark(url: try WebLink("https://swift.org/about")))
            #expect(saved.url.raw == "https://swift.org/about")
            #expect(try await client.send(BookmarksAPI.find, BookmarkReference(saved.id)) == saved)
            #expect(try await client.send(BookmarksAPI.list, BookmarkFilter(limit: try PageLimit(1))).items == [saved])
            #expect(try await client.send(BookmarksAPI.delete, BookmarkReference(saved.id)) == NoContent())
        }
    }

    @Test func aRefusedCallThrowsTheProblem() async throws {
        try await withApp { app in
            let client = try await app.signUp()
            let problem = try await refusal { _ = try await client.send(BookmarksAPI.find, BookmarkReference(Bookmark.ID())) }
            #expect(problem?.status == 404)
            #expect(problem?.code == "bookmark_not_found")
            #expect(problem?.requestId.isEmpty == false)
        }
    }

    @Test func theProblemListsTheFaults() async throws {
        try await withApp { app in
            let registration = Registration(
                email: try EmailAddress("ada@example.org"), username: try Username("ada"), password: try Password("password"))
            let problem = try await refusal { _ = try await app.client.send(AccountsAPI.register, registration) }
            #expect(problem?.errors?.map(\.code) == ["password_too_common"])
        }
    }

    @Test func whatNeedsEscapingArrivesAsItWas() async throws {
        try await withApp { app in
            let client = try await app.signUp()
            let tag = try Tag("C++ & c#/%41?=é🐦")
            let link = NewBookmark(url: try WebLink("https://swift.org"), tags: try Tags([tag]))
            let saved = try await client.send(BookmarksAPI.save, link)
            #expect(saved.tags.all == [tag])
            #expect(try await client.send(BookmarksAPI.list, BookmarkFilter(tag: tag)).items == [saved])
        }
    }

    @Test func aChangeSaysAbsentNullAndValueApart() async throws {
        try await withApp { app in
            let client = try await app.signUp()
            let (notes, category) = (try BookmarkNotes("a note"), try Category("reading"))
            let saved = try await client.send(BookmarksAPI.save, NewBookmark(url: try WebLink("https://swift.org"), notes: notes))
            let set = try await client.send(BookmarksAPI.change, BookmarkChange(saved.id, category: .set(category)))
            #expect(set.notes == notes, "Absent means unchanged.")
            #expect(set.category == category)
            let cleared = try await client.send(BookmarksAPI.change, BookmarkChange(saved.id, notes: .cleared))
            #expect(cleared.notes == nil)
            #expect(cleared.category == category)
            #expect(cleared.url == saved.url)
        }
    }

    @Test func aDocumentIsReadPieceByPiece() async throws {
        try await withApp { app in
            let client = try await app.signUp()
            _ = try await client.send(BookmarksAPI.save, NewBookmark(url: try WebLink("https://swift.org/about")))
            let document = try await client.send(BookmarksAPI.export)
            #expect(document.contentType.hasPrefix("text/html"))
            #expect(String(decoding: try await document.collect(upTo: 1 << 20), as: UTF8.self).contains("https://swift.org/about"))
            let tooLong = try await client.send(BookmarksAPI.export)
            await #expect(throws: DocumentTooLong.self) { try await tooLong.collect(upTo: 10) }
        }
    }

    @Test func anUploadIsSentAsItIs() async throws {
        try await withApp { app in
            let client = try await app.signUp()
            let file = #"[{"url": "https://swift.org"}, {"url": "ftp://no"}]"#
            let answer = try await client.send(BookmarksAPI.import, Upload(contentType: "application/json", bytes: Array(file.utf8)))
            #expect(answer.now?.total == 2)
            #expect(answer.now?.added == 1)
        }
    }
}
