import Foundation
import MartletApp
import MartletBookmarksAPI
import MartletClient
import MartletContract
import MartletCore
import MartletHTTP
import MartletJobs
import MartletJobsAPI
import MartletService
import MartletStorage
import MartletTestKit
import MartletTestSupport
import Testing

/// The code of docs/adding-a-job.md, as it would stand in the Bookmarks service.
enum TidyingBookmarks {
    // guide:job
    /// Deletes the bookmarks that somebody saved before a day.
    struct TidyBookmarks: Job {
        static let name = "bookmarks.tidy"
        static let policy = JobPolicy(retry: RetryPolicy(attempts: 5), timeout: .seconds(60), unique: .untilFinished)

        let owner: Identifier<Account>
        let before: Date

        var uniqueKey: String { "\(owner)" }

        func run(_ work: Work<TidyBookmarks>, with _: BookmarksService) async throws -> Outcome {
            try await work.finish { transaction in
                let deleted = try await transaction.change("DELETE FROM bookmark WHERE owner_id = \(owner) AND saved_at < \(before)")
                return Tidied(deleted: deleted)
            }
        }
    }

    /// What became of it.
    struct Tidied: Codable, Sendable, Equatable {
        var deleted: Int
    }
    // end

    struct BookmarksAPI: API {
        static let shared = BookmarksAPI()
        static let name = "bookmarks"

        // guide:declaration
        public let tidy = Endpoint<Tidying, AcceptedJob>.post(
            "/api/v1/bookmarks/tidy", "Delete old bookmarks", allow: .permission("bookmarks:write"), returns: .accepted)
        // end
    }

    struct Tidying: Codable, Sendable {
        var before: Date
    }

    struct BookmarksService: Service {
        let database: any Database
        let enqueuing: Jobs

        var operations: [NamedOperation] { BookmarksAPI.operations }
        static var migrations: [Migration] { [] }
        static var tables: [StoredTable] { [] }

        // guide:performing
        var jobs: [JobHandler] { [perform(TidyBookmarks.self, with: self)] }
        // end

        var routes: [Route] {
            [
                // guide:enqueuing
                serve(BookmarksAPI.tidy) { tidying, caller in
                    try await database.transaction { transaction in
                        let job = TidyBookmarks(owner: caller.id, before: tidying.before)
                        return AcceptedJob(try await enqueuing.enqueue(job, for: caller.id, in: transaction).id)
                    }
                }
                // end
            ]
        }
    }

    // guide:schedule
    /// Enqueues a job every night at three, in Berlin.
    static let nightly = schedule("bookmarks.tidy_all", .cron("0 3 * * *", in: "Europe/Berlin", missed: .once)) { TidyAll() }
    // end

    struct TidyAll: Job {
        static let name = "bookmarks.tidy_all"

        func run(_ work: Work<TidyAll>, with _: Void) async throws -> Outcome { .done }
    }
}

@Suite("Adding a job", .everyDatabase)
struct AddingAJob {
    private typealias Saving = MartletBookmarksAPI.BookmarksAPI
    private typealias BookmarksAPI = TidyingBookmarks.BookmarksAPI

    @Test func takesADeclarationAndAHandler() async throws {
        try await withApp { app in
            let service = TidyingBookmarks.BookmarksService(database: app.app.database, enqueuing: Jobs())
            try service.checkRoutes()
            try await app.serving(service.routes) { baseURL in
                let client = MartletClient(baseURL: baseURL)
                try await client.register(.of("ada"))
                _ = try await client.send(Saving.save, NewBookmark(url: WebLink("https://www.swift.org/")))
                let input = TidyingBookmarks.Tidying(before: Date().addingTimeInterval(60))
                // guide:call
                let accepted = try await client.send(BookmarksAPI.tidy, input)
                // end
                // guide:test
                let worker = JobWorker(app.app.database, jobs: Jobs(), handlers: service.jobs, logger: .silent)
                #expect(try await worker.runDue() == 1)

                let status = try await client.send(JobsAPI.find, JobReference(id: accepted.job.id))
                #expect(status.state == .done)
                #expect(status.result?["deleted"] == 1)
                // end
                #expect(try await client.send(Saving.list, BookmarkFilter()).items.isEmpty)
            }
        }
    }

    @Test func isToldInTheGuideWithTheCodeAbove() throws {
        let guide = try Guide.blocks(of: Checkout.text("docs/adding-a-job.md"))
        let source = try Guide.parts(of: Checkout.text("Tests/AppTests/Guides/AddingAJob.swift"))
        #expect(guide.keys.sorted() == source.keys.sorted())
        for (name, text) in source { #expect(guide[name] == text, "\(name)") }
    }
}
