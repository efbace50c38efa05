import MartletCore
import MartletStorage
import MartletTestSupport
import Testing

@testable import MartletPostgres

struct ListeningTests {
    @Test func signalsComeAfterTheCommitAndInOrder() async throws {
        try await UnderTest.run { test in
            let (db, channel) = (test.database, "news of " + test.name)
            var signals = db.signals(on: channel).makeAsyncIterator()
            #expect(await signals.next() == .listening)
            try await db.transaction { tx in
                try await tx.notify(channel, "in the transaction")
                try await test.observer.notify(channel, "beside it")
            }
            struct Undone: Error {}
            await #expect(throws: Undone.self) {
                try await db.transaction { tx in
                    try await tx.notify(channel, "undone")
                    throw Undone()
                }
            }
            for number in 0..<200 { try await test.observer.notify(channel, "\(number)") }
            #expect(await signals.next() == .notified("beside it"))
            #expect(await signals.next() == .notified("in the transaction"))
            for number in 0..<200 { #expect(await signals.next() == .notified("\(number)")) }
        }
    }

    @Test func aLostConnectionListensAgainAndSaysSo() async throws {
        try await UnderTest.run { test in
            let (db, channel) = (test.database, "news of " + test.name)
            var signals = db.signals(on: channel).makeAsyncIterator()
            #expect(await signals.next() == .listening)
            for number in 0..<3 {
                try await test.terminate(test.sessions().filter { $0.query.hasPrefix("LISTEN") }.map(\.pid))
                #expect(await signals.next() == .listening)
                try await test.observer.notify(channel, "\(number)")
                #expect(await signals.next() == .notified("\(number)"))
            }
            try await test.serves()
        }
    }

    @Test func channelsHaveAnyName() async throws {
        try await UnderTest.run { test in
            let db = test.database
            let channels = ["\"quo\"ted\" \(test.name)", "it's; DROP \(test.name)"]
            var first = db.signals(on: channels[0]).makeAsyncIterator()
            var second = db.signals(on: channels[1]).makeAsyncIterator()
            #expect(await first.next() == .listening)
            #expect(await second.next() == .listening)
            try await db.notify(channels[1], "to the second")
            try await db.notify(channels[0], "to the first")
            #expect(await first.next() == .notified("to the first"))
            #expect(await second.next() == .notified("to the second"))
        }
    }

    @Test func itEndsWithTheDatabase() async throws {
        try await UnderTest.run { test in
            var signals = test.database.signals(on: "news").makeAsyncIterator()
            #expect(await signals.next() == .listening)
            await test.database.close()
            #expect(await signals.next() == nil)
            try await eventually { try await test.sessions().isEmpty }
        }
    }

    @Test func whoBeginsWhileTheDatabaseIsClosedEndsAtOnce() async throws {
        try await UnderTest.run { test in
            let engine = test.database.engine
            let lease = try await engine.borrow(for: nil, begin: nil)
            let closing = Task { await test.database.close() }
            try await eventually {
                do {
                    _ = try await test.database.first(Int.self, "SELECT 1")
                    return false
                } catch let failure as Failure { return failure.code == "database_closed" }
            }
            let (heard, listener) = AsyncStream.makeStream(of: PostgresSignal.self)
            engine.listen(lease, listener)
            for await signal in heard { Issue.record("\(signal)") }
            engine.giveBack(lease)
            await closing.value
        }
    }

    @Test func aListenerWhoGoesGivesItsConnectionBack() async throws {
        try await UnderTest.run(.unshared(1)) { test in
            let db = test.database
            let listener = Task {
                for await _ in db.signals(on: "news") {}
            }
            try await eventually { try await test.sessions().contains { $0.query.hasPrefix("LISTEN") } }
            listener.cancel()
            await listener.value
            try await test.serves()
            try await test.comesToRest()
            #expect(try await test.sessions().allSatisfy { !$0.query.hasPrefix("LISTEN") })
        }
    }
}

extension Queries {
    fileprivate func notify(_ channel: String, _ payload: String) async throws {
        _ = try await change("SELECT pg_notify(\(channel), \(payload))")
    }
}
