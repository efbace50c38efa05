import MartletCore
import MartletStorage

// What callers ask for: statements, and connections of their own.

// MARK: Statements

extension Core {
    /// Sends a statement, or queues it until it can be sent.
    mutating func submit(_ id: RequestID, _ statement: Statement, _ completion: Job.Completion, requestID: String?, now: Instant) {
        let job = Job(id, statement, shape(statement), completion, requestID: requestID)
        jobs[id] = job
        route(job, now: now)
    }

    /// Sends a statement on a connection of one's own.
    mutating func submit(
        _ id: RequestID, _ statement: Statement, on lease: Lease, _ completion: Job.Completion, requestID: String?, now: Instant
    ) {
        let job = Job(id, statement, shape(statement), completion, requestID: requestID)
        guard let (link, terms) = leased(lease) else { return answer(job, .failure(Self.leaseEnded)) }
        jobs[id] = job
        send([job], on: link, after: terms.begin, now: now)
        begun(link)
    }

    func begun(_ link: Link) {
        guard case .lease(var terms) = link.role, terms.begin != nil else { return }
        terms.begin = nil
        link.role = .lease(terms)
    }

    /// Runs a script on a connection of one's own on which a transaction is open and nothing is on the way.
    mutating func submit(_ id: RequestID, script: String, on lease: Lease, _ completion: Job.Completion, now: Instant) {
        let statement = Statement(session: "")
        let job = Job(id, statement, Shape(statement.key, number: 0), completion, requestID: nil)
        guard let (link, _) = leased(lease) else { return answer(job, .failure(Self.leaseEnded)) }
        jobs[id] = job
        do throws(Link.Lost) {
            try link.send(script: script, for: job, now: now)
            if link.wantsWrite { needsPoller = true }
        } catch {
            drop(link, now: now, beside: [job])
        }
        active(now)
    }

    /// Answers the caller of a statement that he was cancelled. What the server does with the statement is stopped if it takes long.
    mutating func cancel(_ id: RequestID) {
        if let ticket = leaseTickets.removeValue(forKey: id), case .lease(let request)? = pool.leave(ticket) {
            effects.append(.lend(request, .failure(CancellationError())))
        }
        guard let job = jobs[id] else { return }
        if let ticket = job.ticket { _ = pool.leave(ticket) }
        if let group = LaneGroup(job.shape.kind), job.connection == nil { lanes[group]?.leave { $0 === job } }
        answer(job, .failure(CancellationError()))
    }

    mutating func shape(_ statement: Statement) -> Shape {
        let key = statement.key
        if let known = shapes[key] { return known }
        // Texts made from data would fill the memory.
        if shapes.count >= 4096 { shapes = [:] }
        lastShape += 1
        let shape = Shape(key, number: lastShape)
        shapes[key] = shape
        return shape
    }

    mutating func route(_ job: Job, now: Instant) {
        if isClosed { return answer(job, .failure(Self.closed)) }
        guard let group = LaneGroup(job.shape.kind), !job.isAlone, !job.shape.isLong, lanes[group]?.isEmpty == false else {
            return runAlone(job, now: now)
        }
        guard waitingCount < settings.maxWaiting else { return refuse([job], .full) }
        if let action = lanes[group]?.submit(job) { perform(action, group, now: now) }
    }

    mutating func runAlone(_ job: Job, now: Instant) {
        let (ticket, actions) = pool.borrow(.job(job), now: now)
        job.ticket = ticket
        perform(actions, now: now)
        active(now)
    }

    mutating func answer(_ job: Job, _ result: Result<PostgresResult, any Error>) {
        jobs[job.id] = nil
        if let completion = job.takeCompletion() { effects.append(.answer(completion, result)) }
    }
}

// MARK: Leases

extension Core {
    mutating func borrow(_ request: LeaseRequest, now: Instant) {
        if isClosed { return effects.append(.lend(request, .failure(Self.closed))) }
        let (ticket, actions) = pool.borrow(.lease(request), now: now)
        leaseTickets[request.id] = ticket
        perform(actions, now: now)
        active(now)
    }

    /// Ends a lease. Whatever its user left behind is undone before the connection serves another.
    mutating func giveBack(_ lease: Lease, now: Instant) {
        guard let (link, _) = leased(lease) else { return }
        link.role = .leaving
        clear(link, now: now)
    }

    mutating func clear(_ link: Link, now: Instant) {
        guard link.isIdle else { return active(now) }
        if link.isInTransaction, !link.isSpent {
            send([], on: link, after: "ROLLBACK", now: now)
        } else {
            giveBack(link, now: now)
        }
    }

    mutating func giveBack(_ link: Link, now: Instant) {
        link.role = .idle
        perform(pool.giveBack(link.id, reusable: !link.isSpent && !link.isInTransaction, now: now), now: now)
    }

    func leased(_ lease: Lease) -> (Link, LeaseTerms)? {
        guard let link = links[lease.connection], case .lease(let terms) = link.role, terms.serial == lease.serial else { return nil }
        return (link, terms)
    }

    /// Tells what the server notifies this connection of, until the connection is lost or given back. It serves nothing else afterwards.
    mutating func listen(_ lease: Lease, _ listener: AsyncStream<PostgresSignal>.Continuation) {
        // Nobody would end one who begins after everybody was told to end.
        guard !isClosed, let (link, terms) = leased(lease) else { return effects.append(.silence(listener)) }
        link.isSpent = true
        link.role = .lease(LeaseTerms(serial: terms.serial, deadline: terms.deadline, listener: listener))
    }
}
