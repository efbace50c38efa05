import Foundation
import MartletBookmarksAPI
import MartletContract
import MartletCore

/// All of an owner's bookmarks as a file that browsers import, read and sent a batch at a time: the receiver's pace is the reader's.
///
/// Categories become folders. Bookmarks saved or deleted meanwhile may be in it or not; no other is missed or repeated.
struct BookmarkExport: Sendable {
    private static let batch = 500
    private let store: BookmarkStore
    private let owner: Identifier<Account>

    init(_ store: BookmarkStore, owner: Identifier<Account>) {
        self.store = store
        self.owner = owner
    }

    var document: Document {
        let source = Source(store: store, owner: owner)
        return Document(
            contentType: "text/html; charset=utf-8", fileName: "bookmarks.html",
            pieces: AsyncThrowingStream { try await source.next() })
    }

    private actor Source {
        private let store: BookmarkStore
        private let owner: Identifier<Account>
        private var writer = NetscapeWriter()
        private var categories: [String?]?
        private var last: Bookmark?
        private var isDone = false

        init(store: BookmarkStore, owner: Identifier<Account>) {
            self.store = store
            self.owner = owner
        }

        /// The next piece; `nil` after the last one.
        func next() async throws -> [UInt8]? {
            guard !isDone else { return nil }
            guard var open = categories else {
                categories = try await store.categories(owner: owner)
                return Array(NetscapeWriter.header.utf8)
            }
            guard let category = open.first else {
                isDone = true
                return Array(writer.footer().utf8)
            }
            let bookmarks = try await store.export(category, after: last, limit: BookmarkExport.batch, owner: owner)
            last = bookmarks.last
            if bookmarks.count < BookmarkExport.batch {
                open.removeFirst()
                (categories, last) = (open, nil)
            }
            return bookmarks.flatMap { Array(writer.lines(for: NetscapeFile.Entry($0)).utf8) }
        }
    }
}

extension NetscapeFile.Entry {
    fileprivate init(_ bookmark: Bookmark) {
        self.init(
            url: bookmark.url.raw, title: bookmark.title.raw, notes: bookmark.notes?.raw, tags: bookmark.tags.all.map(\.raw),
            addedAt: bookmark.savedAt, folders: bookmark.category.map { [$0.raw] } ?? [])
    }
}
