import MartletRateLimit
import Synchronization
import Testing

@Suite("Limits in memory")
struct LimitsInMemory {
    private let clock = TestTime()

    @Test func giveBackOneCallAtATime() async throws {
        let limiter = MemoryRateLimiter(clock: clock.read)
        let demand = Demand("a", Rate(3, per: .seconds(3)))
        #expect(try await limiter.admitted(5, demand) == 3)
        clock.advance(by: .microseconds(999_999))
        #expect(try await limiter.admitted(5, demand) == 0)
        clock.advance(by: .microseconds(1))
        #expect(try await limiter.admitted(5, demand) == 1)
        clock.advance(by: .seconds(60))
        #expect(try await limiter.admitted(5, demand) == 3)
    }

    @Test func forgetKeysWhoseCallsHaveBeenGivenBack() async throws {
        let limiter = MemoryRateLimiter(clock: clock.read)
        for number in 0..<1000 { _ = await limiter.take([Demand("past \(number)", Rate(10, per: .seconds(10)))]) }
        #expect(limiter.count == 1000)
        clock.advance(by: .seconds(1))
        for number in 0..<1000 { _ = await limiter.take([Demand("present \(number)", Rate(10, per: .seconds(10)))]) }
        #expect(limiter.count < 1300)
    }

    @Test func stayBoundedUnderAFloodOfKeys() async throws {
        let limiter = MemoryRateLimiter(capacity: 1600, clock: clock.read)
        for number in 0..<50_000 { _ = await limiter.take([Demand("flood \(number)", Rate(10, per: .seconds(10)))]) }
        #expect(limiter.count == 1600)
    }

    @Test func keepThoseAtTheEndOfALongLimitThroughAFlood() async throws {
        let limiter = MemoryRateLimiter(capacity: 1600, clock: clock.read)
        let guesses = (0..<100).map { Demand("guess \($0)", Rate(5, per: .seconds(900))) }
        for guess in guesses { #expect(try await limiter.admitted(6, guess) == 5) }
        for number in 0..<50_000 {
            _ = await limiter.take([Demand("flood \(number)", Rate(100, per: .seconds(60)))])
            clock.advance(by: .microseconds(10))
        }
        for guess in guesses { #expect(try await limiter.admitted(1, guess) == 0) }
    }

    @Test func holdOneKeyAtLeast() async throws {
        let limiter = MemoryRateLimiter(capacity: 1, clock: clock.read)
        #expect(try await limiter.admitted(10, Demand("a", Rate(3, per: .seconds(3)))) == 3)
        #expect(try await limiter.admitted(10, Demand("b", Rate(3, per: .seconds(3)))) == 3)
        #expect(limiter.count == 1)
    }
}

/// A clock that tests move.
final class TestTime: Sendable {
    private let now = Atomic<Int64>(0)
    var read: @Sendable () -> Int64 { { self.now.load(ordering: .relaxed) } }

    func advance(by duration: Duration) {
        now.add(Int64(duration / .microseconds(1)), ordering: .relaxed)
    }
}
