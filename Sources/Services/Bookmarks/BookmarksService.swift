// MartletBookmarks: saved links that come back when they are needed.

import MartletBookmarksAPI
public import MartletContract
public import MartletCore
public import MartletHTTP
import MartletIdempotency
public import MartletJobs
import MartletJobsAPI
public import MartletService
public import MartletStorage

/// What Bookmarks owns and serves; read it first.
public struct BookmarksService: Service {
    private let database: any Database
    private let enqueuing: Jobs
    private let clock: WallClock

    public init(database: any Database, jobs: Jobs = Jobs(), clock: WallClock = .system) {
        self.database = database
        self.enqueuing = jobs
        self.clock = clock
    }

    public var operations: [NamedOperation] { BookmarksAPI.operations }
    public var jobs: [JobHandler] { [perform(ImportBookmarks.self, with: ())] }
    public var queues: [JobQueue] { [ImportBookmarks.queue] }
    public static var migrations: [Migration] { bookmarkMigrations }

    public var routes: [Route] {
        [
            serve(BookmarksAPI.save, byOneStatementIn: database) { new, caller, queries in
                try await BookmarkStore(queries).insert(try BookmarkDraft(new), owner: caller.id, at: clock.now)
            },
            serve(BookmarksAPI.list) { filter, caller in
                try await store.page(filter, owner: caller.id)
            },
            serve(BookmarksAPI.find) { reference, caller in
                try await store.find(reference.id, owner: caller.id)
            },
            serve(BookmarksAPI.change) { change, caller in
                try await database.transaction { transaction in
                    let store = BookmarkStore(transaction)
                    let bookmark = try await store.find(change.id, owner: caller.id)
                    return try await store.update(bookmark.applying(change), owner: caller.id, at: clock.now)
                }
            },
            serve(BookmarksAPI.delete) { reference, caller in
                try await store.delete(reference.id, owner: caller.id)
                return NoContent()
            },
            serve(BookmarksAPI.import, in: database, preparing: BookmarkFile.entries) { entries, caller, transaction in
                guard entries.count > ImportBookmarks.mostEntriesAtOnce else {
                    return .now(try await BookmarkImport(BookmarkStore(transaction), owner: caller.id, at: clock.now).run(entries))
                }
                let job = ImportBookmarks(entries: entries, owner: caller.id, at: clock.now)
                return .later(AcceptedJob(try await enqueuing.enqueue(job, for: caller.id, in: transaction).id))
            },
            serve(BookmarksAPI.export) { _, caller in
                BookmarkExport(store, owner: caller.id).document
            },
            serve(BookmarksAPI.search) { search, caller in
                try await store.search(search, owner: caller.id)
            },
        ]
    }

    var store: BookmarkStore { BookmarkStore(database) }
}
