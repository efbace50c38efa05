import MartletRateLimit
import Synchronization
import Testing

@Suite("Delays that grow") struct GrowingDelays {
    private static let delay = GrowingDelay(patience: 3, within: .seconds(900), from: .seconds(1), upTo: .seconds(10))
    private let clock = Moment()

    private func counter(capacity: Int = 100) -> MemoryFailureCounter {
        MemoryFailureCounter(capacity: capacity) { [clock] in clock.now }
    }

    @Test func doubleUpToTheLongest() {
        #expect((0...8).map { Self.delay.wait(after: $0) } == [0, 0, 0, 1, 2, 4, 8, 10, 10].map { .seconds($0) })
        #expect(Self.delay.wait(after: .max) == .seconds(10))
    }

    @Test func beginAfterTheFreeFailuresAndEnd() async {
        let counter = counter()
        for _ in 0..<3 { #expect(await counter.attempt("a", Self.delay) == .zero) }
        for wait in [1, 2, 4, 8, 10, 10] {
            #expect(await counter.attempt("a", Self.delay) == .seconds(wait))
            clock.advance(by: .seconds(wait) - .microseconds(1))
            #expect(await counter.attempt("a", Self.delay) == .microseconds(1), "To ask makes no wait longer.")
            clock.advance(by: .microseconds(1))
            #expect(await counter.attempt("a", Self.delay) == .zero)
        }
        #expect(await counter.attempt("b", Self.delay) == .zero)
    }

    @Test func areForgottenAfterAWhileFromTheFirstFailure() async {
        let counter = counter()
        for _ in 0..<3 {
            for _ in 0..<2 { #expect(await counter.attempt("a", Self.delay) == .zero) }
            clock.advance(by: .seconds(900))
        }
        for _ in 0..<3 { #expect(await counter.attempt("a", Self.delay) == .zero) }
        clock.advance(by: .seconds(900))
        // Now it counts from the end of the wait.
        #expect(await counter.attempt("a", Self.delay) == .zero)
        #expect(await counter.attempt("a", Self.delay) == .seconds(2))
        clock.advance(by: .seconds(902))
        for _ in 0..<3 { #expect(await counter.attempt("a", Self.delay) == .zero) }
    }

    @Test func aClockThatWasSetBackLengthensNoWait() async {
        let counter = counter()
        for _ in 0..<3 { _ = await counter.attempt("a", Self.delay) }
        clock.advance(by: .seconds(-1_000_000))
        #expect(await counter.attempt("a", Self.delay) == .seconds(1))
    }

    @Test func aFloodLeavesThoseWithLongWaits() async {
        let counter = counter(capacity: 50)
        for _ in 0..<7 {
            clock.advance(by: await counter.attempt("guessed", Self.delay))
            _ = await counter.attempt("guessed", Self.delay)
        }
        for number in 0..<2_000 { _ = await counter.attempt("flood \(number)", Self.delay) }
        #expect(counter.count == 50)
        #expect(await counter.attempt("guessed", Self.delay) > .zero)
    }

    private final class Moment: Sendable {
        private let time = Atomic<Int64>(1_000_000_000_000)
        var now: Int64 { time.load(ordering: .relaxed) }

        func advance(by duration: Duration) {
            let (seconds, attoseconds) = duration.components
            time.add(seconds * 1_000_000 + attoseconds / 1_000_000_000_000, ordering: .relaxed)
        }
    }
}
