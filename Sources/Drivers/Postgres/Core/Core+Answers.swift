import CPostgres
import Logging
import MartletStorage

// What the server says: answers, and connections that open or do not.

// MARK: Answers

extension Core {
    /// Takes in what has arrived on a connection.
    mutating func receive(_ id: ConnectionID, now: Instant) {
        guard let link = links[id] else { return }
        (lastHeard, lastActivity) = (now, now)
        do throws(Link.Lost) {
            // What had been answered before the connection was lost is answered.
            defer { for finished in link.takeFinished() { finish(finished, on: link, now: now) } }
            try link.receive()
            if case .lease(let terms) = link.role, let listener = terms.listener {
                for payload in link.notifications() { effects.append(.signal(listener, payload)) }
            }
        } catch {
            return drop(link, now: now)
        }
        settle(link, now: now)
    }

    mutating func finish(_ batch: Link.Finished, on link: Link, now: Instant) {
        let duration = batch.began.duration(to: now)
        if !link.isSpent { link.cancelledAt = nil }
        if let failure = batch.failure { return fail(batch, failure, on: link, now: now) }
        link.roundTrip = min(link.roundTrip, duration)
        for (job, reply) in zip(batch.jobs, batch.replies) {
            note(job, duration, on: link, inCompany: batch.jobs.count > 1)
            answer(job, .success(reply))
        }
        // A script has no reply of its own.
        if batch.replies.isEmpty, let job = batch.jobs.first, let empty = PQmakeEmptyPGresult(nil, PGRES_COMMAND_OK) {
            answer(job, .success(PostgresResult(empty, ResultLayout(names: [], types: []))))
        }
    }

    mutating func note(_ job: Job, _ duration: Duration, on link: Link, inCompany: Bool) {
        effects.append(.took(kind(of: job, on: link), duration))
        if !inCompany { job.shape.isLong = duration > limits.short + link.roundTrip }
        if duration >= settings.slowStatement, !inCompany {
            effects.append(.slow(job.statement.text, duration, requestID: job.requestID))
        }
    }

    private func kind(of job: Job, on link: Link) -> StatementTimes.Kind {
        if case .lease = link.role { return .transaction }
        return job.shape.kind == .read ? .read : .write
    }

    /// Nothing of the batch happened. One that failed in company may have failed because of it: each is run again by itself.
    mutating func fail(_ batch: Link.Finished, _ failure: any Error, on link: Link, now: Instant) {
        let isStale = (failure as? SQLFailure)?.isStalePlan == true
        // The schema has changed for all.
        if isStale { for link in links.values { link.forgetPreparations() } }
        for job in batch.jobs where !job.isAnswered {
            job.connection = nil
            if case .lease = link.role {
                answer(job, .failure(failure))
            } else if batch.jobs.count > 1 || (link.isSpent && !job.isAlone) {
                job.isAlone = true
                route(job, now: now)
            } else if isStale, !job.isRepeated {
                job.isRepeated = true
                job.isAlone = true
                route(job, now: now)
            } else {
                note(job, batch.began.duration(to: now), on: link, inCompany: false)
                answer(job, .failure(failure))
            }
        }
    }

    /// The connection is gone, and with it what was on the way: nobody knows whether it was done.
    mutating func drop(_ link: Link, now: Instant, beside unsent: [Job] = []) {
        links[link.id] = nil
        for job in link.abandon() + unsent where !job.isAnswered {
            answer(job, .failure(SQLFailure.connectionLost(job.statement.text)))
        }
        link.close()
        perform(pool.lost(link.id, now: now), now: now)
        switch link.role {
        case .lane(let group, let lane): if let action = lanes[group]?.closed(lane) { perform(action, group, now: now) }
        case .lease(let terms): if let listener = terms.listener { effects.append(.silence(listener)) }
        case .idle, .single, .leaving: break
        }
    }
}

// MARK: Connecting

extension Core {
    mutating func connected(_ id: ConnectionID, _ result: Result<OpenedConnection, SQLFailure>, now: Instant) {
        let began = attempts.removeValue(forKey: id) ?? now
        needsPoller = true
        switch result {
        case .success(let opened): add(opened, id, since: began, now: now)
        case .failure(let failure): unreachable(id, failure, since: began, now: now)
        }
    }

    mutating func add(_ opened: OpenedConnection, _ id: ConnectionID, since began: Instant, now: Instant) {
        if pool.isUnreachable { effects.append(.log(.notice, "the database can be reached again", [:])) }
        (lastHeard, lastActivity) = (now, now)
        let link = Link(opened, id: id, preparesStatements: settings.preparedStatements)
        // To connect and log in takes at least three round trips.
        link.roundTrip = min(limits.farthest, began.duration(to: now) / 3)
        links[id] = link
        perform(pool.opened(id, now: now, jitter: .random(in: 0..<1)), now: now)
    }

    mutating func unreachable(_ id: ConnectionID, _ failure: SQLFailure, since began: Instant, now: Instant) {
        let isSilent = lastHeard < began && began.duration(to: now) >= limits.silence
        let wasUnreachable = pool.isUnreachable
        lastFailure = failure
        let actions = pool.failed(id, silent: isSilent, now: now, jitter: .random(in: 0..<1))
        if pool.isUnreachable, !wasUnreachable {
            effects.append(.log(.error, "the database cannot be reached", ["cause": "\(failure.subject ?? failure.code)"]))
        }
        perform(actions, now: now)
        if isSilent { for link in Array(links.values) where links[link.id] != nil { drop(link, now: now) } }
    }
}
