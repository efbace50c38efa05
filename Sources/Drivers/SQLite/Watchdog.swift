import Dispatch
import Synchronization

/// Calls when a turn lasts too long. One timer serves many turns: it is set for the first and moved when it fires, not for each.
final class Watchdog: Sendable {
    private struct Armed {
        let deadline: ContinuousClock.Instant
        let expire: @Sendable () -> Void
    }

    private struct State {
        var armed: Armed?
        var isScheduled = false
    }

    private let state = Mutex(State())
    private let queue = DispatchQueue(label: "martlet.sqlite.watchdog")

    /// Calls `expire` once after `timeout` unless it is disarmed before. It must be quick and must not arm or disarm.
    func arm(_ timeout: Duration, expire: @escaping @Sendable () -> Void) {
        let mustSchedule = state.withLock { state in
            state.armed = Armed(deadline: .now + timeout, expire: expire)
            defer { state.isScheduled = true }
            return !state.isScheduled
        }
        if mustSchedule { schedule(after: timeout) }
    }

    /// When this returns, `expire` has either been called or never will be.
    func disarm() {
        state.withLock { $0.armed = nil }
    }

    private func schedule(after delay: Duration) {
        queue.asyncAfter(deadline: .now() + delay / .seconds(1)) { [weak self] in self?.fire() }
    }

    private func fire() {
        let remaining: Duration? = state.withLock { state in
            guard let armed = state.armed else {
                state.isScheduled = false
                return nil
            }
            let remaining = ContinuousClock.now.duration(to: armed.deadline)
            guard remaining <= .zero else { return remaining }
            // Under the lock, so that a turn which has been disarmed is never interrupted in place of the next one.
            armed.expire()
            state = State()
            return nil
        }
        if let remaining { schedule(after: remaining) }
    }
}
