import Foundation
import MartletBookmarksAPI
import MartletClient
import MartletContract
import MartletCore
import MartletJobs
import MartletJobsAPI
import MartletTestKit
import Synchronization
import Testing

extension NewBookmark {
    static func of(_ url: String, _ title: String? = nil, notes: String? = nil, category: String? = nil, tags: [String]? = nil) throws
        -> NewBookmark
    {
        NewBookmark(
            url: try WebLink(url), title: try title.map { try BookmarkTitle($0) }, notes: try notes.map { try BookmarkNotes($0) },
            category: try category.map { try Category($0) }, tags: try tags.map { try Tags.of($0) })
    }
}

extension Tags {
    static func of(_ names: [String]) throws -> Tags { try Tags(names.map { try Tag($0) }) }
}

extension MartletClient {
    @discardableResult
    func save(_ url: String, _ title: String? = nil, notes: String? = nil, category: String? = nil, tags: [String]? = nil) async throws
        -> Bookmark
    {
        try await send(BookmarksAPI.save, .of(url, title, notes: notes, category: category, tags: tags))
    }

    func list(
        category: String? = nil, tag: String? = nil, q: String? = nil, limit: Int? = nil, after cursor: Cursor? = nil
    ) async throws -> Page<Bookmark> {
        let filter = BookmarkFilter(
            category: try category.map { try Category($0) }, tag: try tag.map { try Tag($0) }, q: try q.map { try SearchWords($0) },
            limit: try limit.map { try PageLimit($0) }, cursor: cursor)
        return try await send(BookmarksAPI.list, filter)
    }

    /// Every bookmark, page after page.
    func everything() async throws -> [Bookmark] {
        var page = try await list(limit: 200)
        var all = page.items
        while let next = page.next {
            page = try await list(limit: 200, after: next)
            all += page.items
        }
        return all
    }

    func search(_ words: String, limit: Int? = nil) async throws -> SearchAnswer {
        try await send(BookmarksAPI.search, TextSearch(SearchWords(words), limit: try limit.map { try PageLimit($0) }))
    }

    /// The titles of what a search finds, best first.
    func found(_ words: String) async throws -> [String] {
        try await search(words).items.map(\.bookmark.title.raw)
    }

    func importFile(_ text: String, as type: String = "text/html") async throws -> ImportReport {
        try await imported(Upload(contentType: type, bytes: Array(text.utf8)))
    }

    func importJSON(_ rows: JSON) async throws -> ImportReport {
        try await imported(Upload(contentType: "application/json", bytes: WireJSON.encode(rows)))
    }

    /// The report of an import that is done at once.
    private func imported(_ file: Upload) async throws -> ImportReport {
        try #require(try await send(BookmarksAPI.import, file).now, "a file that is not long")
    }

    /// The report of an import that a job does.
    func importLater(_ text: String, as type: String = "text/html", in app: TestApp) async throws -> ImportReport {
        let promise = try await send(BookmarksAPI.import, Upload(contentType: type, bytes: Array(text.utf8))).later
        let job = try #require(promise?.job, "a file that is long")
        try await app.runJobs()
        let result = try await send(JobsAPI.find, JobReference(id: job.id)).result
        return try WireJSON.decode(ImportReport.self, from: WireJSON.encode(#require(result)))
    }

    func exported() async throws -> [UInt8] {
        try await send(BookmarksAPI.export).collect(upTo: 64 << 20)
    }
}

/// The Problem that a call is refused with; `nil` when it succeeds.
func refusal(of call: () async throws -> Void) async throws -> Problem? {
    do {
        try await call()
        return nil
    } catch let problem as Problem {
        return problem
    }
}

extension Problem {
    /// Each fault as `place code`.
    var faults: [String] { (errors ?? []).map { "\($0.pointer) \($0.code)" } }
}

/// A clock that is a millisecond later at every look.
final class TickingClock: Sendable {
    private let ticks = Atomic(1_900_000_000_000)

    var reading: WallClock {
        WallClock { Date(timeIntervalSince1970: Double(self.ticks.add(1, ordering: .relaxed).newValue) / 1000) }
    }
}

/// A bookmark file of these entries, each a line of HTML.
func bookmarkFile(_ lines: String...) -> String {
    "<!DOCTYPE NETSCAPE-Bookmark-file-1>\n<TITLE>Bookmarks</TITLE>\n<H1>Bookmarks</H1>\n<DL><p>\n" + lines.joined(separator: "\n")
        + "\n</DL><p>\n"
}

/// A text of that length that does not repeat itself: clients refuse answers that grow too much when they are unpacked.
func varied(_ length: Int) -> String {
    String((0..<length).lazy.map { String($0 &* 2_654_435_761 % 1_000_003, radix: 36) }.joined(separator: " ").prefix(length - 1)) + "."
}
