import MartletStorage
import MartletTestSupport
import Synchronization
import Testing

@Suite("DatabaseConformance: announcements")
struct DatabaseConformanceAnnouncements {
    struct Stop: Error {}

    @Test(arguments: DatabaseEngine.all)
    func aCommitWakesAndNothingDoesBefore(engine: DatabaseEngine) async throws {
        try await engine.withPair { db, other in
            try await db.hears(other)
            try await db.run("CREATE TABLE item (id INTEGER PRIMARY KEY, name TEXT)")
            let seen = Mutex<[[Int]]>([])
            let (isListening, stream) = (Gate(), db.announcements.stream(of: "news"))
            let reader = Task {
                for await _ in stream.prefix(2) {
                    let items = try await db.items
                    seen.withLock { $0.append(items) }
                    await isListening.open()
                }
            }
            await isListening.wait()
            try await db.transaction { tx in
                tx.announce("news")
                for _ in 0..<100 { await Task.yield() }
                try await tx.insert(1, "a")
            }
            try await reader.value
            #expect(seen.withLock { $0 } == [[], [1]])
        }
    }

    @Test(arguments: DatabaseEngine.all)
    func aTransactionThatIsUndoneAnnouncesNothing(engine: DatabaseEngine) async throws {
        try await engine.withPair { (db, other) async throws in
            try await db.hears(other)
            var news = db.announcements.stream(of: "news").makeAsyncIterator()
            _ = await news.next()
            await #expect(throws: Stop.self) {
                try await db.transaction { tx in
                    tx.announce("news")
                    throw Stop()
                }
            }
            let failure = await thrown(SQLFailure.self) {
                try await db.transaction { tx in
                    tx.announce("news")
                    _ = try? await tx.change("INSERT INTO nowhere (id) VALUES (1)")
                }
            }
            #expect(failure?.kind == .statement)
            try await db.transaction { $0.announce("other-news") }
            await db.close()
            #expect(await news.next() == nil)
        }
    }

    @Test(arguments: DatabaseEngine.all)
    func whatComesWhileTheReaderIsBusyIsOneElement(engine: DatabaseEngine) async throws {
        try await engine.withPair { db, other in
            try await db.hears(other)
            var news = db.announcements.stream(of: ["news", "more-news"]).makeAsyncIterator()
            _ = await news.next()
            for _ in 0..<5 {
                try await db.transaction { tx in for topic in ["news", "more-news", "news"] as [Topic] { tx.announce(topic) } }
            }
            _ = await news.next()
            await db.close()
            #expect(await news.next() == nil)
        }
    }

    @Test(arguments: DatabaseEngine.all)
    func everyReaderOfATopicIsWokenAndNobodyElse(engine: DatabaseEngine) async throws {
        try await engine.withPair { db, other in
            try await db.hears(other)
            var first = db.announcements.stream(of: "news").makeAsyncIterator()
            var second = db.announcements.stream(of: "news").makeAsyncIterator()
            var stranger = db.announcements.stream(of: "weather").makeAsyncIterator()
            _ = (await first.next(), await second.next(), await stranger.next())
            // A schema's transaction announces like any other.
            try await db.schemaTransaction { $0.announce("news") }
            #expect(await first.next() != nil)
            #expect(await second.next() != nil)
            await db.close()
            #expect(await stranger.next() == nil)
        }
    }

    @Test(arguments: DatabaseEngine.all)
    func streamsEndWithTheDatabase(engine: DatabaseEngine) async throws {
        try await engine.withDatabase { db in
            let readers = (0..<10).map { _ in
                let stream = db.announcements.stream(of: "news")
                return Task { for await _ in stream {} }
            }
            try await db.transaction { $0.announce("news") }
            await db.close()
            for reader in readers { await reader.value }
            for await _ in db.announcements.stream(of: "news") { Issue.record("it is closed") }
        }
    }
}

struct TopicNames {
    @Test(arguments: ["a", "jobs", "Bookmarks.tags-2_x", String(repeating: "x", count: 63)])
    func areWordsOfASCII(name: String) { #expect(Topic(validating: name)?.description == name) }

    @Test(arguments: ["", "two words", "news:1", "größe", "a\0", String(repeating: "x", count: 64)])
    func areNothingElse(name: String) { #expect(Topic(validating: name) == nil) }
}

extension Database {
    /// Returns when what `other` announces arrives here, where the engine passes it on. From then on nobody is woken for the beginning.
    func hears(_ other: any Database) async throws {
        guard dialect == .postgres else { return }
        var probe = announcements.stream(of: "probe").makeAsyncIterator()
        _ = await probe.next()
        let announcer = Task {
            while !Task.isCancelled { try await other.transaction { $0.announce("probe") } }
        }
        _ = await probe.next()
        announcer.cancel()
        _ = await announcer.result
    }
}
