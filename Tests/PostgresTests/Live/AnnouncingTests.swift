import MartletStorage
import MartletTestServers
import MartletTestSupport
import Testing

@testable import MartletPostgres

/// What is committed by one process wakes those who wait in another.
struct AnnouncingTests {
    @Test func aCommitWakesTheOtherProcesses() async throws {
        try await UnderTest.run { test in
            var news = try await test.listen(to: "news")
            for _ in 0..<20 {
                try await test.observer.transaction { tx in
                    tx.announce("weather")
                    tx.announce("news")
                }
                #expect(await news.next() != nil)
            }
        }
    }

    @Test func schemasDoNotHearOneAnother() async throws {
        try await UnderTest.run { test in
            var (news, later) = (try await test.listen(to: "news"), try await test.listen(to: "later"))
            try await UnderTest.run { stranger in
                var theirs = try await stranger.listen(to: "news")
                try await stranger.observer.transaction { $0.announce("news") }
                #expect(await theirs.next() != nil)
            }
            // The server tells of one notification after another.
            try await test.observer.transaction { $0.announce("later") }
            #expect(await later.next() != nil)
            await test.database.close()
            #expect(await news.next() == nil)
        }
    }

    @Test func aProcessIsNotWokenAgainByItself() async throws {
        try await UnderTest.run { test in
            var news = try await test.listen(to: "news")
            try await test.database.transaction { $0.announce("news") }
            #expect(await news.next() != nil)
            // What comes back comes before what is sent later.
            var later = test.database.announcements.stream(of: "later").makeAsyncIterator()
            _ = await later.next()
            try await eventually { test.database.load.inUse == 1 }
            try await test.observer.transaction { $0.announce("later") }
            #expect(await later.next() != nil)
            await test.database.close()
            #expect(await news.next() == nil)
        }
    }

    @Test func aLostConnectionWakesEverybodyAndHearsAgain() async throws {
        try await UnderTest.run { test in
            var news = try await test.listen(to: "news")
            for _ in 0..<3 {
                try await test.terminate(test.sessions().filter(\.isListening).map(\.pid))
                #expect(await news.next() != nil, "for what was announced meanwhile")
                try await test.observer.transaction { $0.announce("news") }
                #expect(await news.next() != nil)
            }
            try await test.serves()
        }
    }

    @Test func whatCannotBeNotifiedIsCommittedAllTheSame() async throws {
        let logs = LogRecorder()
        try await withPostgresSchema { url in
            // The schema's own function comes before the server's.
            try await UnderTest.run(.small, logger: logs.logger, url: url + "%2Cpg_catalog", observerURL: url) { test in
                try await test.observer.change("CREATE FUNCTION pg_notify(TEXT, TEXT) RETURNS VOID LANGUAGE SQL AS 'SELECT 1 / 0'")
                var news = test.database.announcements.stream(of: "news").makeAsyncIterator()
                _ = await news.next()
                for id in 0..<10 {
                    try await test.database.transaction { tx in
                        try await tx.insert(id)
                        tx.announce("news")
                    }
                    #expect(await news.next() != nil)
                }
                #expect(try await test.observer.ids == Array(0..<10))
                try await eventually { logs.lines.contains { $0.message == "a notification was not sent" } }
            }
        }
    }

    @Test func closingLeavesNothing() async throws {
        try await UnderTest.run { test in
            let readers = (0..<10).map { number in
                let stream = test.database.announcements.stream(of: Topic("news-\(number)"))
                return Task { for await _ in stream {} }
            }
            _ = try await test.listen(to: "news")
            #expect(try await test.sessions().count(where: \.isListening) == 1, "one for all")
            for id in 0..<20 {
                try await test.database.transaction { tx in
                    try await tx.insert(id)
                    tx.announce("news-1")
                }
            }
            await test.database.close()
            for reader in readers { await reader.value }
            try await eventually { try await test.sessions().isEmpty }
            #expect(test.database.load.connections == 0)
        }
    }

    @Test func thePoolsOnlyConnectionIsLeftToItsCallers() async throws {
        try await UnderTest.run(.unshared(1)) { test in
            var news = test.database.announcements.stream(of: "news").makeAsyncIterator()
            _ = await news.next()
            try await test.serves()
            try await test.database.transaction { $0.announce("news") }
            #expect(await news.next() != nil)
        }
    }
}

extension UnderTest {
    /// A stream that has had its first element, of a database that hears what the observer announces.
    fileprivate func listen(to topic: Topic) async throws -> AsyncStream<Void>.Iterator {
        var probe = database.announcements.stream(of: "probe").makeAsyncIterator()
        _ = await probe.next()
        let announcer = Task { [observer] in
            while !Task.isCancelled { try await observer.transaction { $0.announce("probe") } }
        }
        _ = await probe.next()
        announcer.cancel()
        _ = await announcer.result
        var stream = database.announcements.stream(of: topic).makeAsyncIterator()
        _ = await stream.next()
        return stream
    }
}

extension UnderTest.Session {
    fileprivate var isListening: Bool { query.hasPrefix("LISTEN") }
}
