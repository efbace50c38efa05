import Foundation
import MartletApp
import MartletAudit
import MartletAuditAPI
import MartletCore
import MartletDataCopy
import MartletJobs
import MartletSettings
import MartletStorage
import MartletTestKit
import MartletTestSupport
import Testing

@testable import MartletAudit

@Suite("Rows of the audit log", .oneInstance)
struct RowsOfTheAuditLog {
    @Test func areRemovedWhenTheyAreOldAndTheChainStaysWhole() async throws {
        let clock = MovableClock()
        try await withApp(clock: clock.reading, change: { $0.auditRetention = .seconds(86_400) }) { app in
            try await app.recordAtOnce(1_200)
            clock.advance(by: .seconds(86_400 - 60))
            try await app.recordSome(3)
            #expect(try await app.prune() == 0)
            clock.advance(by: .seconds(120))
            #expect(try await app.prune() == 1_200)
            let rows = try await app.audited("test.done")
            #expect(rows.map(\.sequence) == [1_201, 1_202, 1_203])
            let finding = try #require(try await app.verifyAudit().first)
            #expect(finding.fault == nil && finding.rows == 3 && finding.head.sequence == 1_203)

            clock.advance(by: .seconds(2 * 86_400))
            #expect(try await app.prune() == 3)
            #expect(try await app.auditFault() == nil)
            try await app.recordSome(1)
            #expect(try await app.audited("test.done").map(\.sequence) == [1_204])
            #expect(try await app.auditFault() == nil)
        }
    }

    @Test func goWithACopyOfTheData() async throws {
        try await withApp(clock: MovableClock().reading) { app in
            _ = try await app.token("ada")
            try await app.recordSome(20)
            let url = DatabaseURL.sqlite(path: app.folder + "/copy.db")
            let copy = try App.database(at: url, app.app.settings, logger: .silent)
            let data = DataCopy(
                from: .init(app.app.database, named: "source"), to: .init(copy, named: "target"), tables: App.tables,
                migrations: App.migrations)
            #expect(try await data.run(migrating: true).isComplete)
            let findings = try await AuditVerifier(copy, keys: AuditKeys(app.app.settings)).verify()
            #expect(findings.map(\.rows) == [21] && findings.allSatisfy { $0.fault == nil })
            await copy.close()
        }
    }
}

extension TestApp {
    /// Prunes as the job does, until nothing is left to do.
    fileprivate func prune() async throws -> Int {
        let service = try #require(app.services.compactMap { $0 as? AuditService }.first)
        let before = try await audited("test.done").count
        let worker = JobWorker(app.database, jobs: Jobs(), handlers: service.jobs, logger: .silent)
        try await app.database.transaction { _ = try await Jobs().enqueue(PruneAudit(), in: $0) }
        #expect(try await worker.runDue() == 1)
        return before - (try await audited("test.done").count)
    }
}
