import MartletTestSupport
import Testing

@testable import MartletPostgres

/// Thousands of random calls, each checked against a plain account of who must be where.
struct ConnectionPoolWalk {
    @Test(arguments: 1...40) func nobodyIsLostOrServedTwiceAndNobodyOvertakes(seed: UInt64) throws {
        var walk = Walk(seed: seed)
        for _ in 0..<2_000 { try walk.step() }
        try walk.end()
    }
}

private struct Walk {
    private var random: SeededNumbers
    private var pool: ConnectionPool<Int>
    private let (size, bound, places): (Int, Int, Int)
    private var now = ContinuousClock.now

    /// The account: who waits, in order, with which ticket; which connections there are.
    private var queue: [(waiter: Int, ticket: UInt64)] = []
    private var opening: Set<ConnectionID> = []
    private var lent: [ConnectionID] = []
    private var idle: Set<ConnectionID> = []
    private var count = 0
    private var outcomes: [Int: String] = [:]

    init(seed: UInt64) {
        random = SeededNumbers(seed: seed)
        size = Int.random(in: 1...4, using: &random)
        bound = size + Int.random(in: 0...3, using: &random)
        places = Int.random(in: 1...12, using: &random)
        pool = ConnectionPool(
            .init(
                size: size, overflow: bound - size, waiting: places, wait: .seconds(20), lifetime: .seconds(60), idle: .seconds(15),
                opening: Int.random(in: 1...4, using: &random)))
    }

    mutating func step() throws {
        switch Int.random(in: 0..<100, using: &random) {
        case 0..<35: try borrow()
        case 35..<42: try leave()
        case 42..<60: try answer(succeeds: Int.random(in: 0..<6, using: &random) > 0)
        case 60..<85: try giveBack()
        case 85..<89: try lose()
        case 89..<91: try perform(pool.probe())
        default:
            now += .milliseconds(Int.random(in: 1...4_000, using: &random))
            try perform(pool.tick(now: now))
        }
        try check()
    }

    private mutating func borrow() throws {
        count += 1
        queue.append((count, 0))
        let (ticket, actions) = pool.borrow(count, now: now)
        if let place = queue.firstIndex(where: { $0.waiter == count }) { queue[place].ticket = ticket }
        try perform(actions)
    }

    private mutating func leave() throws {
        guard let place = queue.indices.randomElement(using: &random) else { return }
        let (waiter, ticket) = queue.remove(at: place)
        try #require(pool.leave(ticket) == waiter)
        outcomes[waiter] = "left"
    }

    private mutating func answer(succeeds: Bool) throws {
        guard let id = opening.min() else { return }
        opening.remove(id)
        let jitter = Double.random(in: 0..<1, using: &random)
        if succeeds {
            idle.insert(id)
            try perform(pool.opened(id, now: now, jitter: jitter))
        } else {
            try perform(pool.failed(id, silent: Bool.random(using: &random), now: now, jitter: jitter))
        }
    }

    private mutating func giveBack() throws {
        guard let place = lent.indices.randomElement(using: &random) else { return }
        let id = lent.remove(at: place)
        idle.insert(id)
        try perform(pool.giveBack(id, reusable: Int.random(in: 0..<8, using: &random) > 0, now: now))
    }

    private mutating func lose() throws {
        guard let id = (lent + idle).sorted().randomElement(using: &random) else { return }
        lent.removeAll { $0 == id }
        idle.remove(id)
        try perform(pool.lost(id, now: now))
    }

    private mutating func perform(_ actions: [ConnectionPool<Int>.Action]) throws {
        for action in actions {
            switch action {
            case .open(let id): try #require(opening.insert(id).inserted)
            case .close(let id): try #require(idle.remove(id) != nil, "only what nobody uses is closed")
            case .lend(let id, let waiter):
                try #require(idle.remove(id) != nil, "nobody else has it")
                try #require(queue.first?.waiter == waiter, "whoever came first is served first")
                lent.append(id)
                try leaveQueue(waiter, "served")
            case .refuse(let waiter, let refusal):
                if refusal == .full { try #require(queue.last?.waiter == waiter && queue.count > places && idle.isEmpty) }
                try leaveQueue(waiter, "refused")
            }
        }
    }

    private mutating func leaveQueue(_ waiter: Int, _ outcome: String) throws {
        try #require(outcomes.updateValue(outcome, forKey: waiter) == nil, "no one gets two answers")
        queue.removeAll { $0.waiter == waiter }
    }

    private func check() throws {
        try #require(pool.waitingCount == queue.count)
        try #require(pool.lentCount == lent.count)
        try #require(pool.connectionCount == lent.count + idle.count)
        try #require(pool.connectionCount <= bound)
        // A probe may be beside.
        try #require(pool.connectionCount + opening.count <= bound + 1)
        try #require(queue.isEmpty || idle.isEmpty, "nobody waits while a connection is idle")
        try #require(queue.isEmpty || !lent.isEmpty || !opening.isEmpty || pool.nextTick != nil, "somebody will serve them")
    }

    /// The server is there again: everyone who still waits is served.
    mutating func end() throws {
        for _ in 0..<1_000 where !queue.isEmpty || !lent.isEmpty || !opening.isEmpty {
            now += .milliseconds(50)
            try perform(pool.tick(now: now))
            try answer(succeeds: true)
            try giveBack()
            try check()
        }
        try #require(queue.isEmpty && outcomes.count == count)
        try perform(pool.close())
        try #require(pool.connectionCount == 0)
    }
}
