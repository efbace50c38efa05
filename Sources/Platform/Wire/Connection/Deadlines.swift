import NIOCore

/// The clocks of one connection, as a pure state machine: time comes in, verdicts come out.
///
/// No event moves a running deadline: only the end of a phase starts the next one's clock.
struct Deadlines {
    enum Verdict: Hashable {
        /// Nothing was under way: close.
        case idle
        case headTooSlow
        case bodyTooSlow
        /// The peer does not read its response: cut it off.
        case writeStalled
        case lingered
    }

    private enum Phase {
        case opening(until: NIODeadline)
        case idle(until: NIODeadline)
        case head(until: NIODeadline)
        case body
        case answering
        case lingering(until: NIODeadline)
    }

    private let limits: WireLimits
    private var phase: Phase
    private var body = BodyClock()
    private var write = WriteClock()

    init(limits: WireLimits, opened now: NIODeadline) {
        self.limits = limits
        phase = .opening(until: now + TimeAmount(limits.headerTimeout))
    }

    /// A request's first bytes are here, its head is not complete. Repeating it changes nothing.
    mutating func headBegan(at now: NIODeadline) {
        switch phase {
        case .opening(let until): phase = .head(until: until)
        case .idle: phase = .head(until: now + TimeAmount(limits.headerTimeout))
        case .head, .body, .answering, .lingering: break
        }
    }

    /// A head is complete and a body will follow.
    mutating func bodyBegan() {
        phase = .body
        body = BodyClock()
    }

    mutating func bodyArrived(_ count: Int) {
        body.received += count
    }

    /// The wire began, or ceased, to wait for bytes of the body. Only waiting counts against the peer.
    mutating func waits(_ isWaiting: Bool, at now: NIODeadline) {
        guard case .body = phase else { return }
        body.waits(isWaiting, at: now)
    }

    /// The request is complete; its response has no deadline here but the peer's reading of it.
    mutating func requestEnded() {
        phase = .answering
    }

    /// Request and response are complete.
    mutating func exchangeEnded(at now: NIODeadline) {
        phase = .idle(until: now + TimeAmount(limits.idleTimeout))
    }

    /// The last answer was sent; the peer may read it before the connection closes.
    mutating func lingering(at now: NIODeadline) {
        phase = .lingering(until: now + TimeAmount(limits.lingerTimeout))
    }

    /// What must happen now, if anything. `pending` bytes wait to be sent; `accepted` were sent since the connection opened.
    mutating func verdict(at now: NIODeadline, pending: Int, accepted: Int) -> Verdict? {
        if write.isStalled(at: now, pending: pending, accepted: accepted, limits: limits) { return .writeStalled }
        switch phase {
        case .opening(let until), .idle(let until): return now >= until ? .idle : nil
        case .head(let until): return now >= until ? .headTooSlow : nil
        case .body: return body.isTooSlow(at: now, limits: limits) ? .bodyTooSlow : nil
        case .lingering(let until): return now >= until ? .lingered : nil
        case .answering: return nil
        }
    }
}

/// How long the wire has waited for a body, and what came.
private struct BodyClock {
    var received = 0
    private var waited = TimeAmount.zero
    private var since: NIODeadline?

    mutating func waits(_ isWaiting: Bool, at now: NIODeadline) {
        if isWaiting {
            since = since ?? now
        } else if let since {
            waited = waited + (now - since)
            self.since = nil
        }
    }

    func isTooSlow(at now: NIODeadline, limits: WireLimits) -> Bool {
        let elapsed = since.map { waited + (now - $0) } ?? waited
        guard elapsed < TimeAmount(limits.bodyTimeout) else { return true }
        let late = elapsed - TimeAmount(limits.bodyGrace)
        return received < bytes(at: limits.minimumBodyRate, over: late)
    }
}

/// How much of a waiting response the peer accepted within the current window.
private struct WriteClock {
    private var window: (start: NIODeadline, accepted: Int)?

    mutating func isStalled(at now: NIODeadline, pending: Int, accepted: Int, limits: WireLimits) -> Bool {
        guard pending > 0 else {
            window = nil
            return false
        }
        guard let window, now - window.start >= TimeAmount(limits.writeStallTimeout) else {
            self.window = window ?? (now, accepted)
            return false
        }
        self.window = (now, accepted)
        return accepted - window.accepted < max(1, bytes(at: limits.minimumBodyRate, over: TimeAmount(limits.writeStallTimeout)))
    }
}

/// Bytes at a rate per second over a time; 0 for a time not yet begun.
private func bytes(at rate: Int, over time: TimeAmount) -> Int {
    guard time.nanoseconds > 0 else { return 0 }
    return Int(Double(rate) * Double(time.nanoseconds) / 1e9)
}
