import MartletJobs
import Testing

struct RetryPolicyTests {
    @Test func pausesDoubleUpToTheLongest() {
        let policy = RetryPolicy(attempts: 7, base: .seconds(2), factor: 2, longest: .seconds(20), jitter: 0)
        let pauses = (1...7).map { policy.delay(afterAttempt: $0, chance: 0.9) }
        #expect(pauses == [2, 4, 8, 16, 20, 20].map { .seconds($0) } + [nil])
    }

    @Test(arguments: [(0, 5), (0.5, 7.5), (1, 10)]) func aPartIsLeftToChance(chance: Double, seconds: Double) {
        let policy = RetryPolicy(attempts: 2, base: .seconds(10), jitter: 0.5)
        #expect(policy.delay(afterAttempt: 1, chance: chance) == .seconds(seconds))
    }

    @Test func theStandardOutlastsANight() {
        let shortest = (1..<25).compactMap { RetryPolicy.standard.delay(afterAttempt: $0, chance: 0) }
        #expect(shortest.count == 24 && shortest.reduce(.zero, +) > .seconds(6 * 3_600))
        #expect(RetryPolicy.standard.delay(afterAttempt: 25, chance: 0) == nil)
        #expect(RetryPolicy.none.delay(afterAttempt: 1, chance: 0) == nil)
    }

    @Test(arguments: [1, 2, 0.5, 0, -2, 1e300, .infinity, -.infinity, .nan]) func noNumberIsTooMuch(factor: Double) throws {
        let bounds: [(Duration, Duration)] = [
            (.seconds(1), .seconds(3_600)), (.zero, .seconds(1)), (.seconds(Int64.max), .seconds(Int64.max)), (.seconds(-1), .seconds(-1)),
        ]
        for (base, longest) in bounds {
            for share in [0, 0.5, 1, -1, 2, .infinity, .nan] {
                let policy = RetryPolicy(attempts: .max, base: base, factor: factor, longest: longest, jitter: share)
                for attempt in [Int.min, -1, 0, 1, 2, 1_000, Int.max - 1] {
                    let delay = try #require(policy.delay(afterAttempt: attempt, chance: share))
                    #expect(delay >= .zero && delay <= .seconds(30 * 366 * 86_400))
                }
                #expect(policy.delay(afterAttempt: .max, chance: share) == nil)
            }
        }
    }
}
