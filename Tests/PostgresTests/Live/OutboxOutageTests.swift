import MartletStorage
import MartletTestSupport
import Synchronization
import Testing

struct OutboxOutageTests {
    @Test func whatIsCommittedWhileTheTailHasNoConnectionComesAfterwards() async throws {
        try await UnderTest.run { test in
            try await Migrator(test.observer, Outbox.migrations).apply()
            let (seen, tail) = (Seen(), OutboxTail(test.database, pollEvery: .milliseconds(20), logger: .silent))
            tail.subscribe("news") { entry in seen.keys.withLock { $0.append(entry.key) } }
            let running = Task { await tail.run() }
            await tail.hasBegun()
            try await test.whileNobodyConnects {
                for key in 0..<1500 {
                    try await test.observer.transaction { try await Outbox.append("news", key: "\(key)", 0, in: $0) }
                }
                #expect(seen.keys.withLock { $0.count } < 1500)
            }
            try await eventually { seen.keys.withLock { $0.count } >= 1500 }
            running.cancel()
            await running.value
            #expect(seen.keys.withLock { $0 } == (0..<1500).map { "\($0)" })
        }
    }

    private final class Seen: Sendable {
        let keys = Mutex<[String]>([])
    }
}

extension UnderTest {
    /// Runs `body` while the database's sessions are ended again and again, as fast as they are opened.
    fileprivate func whileNobodyConnects(_ body: () async throws -> Void) async throws {
        try await terminate(sessions().map(\.pid))
        let killer = Task {
            while !Task.isCancelled { try await terminate(sessions().map(\.pid)) }
        }
        let outcome = await Result { try await body() }
        killer.cancel()
        _ = await killer.result
        try outcome.get()
    }
}
