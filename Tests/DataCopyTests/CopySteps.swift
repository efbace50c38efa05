import MartletCore
import MartletDataCopy
import MartletStorage
import Synchronization
import Testing

func copy(_ source: any Database, _ target: any Database, batchSize: Int = 100, named name: String = "the source") -> DataCopy {
    DataCopy(
        from: .init(source, named: name), to: .init(target, named: "the target"), tables: CopyTables.all, migrations: CopyTables.migrations,
        batchSize: batchSize)
}

/// A copy's process died.
struct Killed: Error {}

extension DataCopy {
    /// The code of the failure that the copy ends with.
    func result() async -> String? {
        await #expect(throws: Failure.self) { _ = try await run() }?.code
    }
}

/// What a copy reported.
final class Events: Sendable {
    private let kept = Mutex<[CopyEvent]>([])
    var all: [CopyEvent] { kept.withLock { $0 } }
    func note(_ event: CopyEvent) { kept.withLock { $0.append(event) } }
}

func expectEqualCounts(_ source: any Database, _ target: any Database) async throws {
    for table in CopyTables.all {
        let (there, here) = (try await source.count(table.name), try await target.count(table.name))
        #expect(there == here, "\(table.name)")
    }
}
