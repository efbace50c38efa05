import MartletCore

/// Who has the turn of a key and who waits for it, within one process: a pure state machine, performed by ``OneCallPerKey``.
///
/// Whoever waits is told the answer once there is one. A call that failed left nothing: the next one has its turn.
struct KeyTurns<Answer> {
    typealias Ticket = UInt64

    enum Verdict {
        case yourTurn
        case answered(Answer)
    }

    private var queues: [Claim.Name: [Ticket]] = [:]
    private var verdicts: [Ticket: Verdict] = [:]
    private var last: Ticket = 0

    /// How many keys are in use.
    var count: Int { queues.count }

    /// A ticket to wait with; `nil` when the turn is the caller's at once.
    mutating func enter(_ name: Claim.Name) -> Ticket? {
        guard queues[name] != nil else {
            queues[name] = []
            return nil
        }
        last += 1
        queues[name]?.append(last)
        return last
    }

    /// What was decided for a ticket. Without a decision it leaves the queue, and waits no longer.
    mutating func leave(_ name: Claim.Name, _ ticket: Ticket) -> Verdict? {
        if let verdict = verdicts.removeValue(forKey: ticket) { return verdict }
        queues[name]?.removeAll { $0 == ticket }
        return nil
    }

    /// Ends a turn; returns the tickets for which there is a decision now. They ask for it by ``leave(_:_:)``.
    mutating func end(_ name: Claim.Name, _ answer: Answer?) -> [Ticket] {
        guard let waiting = queues[name] else { return [] }
        if let answer {
            queues[name] = nil
            for ticket in waiting { verdicts[ticket] = .answered(answer) }
            return waiting
        }
        guard let next = waiting.first else {
            queues[name] = nil
            return []
        }
        queues[name]?.removeFirst()
        verdicts[next] = .yourTurn
        return [next]
    }
}
