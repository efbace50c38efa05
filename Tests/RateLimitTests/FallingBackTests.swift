import Logging
import MartletCore
import MartletTestSupport
import Synchronization
import Testing

@testable import MartletRateLimit

@Suite("While the shared counts are away")
struct FallingBack {
    private let shared = Outage()
    private let log = LogRecorder()
    private static let rate = Rate(10, per: .seconds(3600))

    private var limiter: FallingBackLimiter { FallingBackLimiter(shared, instances: shared, logger: log.logger) }

    @Test(arguments: [(LimitFallback.local, 10), (.open, 50)])
    func eachRuleSaysHowManyAreAdmitted(rule: LimitFallback, admitted: Int) async throws {
        shared.isAway = true
        #expect(try await limiter.admitted(50, Demand("a", Self.rate, fallback: rule)) == admitted)
    }

    @Test func closedLimitsAnswerThatTheyAreUnavailable() async throws {
        shared.isAway = true
        let limiter = limiter
        let demands = [Demand("a", Self.rate, fallback: .open), Demand("b", Self.rate, fallback: .closed)]
        let failure = await #expect(throws: Failure.self) { try await limiter.take(demands) }
        #expect(failure?.kind == .unavailable && failure?.code == "limits_unavailable")
    }

    @Test func openAndLocalLimitsAnswerInTheirOrder() async throws {
        shared.isAway = true
        let limiter = limiter
        let demands = [
            Demand("open", Rate(1, per: .seconds(3600)), fallback: .open), Demand("local", Rate(2, per: .seconds(3600))),
        ]
        for expected in [[true, true], [true, true], [true, false]] {
            #expect(try await limiter.take(demands).map(\.isAdmitted) == expected)
        }
    }

    @Test(arguments: [(1, 10), (2, 5), (3, 3), (10, 1), (400, 1), (0, 10), (-1, 10)])
    func eachInstanceAdmitsItsShare(instances: Int, share: Int) async throws {
        let limiter = limiter
        shared.instances = instances
        await limiter.beat()
        shared.isAway = true
        await limiter.beat()
        #expect(try await limiter.admitted(50, Demand("a", Self.rate)) == share)
    }

    @Test func thatIsToldOncePerChange() async throws {
        let limiter = limiter
        let demand = Demand("a", Self.rate)
        _ = try await limiter.takeOne(demand)
        #expect(limiter.degradation == .exact && log.lines.isEmpty)
        shared.isAway = true
        for _ in 0..<5 { _ = try await limiter.takeOne(demand) }
        #expect(limiter.degradation == .degraded && log.lines.map(\.level) == [.warning])
        shared.isAway = false
        for _ in 0..<5 { _ = try await limiter.takeOne(demand) }
        #expect(limiter.degradation == .exact && log.lines.map(\.level) == [.warning, .notice])
    }

    @Test func thatIsNoticedAlthoughNobodyCalls() async throws {
        let limiter = limiter
        shared.isAway = true
        await limiter.beat()
        #expect(limiter.degradation == .degraded)
        shared.isAway = false
        await limiter.beat()
        #expect(limiter.degradation == .exact && log.lines.map(\.level) == [.warning, .notice])
    }

    @Test func otherErrorsAreThrown() async throws {
        let limiter = FallingBackLimiter(Broken(), instances: shared, logger: log.logger)
        await #expect(throws: CancellationError.self) { try await limiter.take([Demand("a", Self.rate, fallback: .open)]) }
        #expect(limiter.degradation == .exact)
    }

    @Test func anInstanceThatEndsSaysSo() async throws {
        let limiter = limiter
        let running = Task { await limiter.run() }
        try await eventually { shared.beats > 0 }
        running.cancel()
        await running.value
        #expect(shared.hasLeft)
    }
}

@Suite("The state of the shared counts")
struct StateOfSharedCounts {
    @Test func changesByCallsThatBeganSinceItsLastChangeOnly() {
        var machine = FallbackMachine()
        let (early, late) = (machine.beginning, machine.beginning)
        #expect(machine.answered(since: early) == nil && machine.state == .exact)
        #expect(machine.failed(since: early) == .lost && machine.state == .degraded)
        #expect(machine.answered(since: late) == nil && machine.state == .degraded, "it answered before it was lost")
        #expect(machine.failed(since: machine.beginning) == nil)
        let between = machine.beginning
        #expect(machine.answered(since: machine.beginning) == .found && machine.state == .exact)
        #expect(machine.failed(since: between) == nil && machine.state == .exact, "it failed before it was found")
        #expect(machine.failed(since: machine.beginning) == .lost)
    }
}

/// Shared counts that go and come back.
private final class Outage: RateLimiter, LiveInstances {
    private struct State {
        var isAway = false
        var instances = 1
        var beats = 0
        var hasLeft = false
    }
    private let state = Mutex(State())
    private let counts = MemoryRateLimiter()

    var isAway: Bool {
        get { state.withLock(\.isAway) }
        set { state.withLock { $0.isAway = newValue } }
    }
    var instances: Int {
        get { state.withLock(\.instances) }
        set { state.withLock { $0.instances = newValue } }
    }
    var beats: Int { state.withLock(\.beats) }
    var hasLeft: Bool { state.withLock(\.hasLeft) }

    func take(_ demands: [Demand]) async throws -> [Decision] {
        try answer()
        return await counts.take(demands)
    }

    func beat() async throws -> Int {
        state.withLock { $0.beats += 1 }
        try answer()
        return instances
    }

    func leave() async { state.withLock { $0.hasLeft = true } }

    private func answer() throws {
        if isAway { throw Failure.unavailable("away", "Away.") }
    }
}

private struct Broken: RateLimiter {
    func take(_ demands: [Demand]) async throws -> [Decision] { throw CancellationError() }
}
