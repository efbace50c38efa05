/// The generic cell rate algorithm (ITU-T I.371, annex A), as its virtual scheduling: of each key only the *theoretical arrival time* is
/// kept, the moment at which all that was taken will have been given back.
///
/// It is exact, and its bound is this: of calls of weight 1, any span of length `t` sees at most `calls + t / interval` admitted, where
/// `interval` is `period / calls` in microseconds, rounded up. So a burst is at most `calls`, a period that begins with a burst sees at
/// most twice as many (the burst, and what is given back meanwhile), and in the long run it is `calls` a period. A sliding log would admit
/// at most `calls` in every period, at the price of remembering each call; this remembers one number, and nobody waits for a window to end.
///
/// All arithmetic is on whole microseconds and cannot overflow. Whoever keeps the arrival times chooses the clock; a stored time further
/// ahead than a full limit, as after a clock that was set back or a rate that was lowered, counts as a full limit.
public struct GCRA: Sendable, Hashable {
    /// How long it takes to give one call back, in microseconds.
    public let interval: Int64
    /// How long it takes to give all of them back, in microseconds.
    public let capacity: Int64

    public init(_ rate: Rate) {
        let (seconds, attoseconds) = rate.period.components
        let period = seconds * 1_000_000 + attoseconds / 1_000_000_000_000
        let calls = Int64(rate.calls)
        interval = max(1, (period + calls - 1) / calls)
        capacity = interval * calls
    }

    /// What a call of that weight costs, in microseconds: one that weighs more than the whole limit costs the whole limit.
    public func cost(of weight: Int) -> Int64 {
        interval * min(Int64(max(0, weight)), capacity / interval)
    }

    /// What has been taken and not been given back yet, in microseconds.
    public func debt(_ arrival: Int64?, at now: Int64) -> Int64 {
        guard let arrival, arrival > now else { return 0 }
        let (ahead, overflow) = arrival.subtractingReportingOverflow(now)
        return overflow ? capacity : min(ahead, capacity)
    }

    /// Whether a call of that weight is within the limit.
    public func admits(_ weight: Int, on debt: Int64) -> Bool {
        debt + cost(of: weight) <= capacity
    }

    /// The theoretical arrival time of a debt.
    public func arrival(after debt: Int64, at now: Int64) -> Int64 {
        let (sum, overflow) = now.addingReportingOverflow(debt)
        return overflow ? .max : sum
    }

    /// The decision about a call of that weight.
    ///
    /// - Parameter isTaken: Whether its cost is taken, as it is unless some limit refuses the call.
    public func decision(_ weight: Int, on debt: Int64, isTaken: Bool) -> Decision {
        let cost = cost(of: weight)
        let after = isTaken ? debt + cost : debt
        return Decision(
            isAdmitted: debt + cost <= capacity, limit: Int(capacity / interval), remaining: Int(max(0, capacity - after) / interval),
            resetAfter: .microseconds(after), retryAfter: .microseconds(max(0, debt + cost - capacity)))
    }
}
