import Foundation
import MartletBookmarksAPI
import MartletCore
import MartletJobs
import MartletStorage

/// The import of a file that is too long for a request: some entries at a time, each part committed with how far the import has come.
struct ImportBookmarks: Job {
    static let name = "bookmarks.import"
    static let policy = JobPolicy(queue: queue.name, retry: RetryPolicy(attempts: 10), timeout: .seconds(900))
    static let queue = JobQueue("bookmarks.import", concurrency: 2)

    /// A longer file is imported by a job.
    static let mostEntriesAtOnce = 1_000
    private static let part = 250

    let entries: [ImportedEntry]
    let owner: Identifier<Account>
    /// When the file came: the time of entries that have none of their own.
    let at: Date

    struct Checkpoint: Codable, Sendable {
        var done = 0
        var report: ImportReport
    }

    func run(_ work: Work<ImportBookmarks>, with _: Void) async throws -> Outcome {
        var state = work.checkpoint ?? Checkpoint(report: ImportReport(total: entries.count))
        while entries.count - state.done > Self.part {
            work.report(Double(state.done) / Double(entries.count), "\(state.done) of \(entries.count) links")
            state = try await work.save { [state] transaction in
                let next = state.done + Self.part
                return Checkpoint(done: next, report: try await store(state.done..<next, after: state.report, in: transaction))
            }
        }
        return try await work.finish { [state] transaction in
            try await store(state.done..<entries.count, after: state.report, in: transaction)
        }
    }

    private func store(_ part: Range<Int>, after report: ImportReport, in transaction: any Transaction) async throws -> ImportReport {
        try await BookmarkImport(BookmarkStore(transaction), owner: owner, at: at).run(entries, part, after: report)
    }
}
