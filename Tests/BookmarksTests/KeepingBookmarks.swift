import Foundation
import MartletBookmarksAPI
import MartletClient
import MartletContract
import MartletIdentityAPI
import MartletSettings
import MartletTestKit
import Testing

@Suite(.everyDatabase) struct KeepingBookmarks {
    @Test func whatWasAcknowledgedIsThereAfterARestart() async throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        let settings = try folder.settings()
        let kept = Kept()
        try await withRunningApp(settings, folder: folder.path) { app in
            await kept.keep(try await Self.write(with: try await app.signUp()))
        }
        try await withRunningApp(settings, folder: folder.path) { app in
            try await Self.check(app, has: await kept.bookmarks)
        }
    }

    /// The files of a server that runs are what a killed one leaves: nothing was written back or closed.
    @Test(.only(.sqlite)) func whatWasAcknowledgedIsInTheFilesOfAServerThatIsKilled() async throws {
        let (folder, left) = (try TemporaryFolder(), try TemporaryFolder())
        defer { folder.remove() }
        defer { left.remove() }
        let kept = Kept()
        try await withRunningApp(try folder.settings(), folder: folder.path) { app in
            await kept.keep(try await Self.write(with: try await app.signUp()))
            for name in try FileManager.default.contentsOfDirectory(atPath: folder.path)
            where name.hasPrefix("martlet.db") && !name.hasSuffix("-shm") {
                try FileManager.default.copyItem(atPath: "\(folder.path)/\(name)", toPath: "\(left.path)/\(name)")
            }
        }
        try await withRunningApp(try left.settings(), folder: left.path) { app in
            try await Self.check(app, has: await kept.bookmarks)
        }
    }

    private static func write(with client: MartletClient) async throws -> [Bookmark] {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for index in 0..<30 { group.addTask { try await client.save("https://a.example/\(index)", "Title \(index)") } }
            try await group.waitForAll()
        }
        _ = try await client.importFile(bookmarkFile("<DT><A HREF=\"https://b.example/\">Imported</A>"))
        let all = try await client.everything()
        _ = try await client.send(BookmarksAPI.change, BookmarkChange(all[3].id, notes: .set(try BookmarkNotes("Changed"))))
        _ = try await client.send(BookmarksAPI.delete, BookmarkReference(all[4].id))
        return try await client.everything()
    }

    private static func check(_ app: TestApp, has bookmarks: [Bookmark]) async throws {
        let client = app.client
        _ = try await client.logIn(Login(login: try LoginName("ada"), password: try GivenPassword(Registration.password)))
        #expect(bookmarks.count == 30)
        #expect(try await client.everything() == bookmarks)
        #expect(try await client.search("changed").total == 1)
        #expect(try await client.search("title").total == bookmarks.count { $0.title.raw.hasPrefix("Title") })
    }

    private actor Kept {
        private(set) var bookmarks: [Bookmark] = []
        func keep(_ bookmarks: [Bookmark]) { self.bookmarks = bookmarks }
    }
}
