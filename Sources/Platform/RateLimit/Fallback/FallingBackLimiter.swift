public import Logging
import MartletCore
import Synchronization

/// Limits that all instances share, and what stands in while the shared counts are away: each demand's ``LimitFallback``, at once.
///
/// While they are away, an instance admits by `local` its share: the limit divided by the number of instances that it heard of last,
/// rounded down, and at least one call; one that has not heard of any takes itself to be alone. What the store has counted and what the
/// instances count do not know of one another. So of calls of weight 1, any span of length `t` sees at most twice `calls + t / interval`
/// (see ``GCRA``), and `calls` more each time that the store loses its data; as long as no more instances run than were heard of, and no
/// more than `calls`.
public final class FallingBackLimiter: RateLimiter {
    private let shared: any RateLimiter
    private let local: MemoryRateLimiter
    private let instances: any LiveInstances
    private let machine = Mutex(FallbackMachine())
    private let living = Atomic(1)
    private let logger: Logger

    public init(
        _ shared: any RateLimiter, local: MemoryRateLimiter = MemoryRateLimiter(), instances: any LiveInstances, logger: Logger
    ) {
        (self.shared, self.local, self.instances, self.logger) = (shared, local, instances, logger)
    }

    public var degradation: LimiterState { machine.withLock(\.state) }

    /// How many instances share the limits, as last heard of; at least 1.
    public var liveInstances: Int { living.load(ordering: .relaxed) }

    public func take(_ demands: [Demand]) async throws -> [Decision] {
        let beginning = machine.withLock(\.beginning)
        do {
            let decisions = try await shared.take(demands)
            note(machine.withLock { $0.answered(since: beginning) })
            return decisions
        } catch let failure as Failure where failure.kind == .unavailable {
            note(machine.withLock { $0.failed(since: beginning) }, failure)
            return try byRule(demands, failure)
        }
    }

    /// Tells the others every second that this instance lives, and hears of them, until the task is cancelled. That is also how an outage
    /// is noticed, and its end, while nobody calls.
    public func run() async {
        while !Task.isCancelled {
            await beat()
            // Ends early only by the cancellation that the loop asks for.
            try? await Task.sleep(for: .seconds(1))
        }
        await instances.leave()
    }

    func beat() async {
        let beginning = machine.withLock(\.beginning)
        do {
            living.store(max(1, try await instances.beat()), ordering: .relaxed)
            note(machine.withLock { $0.answered(since: beginning) })
        } catch is CancellationError {
            return
        } catch {
            note(machine.withLock { $0.failed(since: beginning) }, error)
        }
    }

    private func byRule(_ demands: [Demand], _ failure: Failure) throws(Failure) -> [Decision] {
        guard demands.allSatisfy({ $0.fallback != .closed }) else {
            throw .unavailable("limits_unavailable", "The limits cannot be looked at at this moment.", cause: failure)
        }
        let counted = demands.filter { $0.fallback == .local }
        var decisions = local.takeNow(counted.map { $0.share(of: liveInstances) }).makeIterator()
        return demands.map { ($0.fallback == .local ? decisions.next() : nil) ?? GCRA($0.rate).decision(0, on: 0, isTaken: false) }
    }

    private func note(_ change: FallbackMachine.Change?, _ cause: (any Error)? = nil) {
        switch change {
        case .lost: logger.warning("Rate limits are not shared: their store is away", metadata: ["cause": "\(cause.map { "\($0)" } ?? "")"])
        case .found: logger.notice("Rate limits are shared again")
        case nil: break
        }
    }
}

/// The instances that share what is counted elsewhere.
public protocol LiveInstances: Sendable {
    /// Says that this instance lives, and returns how many do; to be called about once a second. Throws a `Failure` of kind `unavailable`.
    func beat() async throws -> Int

    /// Says that this instance is about to end, also from a task that is cancelled. Others would find out by its silence.
    func leave() async
}

extension Demand {
    /// What one of so many instances admits.
    fileprivate func share(of instances: Int) -> Demand {
        Demand(key, Rate(max(1, rate.calls / max(1, instances)), per: rate.period), weight: weight, fallback: fallback)
    }
}
