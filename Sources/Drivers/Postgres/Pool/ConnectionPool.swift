/// Who gets which connection, and when connections are opened and closed: a pure state machine, performed by ``Core``.
///
/// Waiters are served first come first served. Connections are opened as they are needed. When the server cannot be reached, waiters are
/// refused at once, and one attempt after another, with growing pauses, looks whether it is back.
struct ConnectionPool<Waiter> {
    typealias Instant = ContinuousClock.Instant

    struct Limits {
        /// Connections that are kept, and further ones while they are needed.
        var size: Int
        var overflow: Int
        /// Bounds how many may wait, and for how long.
        var waiting: Int
        var wait: Duration
        var lifetime: Duration
        var idle: Duration
        /// How long those beyond `size` are kept when nobody needs them: the next burst is often a moment away.
        var idleBeyondSize = Duration.seconds(1)
        /// Bounds how many connections are being opened at the same moment.
        var opening = 8
        /// Pauses between attempts to reach the server: the first, and the longest.
        var pause = Duration.milliseconds(50)...Duration.seconds(1)
    }

    enum Action {
        /// Open a connection and report ``opened(_:now:jitter:)`` or ``failed(_:silent:now:jitter:)``.
        case open(ConnectionID)
        case lend(ConnectionID, Waiter)
        case close(ConnectionID)
        case refuse(Waiter, Refusal)
    }

    enum Refusal: Sendable { case full, timedOut, unreachable, closed }

    private struct Waiting {
        let waiter: Waiter
        let since: Instant
    }

    private struct Member {
        let expires: Instant
        var idleSince: Instant?
    }

    private let limits: Limits
    private var members: [ConnectionID: Member] = [:]
    /// The idle members, the one used last at the end: it is lent next, so that those not needed grow old.
    private var idle: [ConnectionID] = []
    private var opening: Set<ConnectionID> = []
    /// The attempt that only looks whether the server is there.
    private var probing: ConnectionID?
    private var waiting: [UInt64: Waiting] = [:]
    private var (first, last): (UInt64, UInt64) = (1, 0)
    private var lastID: ConnectionID = 0
    private var failures = 0
    private var retry: Instant?
    private(set) var isUnreachable = false
    private var isClosed = false
    private(set) var waits = Waits()

    /// What is counted since the start.
    struct Waits: Equatable {
        var count = 0
        var refused = 0
        var time = Duration.zero
    }

    init(_ limits: Limits) {
        self.limits = limits
    }
}

typealias ConnectionID = UInt64

// MARK: Waiters

extension ConnectionPool {
    /// Queues a waiter; its ticket is for ``leave(_:)``.
    mutating func borrow(_ waiter: Waiter, now: Instant) -> (ticket: UInt64, actions: [Action]) {
        if let refusal = refusal { return (0, [refuse(waiter, refusal)]) }
        last += 1
        let ticket = last
        waiting[ticket] = Waiting(waiter: waiter, since: now)
        let actions = serve(now: now)
        // One for whom a connection is being opened waits for nobody.
        if waiting.count > opening.count { waits.count += 1 }
        return (ticket, actions)
    }

    /// Takes a waiter out of the queue; `nil` when its turn has come already.
    mutating func leave(_ ticket: UInt64) -> Waiter? {
        defer { skipThoseWhoLeft() }
        return waiting.removeValue(forKey: ticket)?.waiter
    }

    private var refusal: Refusal? {
        if isClosed { return .closed }
        if isUnreachable { return .unreachable }
        return idle.isEmpty && waiting.count >= limits.waiting ? .full : nil
    }

    private mutating func refuse(_ waiter: Waiter, _ refusal: Refusal) -> Action {
        waits.refused += 1
        return .refuse(waiter, refusal)
    }

    private mutating func refuseAll(_ refusal: Refusal) -> [Action] {
        var actions: [Action] = []
        while let next = nextWaiter() { actions.append(refuse(next.waiter, refusal)) }
        return actions
    }

    private mutating func serve(now: Instant) -> [Action] {
        var actions: [Action] = []
        skipThoseWhoLeft()
        while let head = waiting[first], let connection = popIdle(now: now, &actions) {
            waiting[first] = nil
            waits.time += head.since.duration(to: now)
            actions.append(.lend(connection, head.waiter))
            skipThoseWhoLeft()
        }
        while needsAnother { actions.append(open()) }
        return actions
    }

    private mutating func nextWaiter() -> Waiting? {
        skipThoseWhoLeft()
        return waiting.removeValue(forKey: first)
    }

    private mutating func skipThoseWhoLeft() {
        while first <= last, waiting[first] == nil { first += 1 }
    }
}

// MARK: Connections

extension ConnectionPool {
    mutating func opened(_ id: ConnectionID, now: Instant, jitter: Double) -> [Action] {
        opening.remove(id)
        if isClosed { return [.close(id)] }
        (failures, retry, isUnreachable) = (0, nil, false)
        if isSuperfluous(id) { return [.close(id)] + serve(now: now) }
        // They do not all grow old at the same moment.
        members[id] = Member(expires: now + limits.lifetime * (0.9 + jitter / 10), idleSince: now)
        idle.append(id)
        return serve(now: now)
    }

