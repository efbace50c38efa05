import Foundation
import MartletBookmarksAPI
import MartletClient
import MartletContract
import MartletTestKit
import NIOHTTP1
import Testing

@testable import MartletBookmarks

@Suite(.everyDatabase) struct ExportingBookmarks {
    @Test func anotherAccountImportsTheSameBookmarks() async throws {
        try await withApp { app in
            let (ada, grace) = (try await app.signUp("ada"), try await app.signUp("grace"))
            _ = try await ada.importJSON([
                ["url": "https://a.example/?a=1&b=<2>".json, "title": "Broken"],
                ["url": "https://a.example/?a=1&b='2'", "title": "A <b> & \"c\" 'd'", "saved_at": 1_600_000_000],
                [
                    "url": "https://b.example", "notes": "Two\nlines\n\n<DT> & &amp; </DL>", "category": "Ünï <&>",
                    "tags": ["x", "two words"], "saved_at": 1_600_000_001,
                ],
                ["url": "https://c.example/日本?q=ü", "title": "日本語 😀", "category": "Ünï <&>", "saved_at": 1_600_000_002],
                ["url": "https://d.example", "title": "</A><script>alert(1)</script>", "tags": ["one tag"], "saved_at": 1_600_000_003],
            ])
            let originals = try await ada.everything()
            let file = try await ada.exported()
            let report = try await grace.importFile(String(decoding: file, as: UTF8.self))
            #expect(originals.count == 4 && report.added == 4 && report.total == 4)
            #expect(try await grace.everything().map(Content.init) == originals.map(Content.init))
            #expect(try await grace.exported() == file)
        }
    }

    @Test func theFileIsSentInPiecesAndOffersItsName() async throws {
        try await withApp { app in
            let token = try await app.token()
            _ = try await app.raw(.POST, "/api/v1/bookmarks", token: token, json: #"{"url":"https://a.example"}"#)
            let answer = try await app.raw(.GET, "/api/v1/bookmarks/export", token: token)
            #expect(answer.status == 200)
            #expect(answer.headers.first(name: "Content-Type") == "text/html; charset=utf-8")
            #expect(answer.headers.first(name: "Content-Disposition")?.contains("bookmarks.html") == true)
            #expect(answer.headers.first(name: "Transfer-Encoding") == "chunked" && !answer.headers.contains(name: "Content-Length"))
            #expect(answer.text.hasPrefix("<!DOCTYPE NETSCAPE-Bookmark-file-1>"))
        }
    }

    @Test func twoThousandBookmarksAreAllInTheFile() async throws {
        try await withApp { app in
            let client = try await app.signUp()
            // Batches end within categories, at their ends, and among bookmarks of the same moment.
            let rows = (0..<2_000).map { index -> JSON in
                [
                    "url": .string("https://a.example/\(index)"),
                    "category": .string(index < 1_000 ? "Half" : index < 1_500 ? "" : "C\(index % 7)"),
                    "saved_at": .number("\(1_600_000_000 + index / 600)"),
                ]
            }
            let file = String(decoding: try WireJSON.encode(JSON.array(rows)), as: UTF8.self)
            #expect(try await client.importLater(file, as: "application/json", in: app).added == 2_000)
            let entries = try NetscapeFile.entries(in: try await client.exported())
            #expect(entries.count == 2_000)
            #expect(Set(entries.map(\.url)) == Set((0..<2_000).map { "https://a.example/\($0)" }))
            #expect(entries.count { $0.category == "Half" } == 1_000 && entries.count { $0.category == nil } == 500)
        }
    }

    @Test func nothingIsExportedAsAnEmptyFile() async throws {
        try await withApp { app in
            let client = try await app.signUp()
            let file = try await client.exported()
            #expect(try NetscapeFile.entries(in: file).isEmpty)
            #expect(try await client.importFile(String(decoding: file, as: UTF8.self)).total == 0)
        }
    }
}

/// Real exports of browsers, from `MARTLET_FIXTURES`, else `../shared/data`.
@Suite(.everyDatabase, .enabled(if: !RealFiles.all.isEmpty)) struct ImportingRealExports {
    @Test(arguments: RealFiles.all)
    func everyEntryIsStoredOrAccountedFor(_ file: URL) async throws {
        try await withApp { app in
            let (ada, grace) = (try await app.signUp("ada"), try await app.signUp("grace"))
            let text = String(decoding: try Data(contentsOf: file), as: UTF8.self)
            guard !text.isEmpty else {
                let problem = try await refusal { _ = try await ada.importFile(text) }
                #expect(problem?.status == 400 && problem?.code == "body_missing")
                return
            }
            let report = try await ada.importFile(text)
            #expect(report.added > 0 && report.added + report.skipped + report.updated == report.total)
            let entries = try NetscapeFile.entries(in: Array(text.utf8))
            #expect(report.total == entries.count)
            let originals = try await ada.everything()
            #expect(originals.count == report.added)
            #expect(try await ada.importFile(text).added == 0)
            #expect(try await grace.importFile(String(decoding: try await ada.exported(), as: UTF8.self)).added == originals.count)
            #expect(Set(try await grace.everything().map(Content.init)) == Set(originals.map(Content.init)))
        }
    }
}

private enum RealFiles {
    static let all: [URL] = {
        let packageRoot = URL(filePath: #filePath).appending(path: "../../..").standardizedFileURL
        let configured = ProcessInfo.processInfo.environment["MARTLET_FIXTURES"].map { URL(filePath: $0) }
        let folder = (configured ?? packageRoot.appending(path: "../shared/data").standardizedFileURL).appending(path: "bookmarks")
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        return names.filter { $0.hasSuffix(".htm") }.sorted().map { folder.appending(path: $0) }
    }()
}

/// What of a bookmark survives in a file; dates there are whole seconds.
private struct Content: Hashable {
    let texts: [String?]
    let tags: [String]
    let second: Double

    init(_ bookmark: Bookmark) {
        texts = [bookmark.url.raw, bookmark.title.raw, bookmark.notes?.raw, bookmark.category?.raw]
        tags = bookmark.tags.all.map(\.raw)
        second = bookmark.savedAt.timeIntervalSince1970.rounded(.down)
    }
}

extension String {
    fileprivate var json: JSON { .string(self) }
}
