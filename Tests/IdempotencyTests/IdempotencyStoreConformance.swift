import HTTPTypes
import MartletContract
import MartletCore
import MartletHTTP
import MartletStorage
import MartletTestSupport
import NIOCore
import Testing

@testable import MartletIdempotency

@Suite struct IdempotencyStoreConformance {
    struct Stop: Error {}

    static func answer(_ text: String) -> Answer {
        Answer(.created, Array(text.utf8), type: "application/json", fields: [.location: "/things/1"])
    }

    @Test(arguments: AnswerEngine.all) func anAnswerIsKeptAsItWas(engine: AnswerEngine) async throws {
        try await engine.run { (database) async throws in
            let claim = Claim.of("a")
            let bytes = (UInt8.min...UInt8.max).map { $0 }
            let kept = try KeptAnswer(Answer(.created, bytes, type: "application/octet-stream", fields: [.setCookie: "a=\"ü\""]), to: claim)
            try await database.keep(kept, claim)
            guard case .answered(let found) = try await database.claim(claim) else {
                Issue.record("The key was free.")
                return
            }
            #expect(found == kept)
            let replay = try found.replay(to: claim)
            #expect(replay.status == .created)
            #expect(replay.fields[.setCookie] == "a=\"ü\"")
            #expect(replay.fields[.idempotencyReplayed] == "true")
            #expect(replay.bytes == bytes)
        }
    }

    @Test(arguments: AnswerEngine.all) func anAnswerWithoutABodyIsKept(engine: AnswerEngine) async throws {
        try await engine.run { (database) async throws in
            let calls = OneCallPerKey(database)
            for _ in 0..<2 {
                let answer = try await calls.answer(.of("a")) { _ in Answer(.noContent) }
                #expect(answer.status == .noContent)
                #expect(answer.bytes == [])
            }
        }
    }

    @Test(arguments: AnswerEngine.all) func keysBelongToTheirCallers(engine: AnswerEngine) async throws {
        try await engine.run { (database) async throws in
            let calls = OneCallPerKey(database)
            for caller in [Claim.ada, Identifier()] {
                let answer = try await calls.answer(.of("a", by: caller)) { tx in
                    try await tx.note("x")
                    return Self.answer("1")
                }
                #expect(answer.fields[.idempotencyReplayed] == nil)
            }
            #expect(try await database.effects.count == 2)
        }
    }

    @Test(arguments: AnswerEngine.all) func keysThatDifferInCaseAreDifferent(engine: AnswerEngine) async throws {
        try await engine.run { (database) async throws in
            for key in ["a", "A"] { _ = try await OneCallPerKey(database).answer(.of(key)) { _ in Self.answer("1") } }
            #expect(try await database.keptCount == 2)
        }
    }

    @Test(arguments: AnswerEngine.all) func aKeyOfAnotherRequestIsRefused(engine: AnswerEngine) async throws {
        try await engine.run { (database) async throws in
            let calls = OneCallPerKey(database)
            _ = try await calls.answer(.of("a")) { _ in Self.answer("1") }
            for other in [Claim.of("a", body: 2), .of("a", endpoint: "POST /others")] {
                let failure = await #expect(throws: Failure.self) { try await calls.answer(other) { _ in Self.answer("2") } }
                #expect(failure?.kind == .invalid)
                #expect(failure?.code == "idempotency_key_reused")
            }
            #expect(try await calls.answer(.of("a")) { _ in Self.answer("3") }.bytes == Array("1".utf8))
            #expect(calls.keyCount == 0)
        }
    }

    @Test(arguments: AnswerEngine.all) func aFailureIsUndoneAndNotKept(engine: AnswerEngine) async throws {
        try await engine.run { (database) async throws in
            let calls = OneCallPerKey(database)
            await #expect(throws: Stop.self) {
                try await calls.answer(.of("a")) { tx in
                    try await tx.note("x")
                    throw Stop()
                }
            }
            #expect(try await database.keptCount == 0)
            #expect(try await database.effects == [])
            #expect(try await calls.answer(.of("a")) { _ in Self.answer("2") }.bytes == Array("2".utf8))
        }
    }

    @Test(arguments: AnswerEngine.all) func anAnswerThatIsTooLongUndoesItsCall(engine: AnswerEngine) async throws {
        try await engine.run { (database) async throws in
            let calls = OneCallPerKey(database)
            let longest = String(repeating: "x", count: KeptAnswer.mostBytes)
            _ = try await calls.answer(.of("a")) { _ in Self.answer(longest) }
            let failure = await #expect(throws: Failure.self) {
                try await calls.answer(.of("b")) { tx in
                    try await tx.note("x")
                    return Self.answer(longest + "x")
                }
            }
            #expect(failure?.code == "answer_not_keepable")
            #expect(try await database.effects == [])
            #expect(try await database.keptCount == 1)
        }
    }

    @Test(arguments: AnswerEngine.all) func withoutAKeyNothingIsKept(engine: AnswerEngine) async throws {
        try await engine.run { (database) async throws in
            for _ in 0..<2 {
                _ = try await OneCallPerKey(database).answer(nil) { tx in
                    try await tx.note("x")
                    return Self.answer("1")
                }
            }
            #expect(try await database.effects == ["x", "x"])
            #expect(try await database.keptCount == 0)
        }
    }

    @Test(arguments: AnswerEngine.all) func answersAreForgottenOldestFirstAndAFewAtATime(engine: AnswerEngine) async throws {
        try await engine.run { (database) async throws in
            for number in 0..<5 { _ = try await OneCallPerKey(database).answer(.of("\(number)")) { _ in Self.answer("1") } }
            let store = AnswerStore(database)
            #expect(try await store.prune(olderThan: .seconds(3_600), limit: 10) == 0)
            #expect(try await store.prune(olderThan: .seconds(-3_600), limit: 2) == 2)
            #expect(try await database.keptCount == 3)
            #expect(try await store.prune(olderThan: .seconds(-3_600), limit: 10) == 3)
            #expect(try await OneCallPerKey(database).answer(.of("0")) { _ in Self.answer("2") }.bytes == Array("2".utf8))
        }
    }
}

extension Answer {
    var bytes: [UInt8] {
        if case .whole(let buffer) = body { Array(buffer.readableBytesView) } else { [] }
    }
}

extension Database {
    func claim(_ claim: Claim) async throws -> AnswerStore.Claimed {
        try await transaction { try await AnswerStore($0).claim(claim, waiting: .seconds(2)) }
    }

    func keep(_ answer: KeptAnswer, _ claim: Claim) async throws {
        try await transaction { tx in
            guard case .ours(let place) = try await AnswerStore(tx).claim(claim, waiting: .seconds(2)) else { return }
            try await AnswerStore(tx).keep(answer, for: claim.name, at: place)
        }
    }
}
