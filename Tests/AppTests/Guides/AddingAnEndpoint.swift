import MartletApp
import MartletBookmarksAPI
import MartletClient
import MartletContract
import MartletCore
import MartletHTTP
import MartletIdentityAPI
import MartletService
import MartletStorage
import MartletTestKit
import Testing

/// The code of docs/adding-an-endpoint.md, as it would stand in the Bookmarks service.
enum CountingBookmarks {
    struct BookmarksAPI: API {
        static let shared = BookmarksAPI()
        static let name = "bookmarks"

        // guide:declaration
        public let count = Endpoint<NoContent, BookmarkCount>.get(
            "/api/v1/bookmarks/count", "Count one's bookmarks", allow: .permission("bookmarks:read"))
        // end
    }

    // guide:answer
    /// How many bookmarks there are.
    public struct BookmarkCount: Codable, Sendable, Equatable {
        public var total: Int

        public init(total: Int) {
            self.total = total
        }
    }
    // end

    struct BookmarksService: Service {
        let database: any Database

        var operations: [NamedOperation] { BookmarksAPI.operations }
        static var migrations: [Migration] { [] }
        static var tables: [StoredTable] { [] }

        var routes: [Route] {
            [
                // guide:handler
                serve(BookmarksAPI.count) { _, caller in
                    let total = try await database.first(Int.self, "SELECT count(*) FROM bookmark WHERE owner_id = \(caller.id)")
                    return BookmarkCount(total: total ?? 0)
                }
                // end
            ]
        }
    }
}

@Suite("Adding an endpoint", .everyDatabase)
struct AddingAnEndpoint {
    private typealias Saving = MartletBookmarksAPI.BookmarksAPI
    private typealias BookmarksAPI = CountingBookmarks.BookmarksAPI

    @Test func takesADeclarationAndAHandler() async throws {
        try await withApp { app in
            let service = CountingBookmarks.BookmarksService(database: app.app.database)
            try service.checkRoutes()
            try await app.serving(service.routes) { baseURL in
                let client = try await signUp(at: baseURL, "ada")
                let other = try await signUp(at: baseURL, "grace")
                for link in ["https://example.org/a", "https://example.org/b"] {
                    _ = try await other.send(Saving.save, NewBookmark(url: WebLink(link)))
                }
                _ = try await client.send(Saving.save, NewBookmark(url: WebLink("https://www.swift.org/")))
                // guide:call
                let count = try await client.send(BookmarksAPI.count)
                #expect(count.total == 1)
                // end
            }
        }
    }

    @Test func asksForTheDeclaredPermission() async throws {
        try await withApp { app in
            let service = CountingBookmarks.BookmarksService(database: app.app.database)
            try await app.serving(service.routes) { baseURL in
                let stranger = MartletClient(baseURL: baseURL)
                let problem = await #expect(throws: Problem.self) { try await stranger.send(BookmarksAPI.count) }
                #expect(problem?.code == "authentication_required")
            }
        }
    }

    @Test func failsToStartWithoutAHandler() throws {
        #expect(throws: UnservedEndpoints.self) { try WithoutHandler().checkRoutes() }
    }

    @Test func isToldInTheGuideWithTheCodeAbove() throws {
        let guide = try Guide.blocks(of: Checkout.text("docs/adding-an-endpoint.md"))
        let source = try Guide.parts(of: Checkout.text("Tests/AppTests/Guides/AddingAnEndpoint.swift"))
        #expect(guide.keys.sorted() == source.keys.sorted())
        for (name, text) in source { #expect(guide[name] == text, "\(name)") }
    }

    private func signUp(at baseURL: String, _ name: String) async throws -> MartletClient {
        let client = MartletClient(baseURL: baseURL)
        try await client.register(.of(name))
        return client
    }

    private struct WithoutHandler: Service {
        var operations: [NamedOperation] { BookmarksAPI.operations }
        static var migrations: [Migration] { [] }
        static var tables: [StoredTable] { [] }
        var routes: [Route] { [] }
    }
}
