@testable import MartletPostgres

/// A pool whose waiters are names, at an instant that the test sets; its actions are told in words.
struct TestPool {
    private(set) var machine: ConnectionPool<String>
    /// Since the beginning.
    var seconds: Double = 0
    private var tickets: [String: UInt64] = [:]
    private let start = ContinuousClock.now

    init(
        size: Int = 4, overflow: Int = 0, waiting: Int = 100, wait: Int = 30, lifetime: Int = 10_000, idle: Int = 1_000, opening: Int = 8
    ) {
        machine = ConnectionPool(
            .init(
                size: size, overflow: overflow, waiting: waiting, wait: .seconds(wait), lifetime: .seconds(lifetime), idle: .seconds(idle),
                opening: opening))
    }

    var now: ContinuousClock.Instant { instant(seconds) }
    func instant(_ seconds: Double) -> ContinuousClock.Instant { start + .milliseconds(Int((seconds * 1000).rounded())) }

    mutating func borrow(_ waiter: String) -> [String] {
        let (ticket, actions) = machine.borrow(waiter, now: now)
        tickets[waiter] = ticket
        return actions.map(\.words)
    }

    mutating func leave(_ waiter: String) -> String? { tickets[waiter].flatMap { machine.leave($0) } }
    mutating func opened(_ id: ConnectionID, jitter: Double = 0.5) -> [String] {
        machine.opened(id, now: now, jitter: jitter).map(\.words)
    }
    mutating func failed(_ id: ConnectionID, silent: Bool = false, jitter: Double = 0.5) -> [String] {
        machine.failed(id, silent: silent, now: now, jitter: jitter).map(\.words)
    }
    mutating func giveBack(_ id: ConnectionID, reusable: Bool = true) -> [String] {
        machine.giveBack(id, reusable: reusable, now: now).map(\.words)
    }
    mutating func lost(_ id: ConnectionID) -> [String] { machine.lost(id, now: now).map(\.words) }
    mutating func probe() -> [String] { machine.probe().map(\.words) }
    mutating func tick() -> [String] { machine.tick(now: now).map(\.words) }
    mutating func close() -> [String] { machine.close().map(\.words) }
}

extension ConnectionPool.Action {
    var words: String {
        switch self {
        case .open(let id): "open \(id)"
        case .lend(let id, let waiter): "lend \(id) \(waiter)"
        case .close(let id): "close \(id)"
        case .refuse(let waiter, let refusal): "refuse \(waiter) \(refusal)"
        }
    }
}
