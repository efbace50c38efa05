// limit-cost: what one check against a limit in memory costs: `swift run -c release limit-cost`.

import MartletRateLimit

@main struct LimitCost {
    private static let rounds = 200_000
    private static let wide = Rate(1_000_000, per: .seconds(60))

    static func main() async {
        let limiter = MemoryRateLimiter()
        let users = (0..<10_000).map { "reads:user:019bc05e-9a40-7c3d-8e11-5f0a4b7d\($0)" }
        let narrow = Demand("login:address:192.0.2.1", Rate(1, per: .seconds(86_400)))
        await measure("one limit") { _ = await limiter.take([Demand(users[$0 % users.count], wide)]) }
        await measure("two limits") { _ = await limiter.take([Demand(users[$0 % users.count], wide), Demand("two", wide)]) }
        await measure("refused") { _ in _ = await limiter.take([narrow]) }
        await measure("a flood of distinct keys") { _ = await limiter.take([Demand("address:\($0)", Rate(5, per: .seconds(900)))]) }
        await measure("of which the clock takes") { _ in _ = Uptime.microseconds() }
    }

    /// Prints the time of one call, over many.
    private static func measure(_ name: String, _ call: @Sendable (Int) async -> Void) async {
        let start = ContinuousClock.now
        for round in 0..<rounds { await call(round) }
        print("\(name): \(Int64((ContinuousClock.now - start) / .nanoseconds(1)) / Int64(rounds)) ns")
    }
}
