import Foundation
import Logging
import MartletCore
import MartletJobs
import MartletJobsAPI
import MartletPostgres
import MartletStorage
import MartletTestServers
import MartletTestSupport
import Testing

@Suite struct Outages {
    @Test func whateverConnectionsBreakEverythingIsDoneOnce() async throws {
        try await withPostgresSchema { url in
            let name = "outage \(UUID())"
            let database = try PostgresDatabase(
                url: url, settings: PostgresSettings(poolSize: 4, maxOverflow: 0, applicationName: name), logger: .silent)
            let witness = Instance(database: try PostgresDatabase(url: url, logger: .silent), time: TestTime())
            let outcome = await Result { try await work(on: database, seenBy: witness, breaking: name) }
            await database.close()
            await witness.database.close()
            try outcome.get()
        }
    }

    private func work(on database: any Database, seenBy witness: Instance, breaking name: String) async throws {
        _ = try await Migrator(witness.database, Outbox.migrations + JobTables.migrations + Instance.migrations).apply()
        let names = (100..<250).map { "\($0)" }
        try await witness.database.transaction { transaction in
            for name in names { try await witness.jobs.enqueue(Eager(name: name), for: Identifier(), in: transaction) }
            for name in names { try await witness.jobs.enqueue(Strange(name: name), in: transaction) }
        }
        let journal = Journal()
        let finishing = tell(Eager.self) { eager, work in
            defer { journal.note(eager.name) }
            return try await work.finish { try await $0.leave(eager.name) }
        }
        let worker = Instance(database: database, time: witness.time).worker([finishing, tell(Strange.self) { _, _ in .done }])
        try await worker.whileRunning {
            for round in 1...10 {
                try await eventually { journal.entries.count >= round * 12 }
                try await witness.database.change("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = \(name)")
            }
            try await eventually {
                // Failed attempts wait for a time that stands still unless it is moved on.
                witness.time.advance(by: .milliseconds(50))
                return try await witness.count(of: .done) == 2 * names.count
            }
        }
        #expect(try await witness.effects == names)
    }
}
