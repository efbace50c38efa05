import MartletCore
import MartletStorage

// What the pool and the lanes decide, done on the connections.

extension Core {
    mutating func perform(_ actions: [ConnectionPool<Waiter>.Action], now: Instant) {
        for action in actions {
            switch action {
            case .open(let id):
                attempts[id] = now
                effects.append(.connect(id))
            case .lend(let id, let waiter): lend(id, to: waiter, now: now)
            case .close(let id): links.removeValue(forKey: id)?.close()
            case .refuse(let waiter, let refusal): refuse(waiter, refusal)
            }
        }
    }

    mutating func lend(_ id: ConnectionID, to waiter: Waiter, now: Instant) {
        guard let link = links[id] else { return }
        switch waiter {
        case .lane(let group, let lane):
            link.role = .lane(group, lane)
            if let action = lanes[group]?.opened(lane) { perform(action, group, now: now) }
        case .job(let job):
            job.ticket = nil
            link.role = .single
            send([job], on: link, now: now)
        case .lease(let request):
            leaseTickets[request.id] = nil
            guard !isPast(request.deadline, now) else {
                effects.append(.lend(request, .failure(Deadline.exceeded)))
                return giveBack(link, now: now)
            }
            lastLease += 1
            let deadline = request.limit.map { now + $0 }
            link.role = .lease(LeaseTerms(serial: lastLease, deadline: deadline, begin: request.begin))
            effects.append(.lend(request, .success(Lease(connection: id, serial: lastLease, deadline: deadline))))
            active(now)
        }
    }

    mutating func refuse(_ waiter: Waiter, _ refusal: ConnectionPool<Waiter>.Refusal) {
        switch waiter {
        case .lane(let group, let lane): refuse(lanes[group]?.failed(lane) ?? [], refusal)
        case .job(let job): refuse([job], refusal)
        case .lease(let request):
            leaseTickets[request.id] = nil
            refused += 1
            effects.append(.lend(request, .failure(failure(refusal))))
        }
    }

    mutating func refuse(_ jobs: [Job], _ refusal: ConnectionPool<Waiter>.Refusal) {
        for job in jobs where !job.isAnswered {
            refused += 1
            answer(job, .failure(failure(refusal)))
        }
    }

    mutating func perform(_ action: Lanes<Job>.Action, _ group: LaneGroup, now: Instant) {
        switch action {
        case .open(let lane): perform(pool.borrow(.lane(group, lane), now: now).actions, now: now)
        case .send(let jobs, let lane):
            guard let link = link(of: group, lane) else { return }
            send(jobs, on: link, now: now)
        }
    }

    func link(of group: LaneGroup, _ lane: Int) -> Link? {
        links.values.first { if case .lane(group, lane) = $0.role { true } else { false } }
    }

    /// Whether a connection became free too late.
    func isPast(_ deadline: Instant?, _ now: Instant) -> Bool { deadline.map { $0 <= now } ?? false }

    /// Sends what of the jobs is still wanted.
    mutating func send(_ jobs: [Job], on link: Link, after first: String? = nil, now: Instant) {
        for job in jobs where !job.isAnswered && isPast(job.statement.deadline, now) { answer(job, .failure(Deadline.exceeded)) }
        let wanted = jobs.filter { !$0.isAnswered }
        guard !wanted.isEmpty || first != nil else { return settle(link, now: now) }
        active(now)
        do throws(Link.Lost) {
            try link.send(wanted, after: first, now: now)
            if link.wantsWrite { needsPoller = true }
        } catch {
            for job in wanted { job.connection = link.id }
            drop(link, now: now, beside: wanted)
        }
    }

    /// What comes next on a connection whose statements are all answered.
    mutating func settle(_ link: Link, now: Instant) {
        guard link.isIdle else { return }
        switch link.role {
        case .lane(let group, let lane): settle(link, group, lane, now: now)
        case .single: giveBack(link, now: now)
        case .leaving: clear(link, now: now)
        case .lease, .idle: break
        }
    }

    mutating func settle(_ link: Link, _ group: LaneGroup, _ lane: Int, now: Instant) {
        if link.isSpent || link.isInTransaction || pool.isOld(link.id, now: now) || isClosed {
            leave(link, group, lane, now: now)
            giveBack(link, now: now)
        } else if let action = lanes[group]?.finished(lane) {
            perform(action, group, now: now)
        }
    }

    /// Takes the connection from its lane, which opens another one if anybody waits.
    mutating func leave(_ link: Link, _ group: LaneGroup, _ lane: Int, now: Instant) {
        link.role = .single
        if let action = lanes[group]?.closed(lane) { perform(action, group, now: now) }
    }
}
