/// How long one has to wait after failures: not at all after the first few of a while, then for a time that doubles with each further one.
///
/// Nobody is locked out: the wait has an end, after which one attempt is admitted. All arithmetic is on whole microseconds, by the clock of
/// whoever counts; a stored time that lies ahead, as after a clock was set back, counts as the present.
public struct GrowingDelay: Sendable, Hashable {
    /// The failure with which waiting begins.
    public let patience: Int
    /// How long failures are remembered: from the first one while there is no wait, and from the end of the last wait afterwards.
    public let memory: Duration
    /// The first wait.
    public let shortest: Duration
    /// The wait that does not grow any more.
    public let longest: Duration

    /// Traps for less than one failure, and for waits that do not grow.
    public init(patience: Int, within memory: Duration, from shortest: Duration, upTo longest: Duration) {
        precondition(patience > 0, "Who has not failed does not wait.")
        precondition(.zero < shortest && shortest <= longest && .zero < memory, "A wait is a time, and grows.")
        (self.patience, self.memory, self.shortest, self.longest) = (patience, memory, shortest, longest)
    }

    /// The wait that so many failures lead to.
    public func wait(after failures: Int) -> Duration {
        guard failures >= patience else { return .zero }
        let doublings = failures - patience
        return doublings < 32 ? min(shortest * (1 << doublings), longest) : longest
    }
}

/// The failures of one subject that are remembered. Times are in microseconds.
struct FailureRecord: Sendable, Hashable {
    var count: Int64
    var first: Int64
    var last: Int64
}

extension GrowingDelay {
    /// Counts an attempt as failed unless it has to wait, for which it is not counted; returns what is left to wait.
    func attempt(_ record: inout FailureRecord?, at now: Int64) -> Duration {
        if let known = record, forgottenAt(known) <= now { record = nil }
        guard var known = record else {
            record = FailureRecord(count: 1, first: now, last: now)
            return .zero
        }
        known.last = min(known.last, now)
        let left = known.last + wait(after: Int(known.count)).microseconds - now
        guard left <= 0 else { return .microseconds(left) }
        record = FailureRecord(count: known.count + 1, first: known.first, last: now)
        return .zero
    }

    /// When a record counts no more.
    func forgottenAt(_ record: FailureRecord) -> Int64 {
        let wait = wait(after: Int(record.count)).microseconds
        return (wait == 0 ? record.first : record.last + wait) + memory.microseconds
    }
}

extension Duration {
    package var microseconds: Int64 { components.seconds * 1_000_000 + components.attoseconds / 1_000_000_000_000 }
}
