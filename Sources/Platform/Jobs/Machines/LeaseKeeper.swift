/// Whether a worker may work: it holds a lease in the database under an identity, renewed by heartbeats. A pure state machine: the runner
/// performs what ``next(at:)`` says and reports the answers.
///
/// Times are this process's own and pessimistic. A lease counts from when the request for it was sent, and work is given up a tenth of the
/// period before it can end in the database. They are `ContinuousClock` instants because that clock goes on while the machine sleeps.
///
/// An identity that was given up is never used again: `.acquire` takes a new one. An answer is told from that to an earlier request by
/// `sentAt`, the instant for which ``next(at:)`` said to send it; what comes late for an identity that is gone is ignored.
struct LeaseKeeper {
    typealias Instant = ContinuousClock.Instant

    enum Action: Equatable {
        /// Take a lease under a new identity; report ``acquired(sentAt:)`` or ``failed(sentAt:at:)``.
        case acquire
        /// Renew it, if it has not ended; report ``renewed(sentAt:)``, ``refused(sentAt:)`` or ``failed(sentAt:at:)``.
        case renew
        /// Cancel all running work: the identity is lost.
        case abandon
        /// Give the lease back; no answer is awaited.
        case release
        /// Nothing to do until then, unless something is reported.
        case wait(until: Instant)
        /// All is over.
        case stop
    }

    private enum Phase {
        /// No lease, and none is asked for before `retry`.
        case without(retry: Instant?)
        case acquiring(sentAt: Instant)
        case holding(Lease)
        /// The lease is lost, and the work under it has still to be cancelled.
        case lost
        case stopped
    }

    private struct Lease {
        /// When the request was sent that took it: answers to earlier ones are not about it.
        let begun: Instant
        /// When the last request was sent that the database granted.
        var granted: Instant
        /// When the next renewal is sent. One that is not answered by then counts as lost.
        var renewal: Instant
    }

    private let period: Duration
    private var phase = Phase.without(retry: nil)
    private var failures = 0
    private var isShuttingDown = false

    /// - Parameter period: How long the database grants a lease at a time.
    init(period: Duration) {
        precondition(period > .zero, "a lease lasts some time")
        self.period = period
    }

    /// Until when work may go on, if nothing is reported; `nil` without a lease. Cancel by itself what runs longer.
    var heldUntil: Instant? {
        if case .holding(let lease) = phase { end(of: lease.granted) } else { nil }
    }

    func isHeld(at now: Instant) -> Bool { heldUntil.map { now < $0 } ?? false }

    /// What to do now. Ask again when it is done or the wait is over, and after every report.
    mutating func next(at now: Instant) -> Action {
        switch phase {
        case .without(let retry): isShuttingDown ? stop() : acquire(at: now, notBefore: retry)
        case .acquiring(let sentAt): isShuttingDown ? stop() : awaitLease(sentAt, at: now)
        case .holding(let lease): hold(lease, at: now)
        case .lost: abandon()
        case .stopped: .stop
        }
    }

    /// Gives the lease back, then stops. Call it when the work has ended: there are no heartbeats any more. A lease whose request is not
    /// answered yet is left to end by itself.
    mutating func shutDown() { isShuttingDown = true }
}

// MARK: Steps

extension LeaseKeeper {
    private mutating func acquire(at now: Instant, notBefore retry: Instant?) -> Action {
        if let retry, now < retry { return .wait(until: retry) }
        phase = .acquiring(sentAt: now)
        return .acquire
    }

    /// A lease that is granted later than this has hardly any time left.
    private mutating func awaitLease(_ sentAt: Instant, at now: Instant) -> Action {
        if now < end(of: sentAt) { return .wait(until: end(of: sentAt)) }
        phase = .without(retry: pause(at: now))
        return next(at: now)
    }

    private mutating func hold(_ lease: Lease, at now: Instant) -> Action {
        if now >= end(of: lease.granted) { return abandon() }
        if isShuttingDown {
            phase = .stopped
            return .release
        }
        if now < lease.renewal { return .wait(until: min(lease.renewal, end(of: lease.granted))) }
        phase = .holding(Lease(begun: lease.begun, granted: lease.granted, renewal: now + period / 3))
        return .renew
    }

    private mutating func abandon() -> Action {
        phase = .without(retry: nil)
        return .abandon
    }

    private mutating func stop() -> Action {
        phase = .stopped
        return .stop
    }

    private func end(of sentAt: Instant) -> Instant { sentAt + (period - period / 10) }

    /// From a sixtieth of the period, doubling, to a sixth: several attempts fit in what is left of a lease.
    private mutating func pause(at now: Instant) -> Instant {
        failures += 1
        return now + min(period / 6, period / 60 * (1 << min(failures - 1, 4)))
    }
}

// MARK: Reports

extension LeaseKeeper {
    mutating func acquired(sentAt: Instant) {
        guard case .acquiring(sentAt) = phase else { return }
        failures = 0
        phase = .holding(Lease(begun: sentAt, granted: sentAt, renewal: sentAt + period / 3))
    }

    mutating func renewed(sentAt: Instant) {
        guard case .holding(var lease) = phase, sentAt > lease.granted else { return }
        failures = 0
        (lease.granted, lease.renewal) = (sentAt, sentAt + period / 3)
        phase = .holding(lease)
    }

    /// The database says that the lease is not ours any more.
    mutating func refused(sentAt: Instant) {
        guard case .holding(let lease) = phase, sentAt > lease.begun else { return }
        phase = .lost
    }

    /// A request has failed, or its outcome is unknown.
    mutating func failed(sentAt: Instant, at now: Instant) {
        switch phase {
        case .acquiring(sentAt): phase = .without(retry: pause(at: now))
        case .holding(var lease) where sentAt > lease.granted:
            lease.renewal = pause(at: now)
            phase = .holding(lease)
        default: return
        }
    }
}
