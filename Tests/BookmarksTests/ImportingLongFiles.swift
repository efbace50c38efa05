import MartletBookmarksAPI
import MartletClient
import MartletContract
import MartletCore
import MartletJobs
import MartletJobsAPI
import MartletTestKit
import Testing

/// Files of more links than a request takes are imported by a job.
@Suite(.everyDatabase) struct ImportingLongFiles {
    @Test func aJobStoresAllLinksAndReportsThem() async throws {
        try await withApp { app in
            let client = try await app.signUp()
            let report = try await client.importLater(file(1_200, twice: 3, broken: 2), as: "application/json", in: app)
            #expect(report.total == 1_205 && report.added == 1_200 && report.skipReasons.duplicate == 3)
            #expect(report.skipReasons.invalidScheme == 2 && report.errors == 2)
            #expect(report.errorDetails.map(\.entry) == [1_204, 1_205])
            #expect(try await client.everything().count == 1_200)
        }
    }

    @Test func aThousandLinksAreImportedAtOnce() async throws {
        try await withApp { app in
            let client = try await app.signUp()
            // The mail to the new account.
            try await app.runJobs()
            #expect(try await client.importFile(file(1_000), as: "application/json").added == 1_000)
            let attempts = try await app.runJobs()
            #expect(attempts == 0)
        }
    }

    @Test func nothingIsStoredBeforeTheJobRunsAndABadFileIsRefusedAtOnce() async throws {
        try await withApp { app in
            let client = try await app.signUp()
            let promise = try await client.send(BookmarksAPI.import, upload(file(1_001))).later
            let job = try #require(promise?.job)
            #expect(try await client.everything().isEmpty)
            let waiting = try await client.send(JobsAPI.find, JobReference(id: job.id))
            #expect(waiting.state == .ready && waiting.kind == "bookmarks.import" && waiting.result == nil)
            let problem = try await refusal { _ = try await client.send(BookmarksAPI.import, upload(String(repeating: "[", count: 2_000))) }
            #expect(problem?.status == 400)
        }
    }

    @Test func whoFollowsTheJobHearsHowFarItIsAndItsEnd() async throws {
        try await withApp { app in
            let client = try await app.signUp()
            let promise = try await client.send(BookmarksAPI.import, upload(file(1_500))).later
            let job = try #require(promise?.job)
            async let states = followed(JobReference(id: job.id), by: client)
            try await app.runJobs()
            let heard = try await states
            #expect(heard.first != nil && heard.last == .done)
        }
    }

    @Test func aCancelledImportStoresNothingMore() async throws {
        try await withApp { app in
            let client = try await app.signUp()
            // The mail to the new account.
            try await app.runJobs()
            let promise = try await client.send(BookmarksAPI.import, upload(file(1_001))).later
            let job = JobReference(id: try #require(promise?.job).id)
            #expect(try await client.send(JobsAPI.cancel, job).state == .cancelled)
            let attempts = try await app.runJobs()
            #expect(attempts == 0)
            #expect(try await client.everything().isEmpty)
        }
    }

    private func followed(_ job: JobReference, by client: MartletClient) async throws -> [JobState] {
        var states: [JobState] = []
        for try await event in try client.events(JobsAPI.events, job) { states.append(event.data.state) }
        return states
    }

    private func upload(_ text: String) -> Upload { Upload(contentType: "application/json", bytes: Array(text.utf8)) }

    private func file(_ count: Int, twice: Int = 0, broken: Int = 0) -> String {
        let rows = (0..<count).map { "{\"url\":\"https://a.example/\($0)\"}" }
        let bad = (0..<broken).map { "{\"url\":\"gopher://a.example/\($0)\"}" }
        return "[\((rows + rows.prefix(twice) + bad).joined(separator: ","))]"
    }
}
