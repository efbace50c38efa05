/// Who may begin, who waits, and who is refused: a pure state machine, performed by ``Admission``.
///
/// - Nobody waits for longer than ``Patience`` says: a queue that formed a moment ago is a burst and may drain; one that stands is
///   overload, and waiting in it only makes every answer late (CoDel, RFC 8289, in the form of B. Maurer, "Fail at Scale", ACM Queue 2015).
/// - In a standing queue the newest goes first: whoever came last is the likeliest to be still waiting for the answer.
/// - The higher class goes first, and pushes the lowest out of a full queue; but each class has a sliver of the places before others get more,
///   so that none starves.
struct AdmissionQueue {
    typealias Instant = ContinuousClock.Instant

    enum Action: Equatable {
        case begin(UInt64, WorkClass)
        case refuse(UInt64, WorkClass)
    }

    struct Patience {
        /// How long one may wait in a queue that formed at most this long ago. A queue is over when nobody has had to wait for as long:
        /// being empty for an instant, because all who waited were refused, does not end it.
        var burst = Duration.milliseconds(100)
        /// How long one may wait in a queue that has been standing for longer.
        var standing = Duration.milliseconds(5)
    }

    private struct Waiter {
        let ticket: UInt64
        let since: Instant
        let deadline: Instant?
    }

    /// How many may be worked on at a time.
    var limit: Int
    /// By how much the process is late with everything: nobody could have begun in that time, so one may wait so much longer.
    var lag = Duration.zero
    private let patience: Patience
    /// Who waits, by class, the oldest first.
    private var lines = [[Waiter]](repeating: [], count: WorkClass.allCases.count)
    private var working = [Int](repeating: 0, count: WorkClass.allCases.count)
    private(set) var queued = 0
    private(set) var running = 0
    private var lastWait: Instant?
    private var standingSince: Instant?

    init(limit: Int, patience: Patience = Patience()) {
        (self.limit, self.patience) = (limit, patience)
    }

    /// Whether the limit keeps anybody from beginning.
    var isFull: Bool { running >= limit }

    /// Begins work if there is room at this moment.
    mutating func begin(_ kind: WorkClass) -> Bool {
        guard kind == .vital || mayBegin(kind) else { return false }
        start(kind)
        return true
    }

    /// Work begins whether there is room or not.
    mutating func start(_ kind: WorkClass) {
        guard kind != .vital else { return }
        running += 1
        working[kind.rawValue] += 1
    }

    /// Queues work if there is no room; when too much is queued, the oldest of the lowest class is refused.
    mutating func enter(_ kind: WorkClass, _ ticket: UInt64, deadline: Instant?, now: Instant) -> [Action] {
        if begin(kind) { return [.begin(ticket, kind)] }
        noteWait(now)
        lines[kind.rawValue].append(Waiter(ticket: ticket, since: now, deadline: deadline))
        queued += 1
        return look(now: now) + (queued > capacity ? [refuseLowest()].compactMap { $0 } : [])
    }

    /// Whether work would be refused after waiting for nothing: the queue stands, and as many of its class or a higher one wait as can hope for
    /// a place.
    mutating func turnsAway(_ kind: WorkClass, now: Instant) -> Bool {
        guard kind != .vital, !mayBegin(kind), isStanding(now) else { return false }
        guard lines[...kind.rawValue].reduce(0, { $0 + $1.count }) >= hopeful else { return false }
        noteWait(now)
        return true
    }

    /// Work has ended; others begin in its place.
    mutating func end(_ kind: WorkClass, now: () -> Instant) -> [Action] {
        guard kind != .vital else { return [] }
        running -= 1
        working[kind.rawValue] -= 1
        return queued == 0 ? [] : look(now: now())
    }

    /// Whoever waits with this ticket does not any more; no harm is done when nobody does.
    mutating func cancel(_ ticket: UInt64) {
        for index in lines.indices {
            guard let place = lines[index].firstIndex(where: { $0.ticket == ticket }) else { continue }
            lines[index].remove(at: place)
            queued -= 1
        }
    }

    /// Has others begin while there is room, and refuses who has waited for too long; never the other way round, or places would stay empty
    /// after a moment in which the whole process stood still.
    mutating func look(now: Instant) -> [Action] {
        if queued > 0 { lastWait = now }
        var actions = refuse { $0.deadline.map { $0 <= now } ?? false }
        while let kind = next, let waiter = take(kind, now: now) {
            start(kind)
            actions.append(.begin(waiter.ticket, kind))
        }
        let longest = isStanding(now) ? min(patience.burst, patience.standing + lag) : patience.burst
        return actions + refuse { $0.since.duration(to: now) > longest }
    }

    /// How many may wait: as many as work, so that a burst of a limit's size is no overload, and some however low the limit is: how long each
    /// may wait is bounded anyway.
    var capacity: Int { max(64, limit) }

    /// How many need to wait for places not to stay empty, once the queue stands: in the time it takes to serve one, many more come.
    var hopeful: Int { max(2, limit / 8) }

    /// How many places each class may have before others get more.
    var sliver: Int { max(1, limit / 16) }
}

extension AdmissionQueue {
    private func mayBegin(_ kind: WorkClass) -> Bool {
        running < limit && (kind != .bulk || working[kind.rawValue] < max(1, limit / 2))
    }

    /// The class whose turn it is.
    private var next: WorkClass? {
        guard queued > 0, running < limit else { return nil }
        let candidates = WorkClass.allCases.filter { !lines[$0.rawValue].isEmpty && mayBegin($0) }
        return candidates.first { working[$0.rawValue] < sliver } ?? candidates.first
    }

    private mutating func take(_ kind: WorkClass, now: Instant) -> Waiter? {
        queued -= 1
        return isStanding(now) ? lines[kind.rawValue].popLast() : lines[kind.rawValue].removeFirst()
    }

    private func isStanding(_ now: Instant) -> Bool {
        standingSince.map { $0.duration(to: now) > patience.burst } ?? false
    }

    private mutating func noteWait(_ now: Instant) {
        let isNew = lastWait.map { $0.duration(to: now) > patience.burst } ?? true
        if isNew, queued == 0 { standingSince = now }
        lastWait = now
    }

    private mutating func refuse(_ isLate: (Waiter) -> Bool) -> [Action] {
        guard queued > 0 else { return [] }
        var actions: [Action] = []
        for kind in WorkClass.allCases where !lines[kind.rawValue].isEmpty {
            lines[kind.rawValue].removeAll { waiter in
                guard isLate(waiter) else { return false }
                actions.append(.refuse(waiter.ticket, kind))
                return true
            }
        }
        queued -= actions.count
        return actions
    }

    private mutating func refuseLowest() -> Action? {
        guard let kind = WorkClass.allCases.last(where: { !lines[$0.rawValue].isEmpty }) else { return nil }
        queued -= 1
        return .refuse(lines[kind.rawValue].removeFirst().ticket, kind)
    }
}
