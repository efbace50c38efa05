/// Decides, from how calls of the shared counts end, whether they are there.
///
/// A call that began before the last change says nothing of what is now: late answers do not make the state flutter.
struct FallbackMachine {
    enum Change: Hashable { case lost, found }

    private(set) var state = LimiterState.exact
    private var changes = 0

    /// To be handed back when the call ends.
    var beginning: Int { changes }

    mutating func answered(since beginning: Int) -> Change? {
        change(to: .exact, .found, since: beginning)
    }

    mutating func failed(since beginning: Int) -> Change? {
        change(to: .degraded, .lost, since: beginning)
    }

    private mutating func change(to next: LimiterState, _ change: Change, since beginning: Int) -> Change? {
        guard beginning == changes, next != state else { return nil }
        state = next
        changes += 1
        return change
    }
}
