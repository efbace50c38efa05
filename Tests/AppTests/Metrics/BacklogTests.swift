import MartletApp
import MartletCore
import MartletJobs
import MartletStorage
import MartletTestKit
import MartletTestServers
import MartletTestSupport
import Synchronization
import Testing

/// A database whose answers wait until a gate opens.
private final class HangingDatabase: ForwardingDatabase {
    let inner: any Database
    let gate = Gate()
    let asked = Atomic(0)

    init(_ inner: any Database) { self.inner = inner }

    func all<Row: Decodable & Sendable>(_ row: Row.Type, _ sql: SQL) async throws -> [Row] {
        asked.add(1, ordering: .relaxed)
        await gate.wait()
        return try await inner.all(row, sql)
    }
}

@Suite("The backlog of jobs", .only(.sqlite))
struct Backlog {
    @Test func isNeverWaitedForAndAskedForOnceAtATime() async throws {
        try await withApp { app in
            let database = HangingDatabase(app.app.database)
            let watch = BacklogWatch(database, queues: ["default"])
            for _ in 0..<100 { #expect(watch.latest == nil) }
            try await eventually { database.asked.load(ordering: .relaxed) == 1 }
            for _ in 0..<100 { #expect(watch.latest == nil) }
            await database.gate.open()
            try await eventually { watch.latest?.queues.first?.ready == 0 }
            #expect(database.asked.load(ordering: .relaxed) == 1)
        }
    }
}
