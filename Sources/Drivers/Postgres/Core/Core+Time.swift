import MartletCore
import MartletStorage

// What happens because time has passed.

extension Core {
    /// What the poller waits for.
    struct Watch: Sendable {
        var connections: [(id: ConnectionID, socket: Int32, wantsWrite: Bool)]
        var until: Instant?
    }

    /// `nil` when there is nothing to wait for any more.
    mutating func watch(now: Instant) -> Watch? {
        if isClosed, links.isEmpty, attempts.isEmpty { return nil }
        needsPoller = false
        let until = isActive(now) ? now + limits.look : restUntil(now)
        nextLook = until ?? now + .seconds(3600)
        return Watch(connections: links.values.map { ($0.id, $0.socket, $0.wantsWrite) }, until: until)
    }

    /// Something begins that has a time limit.
    mutating func active(_ now: Instant) {
        lastActivity = now
        if nextLook > now + limits.look * 2 { needsPoller = true }
    }

    /// For a while after the last activity the poller keeps looking at the clock, so that it need not be woken for each statement.
    func isActive(_ now: Instant) -> Bool {
        lastActivity.duration(to: now) < .seconds(1)
            || links.values.contains { link in
                if case .lease(let terms) = link.role { return terms.listener == nil }
                return !link.isIdle
            }
    }

    func restUntil(_ now: Instant) -> Instant? {
        let lanesAreOpen = links.values.contains { if case .lane = $0.role { true } else { false } }
        return [pool.nextTick, lanesAreOpen ? now + .seconds(5) : nil].compactMap { $0 }.min()
    }

    /// Does what has become due.
    mutating func tick(now: Instant) {
        guard lastTick.duration(to: now) >= limits.look * 0.8 else { return }
        lastTick = now
        forgetStuckCancellations(now: now)
        perform(pool.tick(now: now), now: now)
        for link in Array(links.values) where links[link.id] != nil { lookAt(link, now: now) }
        if !links.isEmpty, isSilent(now) { perform(pool.probe(), now: now) }
    }

    mutating func lookAt(_ link: Link, now: Instant) {
        if case .lease(let terms) = link.role, let deadline = terms.deadline, deadline <= now { return expire(link, now: now) }
        guard let (pending, since) = link.pending else { return retireIfUnused(link, now: now) }
        let age = since.duration(to: now)
        if age > settings.statementTimeout + limits.grace, hasTimeLimit(link) { return giveUp(link, now: now) }
        if let asked = link.cancelledAt, asked.duration(to: now) > limits.obedience { return giveUp(link, now: now) }
        // A rollback takes no time, and nobody waits for it.
        if pending.isEmpty, age > limits.obedience { return drop(link, now: now) }
        if case .lane(let group, let lane) = link.role, age > (limits.patience[group] ?? .zero) + link.roundTrip {
            takeApart(pending, on: link, group, lane, now: now)
        } else if age > limits.short, pending.allSatisfy(\.isAnswered), !pending.isEmpty {
            cancel(link, now: now)
        }
    }

    /// Nothing should wait behind a slow statement. One alone gets the connection for itself; a batch is cancelled and run one by one.
    mutating func takeApart(_ pending: [Job], on link: Link, _ group: LaneGroup, _ lane: Int, now: Instant) {
        if pending.count == 1 {
            pending[0].isAlone = true
            leave(link, group, lane, now: now)
        } else {
            cancel(link, now: now)
        }
    }

    mutating func cancel(_ link: Link, now: Instant) {
        // From when it was wanted: all cancellations on their way may be stuck, as this connection is.
        if link.cancelledAt == nil { link.cancelledAt = now }
        guard !link.isSpent, cancellations.count < limits.cancellations, let cancellation = link.cancellation() else { return }
        link.isSpent = true
        cancellations[link.id] = now
        effects.append(.cancel(cancellation))
    }

    mutating func cancelled(_ id: ConnectionID) { cancellations[id] = nil }

    /// Something between here and the server may swallow a cancellation, whose thread then waits for ever; others are still to be sent.
    mutating func forgetStuckCancellations(now: Instant) {
        for (id, since) in cancellations where since.duration(to: now) > limits.obedience { cancellations[id] = nil }
    }

    /// The connection has been lent for too long: what runs on it is given up, and the server undoes it.
    mutating func expire(_ link: Link, now: Instant) {
        for job in link.abandon() { answer(job, .failure(Self.transactionTimedOut)) }
        giveUp(link, now: now)
    }

    /// Drops a connection whose server may still be at work for it.
    mutating func giveUp(_ link: Link, now: Instant) {
        if let cancellation = link.cancellation() {
            cancellations[link.id] = now
            effects.append(.cancel(cancellation))
        }
        drop(link, now: now)
    }

    func hasTimeLimit(_ link: Link) -> Bool {
        if case .lease(let terms) = link.role { return terms.deadline != nil }
        return true
    }

    mutating func retireIfUnused(_ link: Link, now: Instant) {
        guard case .lane(let group, let lane) = link.role, lanes[group]?.isIdle(lane) == true, pool.isOld(link.id, now: now) else { return }
        leave(link, group, lane, now: now)
        giveBack(link, now: now)
    }

    func isSilent(_ now: Instant) -> Bool {
        let oldest = links.values.compactMap(\.pending?.since).min()
        return oldest.map { max($0, lastHeard).duration(to: now) > limits.silence } ?? false
    }
}
