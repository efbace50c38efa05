import Testing

@testable import MartletPostgres

struct ConversationTests {
    private typealias Talk = Conversation<Int, String>
    private struct Wrong: Error, Equatable {}

    private var talk = Talk()
    private let now = ContinuousClock.now

    /// Takes in events of which the last one ends a batch.
    private mutating func complete(_ events: Talk.Event...) throws -> Talk.Batch {
        for event in events.dropLast() { #expect(talk.receive(event) == nil) }
        return try #require(events.last.flatMap { talk.receive($0) })
    }

    @Test mutating func repliesComeInTheOrderOfTheJobs() throws {
        talk.send([1, 2], as: [.run, .run], at: now)
        #expect(!talk.isIdle)
        let batch = try complete(.reply("one"), .end, .reply("two"), .end, .synchronised)
        #expect(batch.jobs == [1, 2])
        #expect(batch.replies == ["one", "two"])
        #expect(batch.failure == nil && batch.unprepared == [])
        #expect(batch.began == now)
        #expect(talk.isIdle)
    }

    @Test mutating func whatPreparingAndHousekeepingAnswerIsNobodysReply() throws {
        talk.send([1, 2], as: [.housekeeping, .prepare(7), .run, .run], at: now)
        let batch = try complete(.reply("BEGIN"), .end, .reply("prepared"), .end, .reply("one"), .end, .reply("two"), .end, .synchronised)
        #expect(batch.replies == ["one", "two"])
    }

    @Test mutating func afterAFailureNothingHappenedAndLaterPreparationsAreVoid() throws {
        talk.send([1, 2, 3], as: [.prepare(7), .run, .prepare(8), .run, .prepare(9), .run], at: now)
        let batch = try complete(
            .reply("prepared"), .end, .reply("one"), .end, .reply("prepared"), .end,
            .failure(Wrong()), .end, .skipped, .end, .skipped, .end, .synchronised)
        #expect(batch.failure as? Wrong == Wrong())
        #expect(batch.unprepared == [9], "7 and 8 the server has")
    }

    @Test mutating func aPreparationThatFailsIsVoidItself() throws {
        talk.send([1], as: [.prepare(7), .run], at: now)
        let batch = try complete(.failure(Wrong()), .end, .skipped, .end, .synchronised)
        #expect(batch.unprepared == [7])
        #expect(batch.replies == [])
    }

    @Test mutating func aFailureOnTheCommitFailsTheBatchAndKeepsItsPreparations() throws {
        talk.send([1], as: [.prepare(7), .run], at: now)
        let batch = try complete(.reply("prepared"), .end, .reply("one"), .end, .failure(Wrong()), .end, .synchronised)
        #expect(batch.failure != nil)
        #expect(batch.unprepared == [])
    }

    @Test mutating func theFirstFailureCounts() throws {
        struct Later: Error {}
        talk.send([1, 2], as: [.run, .prepare(7), .run], at: now)
        let batch = try complete(.failure(Wrong()), .end, .failure(Later()), .end, .skipped, .end, .synchronised)
        #expect(batch.failure is Wrong)
        #expect(batch.unprepared == [7])
    }

    @Test mutating func batchesEndOneAfterAnother() throws {
        talk.send([1], as: [.run], at: now)
        talk.send([2], as: [.run], at: now)
        #expect(talk.jobs == [1, 2])
        let first = try complete(.failure(Wrong()), .end, .synchronised)
        #expect(first.jobs == [1] && first.failure != nil)
        #expect(talk.current?.jobs == [2])
        let second = try complete(.reply("two"), .end, .synchronised)
        #expect(second.replies == ["two"] && second.failure == nil)
    }

    @Test mutating func aBatchWithoutJobsEndsAsWell() throws {
        talk.send([], as: [.housekeeping], at: now)
        let batch = try complete(.reply("ROLLBACK"), .end, .synchronised)
        #expect(batch.jobs == [] && batch.replies == [])
    }

    @Test mutating func whatIsNotAnsweredIsTold() {
        talk.send([1, 2], as: [.run, .run], at: now)
        talk.send([3], as: [.run], at: now)
        #expect(talk.receive(.reply("one")) == nil)
        #expect(talk.abandon().flatMap(\.jobs) == [1, 2, 3])
        #expect(talk.isIdle)
        #expect(talk.receive(.synchronised) == nil, "what comes afterwards concerns nobody")
    }
}