    /// - Parameter silent: Whether nothing was heard of the server while the attempt lasted: then nobody needs to wait for it.
    mutating func failed(_ id: ConnectionID, silent: Bool, now: Instant, jitter: Double) -> [Action] {
        opening.remove(id)
        if isClosed { return [] }
        failures += 1
        let pause = min(limits.pause.upperBound, limits.pause.lowerBound * Double(1 << min(failures - 1, 10)))
        retry = now + pause * (0.5 + jitter / 2)
        isUnreachable = isUnreachable || silent || members.isEmpty
        return isUnreachable ? refuseAll(.unreachable) : []
    }

    /// A connection comes back; one that cannot be used again is closed.
    mutating func giveBack(_ id: ConnectionID, reusable: Bool, now: Instant) -> [Action] {
        guard let member = members[id] else { return [] }
        guard reusable, !isClosed, now < member.expires else { return [.close(id)] + lost(id, now: now) }
        members[id]?.idleSince = now
        idle.append(id)
        return serve(now: now)
    }

    /// A connection is gone.
    mutating func lost(_ id: ConnectionID, now: Instant) -> [Action] {
        members[id] = nil
        idle.removeAll { $0 == id }
        return serve(now: now)
    }

    /// Whether the connection should be exchanged for a new one at the next opportunity.
    func isOld(_ id: ConnectionID, now: Instant) -> Bool {
        members[id].map { $0.expires <= now } ?? true
    }

    /// Looks whether the server can be reached, beside whatever is going on. The connection is closed again unless somebody needs it.
    mutating func probe() -> [Action] {
        guard opening.isEmpty, !isClosed else { return [] }
        defer { probing = lastID }
        return [open()]
    }

    private func isSuperfluous(_ id: ConnectionID) -> Bool {
        members.count >= limits.size + limits.overflow || (id == probing && !members.isEmpty && waiting.isEmpty)
    }

    private var needsAnother: Bool {
        opening.count < min(waiting.count, limits.opening) && members.count + opening.count < limits.size + limits.overflow && retry == nil
    }

    private mutating func open() -> Action {
        lastID += 1
        opening.insert(lastID)
        return .open(lastID)
    }

    private mutating func popIdle(now: Instant, _ actions: inout [Action]) -> ConnectionID? {
        while let id = idle.popLast() {
            guard isOld(id, now: now) else {
                members[id]?.idleSince = nil
                return id
            }
            members[id] = nil
            actions.append(.close(id))
        }
        return nil
    }
}

// MARK: Time

extension ConnectionPool {
    /// When ``tick(now:)`` has something to do, if nothing else happens.
    var nextTick: Instant? {
        let oldest = waiting[first].map { $0.since + limits.wait }
        let unused = idle.compactMap { end(of: $0, isSurplus: members.count > limits.size) }.min()
        return [oldest, retry, unused].compactMap { $0 }.min()
    }

    mutating func tick(now: Instant) -> [Action] {
        refuseThoseWhoWaitedTooLong(now: now) + closeUnused(now: now) + tryAgain(now: now) + serve(now: now)
    }

    private mutating func refuseThoseWhoWaitedTooLong(now: Instant) -> [Action] {
        var actions: [Action] = []
        skipThoseWhoLeft()
        while let head = waiting[first], head.since + limits.wait <= now {
            waiting[first] = nil
            waits.time += head.since.duration(to: now)
            actions.append(refuse(head.waiter, .timedOut))
            skipThoseWhoLeft()
        }
        return actions
    }

    private mutating func closeUnused(now: Instant) -> [Action] {
        var surplus = members.count - limits.size
        let unused = idle.filter { id in
            surplus -= 1
            return end(of: id, isSurplus: surplus >= 0).map { $0 <= now } ?? true
        }
        for id in unused { members[id] = nil }
        idle.removeAll { unused.contains($0) }
        return unused.map { .close($0) }
    }

    /// When an idle connection is closed.
    private func end(of id: ConnectionID, isSurplus: Bool) -> Instant? {
        guard let member = members[id], let since = member.idleSince else { return nil }
        return min(member.expires, since + (isSurplus ? limits.idleBeyondSize : limits.idle))
    }

    private mutating func tryAgain(now: Instant) -> [Action] {
        guard let time = retry, time <= now else { return [] }
        retry = nil
        return isUnreachable ? probe() : []
    }
}

// MARK: Ending, and what is known

extension ConnectionPool {
    /// Refuses everyone and closes what is idle; what is lent is closed as it comes back.
    mutating func close() -> [Action] {
        isClosed = true
        defer {
            for id in idle { members[id] = nil }
            idle = []
        }
        return refuseAll(.closed) + idle.map { .close($0) }
    }

    var connectionCount: Int { members.count }
    var lentCount: Int { members.count - idle.count }
    var waitingCount: Int { waiting.count }
}
