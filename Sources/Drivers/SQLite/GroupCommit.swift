import MartletStorage

/// Who writes next and when the group commits: a pure state machine, performed by ``Writer``.
///
/// Writers take turns, one at a time. Each one that has had its turn joins the group, and one commit, with one wait for the disk, ends the
/// turns of all. Nobody waits for a group to form: whoever queued while the last commit was under way is in the next.
struct GroupCommit<Member> {
    struct Limits {
        /// Bounds what one failed commit takes down.
        var members = 64
        /// Bounds how long the first member waits for the last.
        var duration = Duration.milliseconds(5)
        /// Bounds how many may wait.
        var waiting: Int
    }

    enum Action {
        /// Begin a group if none is open, then give this member its turn.
        case run(Member)
        /// Commit, then answer these.
        case commit([Member])
        /// Nothing to do until the next ``enqueue(_:alone:)`` that returns `.start`.
        case rest
    }

    enum Entrance: Equatable { case start, wait, full, closed }

    private struct Waiting {
        let member: Member
        let isAlone: Bool
        /// Since when it has waited for others; `nil` when there were none.
        let since: ContinuousClock.Instant?
    }

    private let limits: Limits
    private var waiting: [UInt64: Waiting] = [:]
    private var (first, last): (UInt64, UInt64) = (1, 0)
    private(set) var group: [Member] = []
    private var groupBegan: ContinuousClock.Instant?
    private var groupIsAlone = false
    private var isBusy = false
    private var isClosed = false
    private var (waited, refused, waitedTime) = (0, 0, Duration.zero)

    init(_ limits: Limits) {
        self.limits = limits
    }

    /// Queues a member under the returned ticket. After `.start` the caller performs ``next(now:)`` until it rests.
    ///
    /// A member that is `alone` shares its group with no one.
    mutating func enqueue(
        _ member: Member, alone: Bool = false, now: @autoclosure () -> ContinuousClock.Instant = .now
    ) -> (Entrance, ticket: UInt64) {
        if isClosed { return (.closed, 0) }
        if waiting.count >= limits.waiting {
            refused += 1
            return (.full, 0)
        }
        last += 1
        if isBusy { waited += 1 }
        waiting[last] = Waiting(member: member, isAlone: alone, since: isBusy ? now() : nil)
        defer { isBusy = true }
        return (isBusy ? .wait : .start, last)
    }

    /// Takes a member out of the queue; `nil` when its turn has come already.
    mutating func leave(_ ticket: UInt64, now: @autoclosure () -> ContinuousClock.Instant = .now) -> Member? {
        guard let leaving = waiting.removeValue(forKey: ticket) else { return nil }
        if let since = leaving.since { waitedTime += since.duration(to: now()) }
        return leaving.member
    }

    /// What to do next, when no member has the turn.
    mutating func next(now: ContinuousClock.Instant) -> Action {
        while first <= last, waiting[first] == nil { first += 1 }
        guard let head = waiting[first], mayJoin(head, now) else { return group.isEmpty ? rest() : commit() }
        waiting[first] = nil
        if let since = head.since { waitedTime += since.duration(to: now) }
        if group.isEmpty { groupBegan = now }
        groupIsAlone = head.isAlone
        return .run(head.member)
    }

    /// The member had its turn and waits for the commit.
    mutating func join(_ member: Member) {
        group.append(member)
    }

    /// The open group, which is lost: its transaction is no more.
    mutating func dissolve() -> [Member] {
        defer { group = [] }
        return group
    }

    /// Refuses further members; those in the queue still have their turn.
    mutating func close() { isClosed = true }

    var waitingCount: Int { waiting.count }

    var isResting: Bool { !isBusy }

    /// The load of the one connection that writes.
    var load: DatabaseLoad {
        DatabaseLoad(
            connections: 1, inUse: isBusy ? 1 : 0, waiting: waiting.count, waited: waited, refused: refused, waitedTime: waitedTime)
    }

    private func mayJoin(_ head: Waiting, _ now: ContinuousClock.Instant) -> Bool {
        guard !group.isEmpty, let groupBegan else { return true }
        return !head.isAlone && !groupIsAlone && group.count < limits.members && groupBegan.duration(to: now) < limits.duration
    }

    private mutating func commit() -> Action { .commit(dissolve()) }

    private mutating func rest() -> Action {
        isBusy = false
        return .rest
    }
}
