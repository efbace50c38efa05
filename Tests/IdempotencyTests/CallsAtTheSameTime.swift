import HTTPTypes
import MartletContract
import MartletCore
import MartletHTTP
import MartletStorage
import MartletTestSupport
import Synchronization
import Testing

@testable import MartletIdempotency

@Suite struct CallsAtTheSameTime {
    private static func answer(_ text: String) -> Answer { IdempotencyStoreConformance.answer(text) }

    @Test(arguments: AnswerEngine.all, [Isolation.serializable, .readCommitted])
    func fiftyAreOneEffectAndFiftyEqualAnswers(engine: AnswerEngine, isolation: Isolation) async throws {
        try await engine.run { first, second in
            let instances = [OneCallPerKey(first, isolation: isolation), OneCallPerKey(second, isolation: isolation)]
            let number = Atomic(0)
            let answers = try await together(50) { index in
                try await instances[index % 2].answer(.of("a")) { tx in
                    try await tx.note("x")
                    return Self.answer("\(number.add(1, ordering: .relaxed).newValue)")
                }
            }
            #expect(try await first.effects == ["x"])
            #expect(Set(answers.map(\.bytes)).count == 1)
            #expect(answers.filter { $0.fields[.idempotencyReplayed] == nil }.count == 1)
            #expect(instances.allSatisfy { $0.keyCount == 0 && $0.waitingCount == 0 })
        }
    }

    @Test(arguments: AnswerEngine.all, [Isolation.serializable, .readCommitted])
    func ofDifferentKeysAllHappen(engine: AnswerEngine, isolation: Isolation) async throws {
        try await engine.run { first, second in
            let instances = [OneCallPerKey(first, isolation: isolation), OneCallPerKey(second, isolation: isolation)]
            _ = try await together(60) { index in
                try await instances[index % 2].answer(.of("\(index)")) { tx in
                    try await tx.note("\(index)")
                    return Self.answer("\(index)")
                }
            }
            #expect(Set(try await first.effects).count == 60)
        }
    }

    @Test(arguments: AnswerEngine.all) func theNextOneHasItsTurnWhenOneFails(engine: AnswerEngine) async throws {
        try await engine.run { (database) async throws in
            let (calls, hasBegun, goOn) = (OneCallPerKey(database), Gate(), Gate())
            let failing = Task {
                try await calls.answer(.of("a")) { _ in
                    await hasBegun.open()
                    await goOn.wait()
                    throw IdempotencyStoreConformance.Stop()
                }
            }
            await hasBegun.wait()
            let next = (0..<3).map { _ in Task { try await calls.answer(.of("a")) { _ in Self.answer("2") } } }
            try await eventually { calls.waitingCount == 3 }
            #expect(database.load.inUse <= 1, "Who waits holds no connection.")
            await goOn.open()
            await #expect(throws: IdempotencyStoreConformance.Stop.self) { try await failing.value }
            for task in next { #expect(try await task.value.bytes == Array("2".utf8)) }
            #expect(try await database.keptCount == 1)
        }
    }

    @Test(arguments: AnswerEngine.all) func whoHasWaitedLongEnoughHearsThatTheKeyIsInUse(engine: AnswerEngine) async throws {
        try await engine.run { (database) async throws in
            let (calls, hasBegun, goOn) = (OneCallPerKey(database, pause: { _ in }), Gate(), Gate())
            let slow = Task {
                try await calls.answer(.of("a")) { _ in
                    await hasBegun.open()
                    await goOn.wait()
                    return Self.answer("1")
                }
            }
            await hasBegun.wait()
            let failure = await #expect(throws: Failure.self) { try await calls.answer(.of("a")) { _ in Self.answer("2") } }
            #expect(failure?.kind == .conflict)
            #expect(failure?.code == "idempotency_key_in_use")
            #expect(failure?.retryAfterSeconds == 1)
            await goOn.open()
            #expect(try await slow.value.bytes == Array("1".utf8))
            #expect(calls.keyCount == 0)
        }
    }

    @Test(arguments: AnswerEngine.all) func whoIsCancelledWaitsNoLonger(engine: AnswerEngine) async throws {
        try await engine.run { (database) async throws in
            let (calls, hasBegun, goOn) = (OneCallPerKey(database), Gate(), Gate())
            let slow = Task {
                try await calls.answer(.of("a")) { _ in
                    await hasBegun.open()
                    await goOn.wait()
                    return Self.answer("1")
                }
            }
            await hasBegun.wait()
            let waiting = Task { try await calls.answer(.of("a")) { _ in Self.answer("2") } }
            try await eventually { calls.waitingCount == 1 }
            waiting.cancel()
            await #expect(throws: CancellationError.self) { try await waiting.value }
            await goOn.open()
            _ = try await slow.value
            #expect(calls.keyCount == 0)
        }
    }

    @Test func anotherInstanceWaitsForTheRowAndNoLongerThanItMay() async throws {
        try await AnswerEngine.postgres.run { (first, second) async throws in
            let (hasBegun, goOn) = (Gate(), Gate())
            let slow = Task {
                try await OneCallPerKey(first).answer(.of("a")) { _ in
                    await hasBegun.open()
                    await goOn.wait()
                    return Self.answer("1")
                }
            }
            await hasBegun.wait()
            let failure = await #expect(throws: Failure.self) {
                try await second.transaction { try await AnswerStore($0).claim(.of("a"), waiting: .milliseconds(20)) }
            }
            #expect(failure?.code == "idempotency_key_in_use")
            await goOn.open()
            _ = try await slow.value
        }
    }

    @Test func theHandlersStatementsWaitAsLongAsAlways() async throws {
        try await AnswerEngine.postgres.run { database, _ in
            let usual = try await database.first(String.self, "SHOW lock_timeout")
            let answer = try await OneCallPerKey(database).answer(.of("a")) { tx in
                Self.answer(try await tx.first(String.self, "SHOW lock_timeout") ?? "")
            }
            #expect(answer.bytes == usual.map { Array($0.utf8) })
        }
    }
}

/// Does something many times at the same moment.
private func together<Value: Sendable>(_ count: Int, _ body: @escaping @Sendable (Int) async throws -> Value) async throws -> [Value] {
    try await withThrowingTaskGroup(of: Value.self) { group in
        for index in 0..<count { group.addTask { try await body(index) } }
        return try await group.reduce(into: []) { $0.append($1) }
    }
}
