import Logging
import NIOCore

// How connections come and go.

extension Core {
    /// Opens the first connection, if that has not happened.
    mutating func start(now: Instant) {
        isStarted = true
        plan(now: now)
    }

    /// Sees to it that as many connections serve as should, one attempt at a time.
    mutating func plan(now: Instant) {
        guard isStarted, !isClosed, attempt == nil, serving.count < limits.connections else { return }
        reconnecting.want(now: now, jitter: jitter())
        guard let due = reconnecting.due, due <= now else { return }
        reconnecting.begin()
        attempt = newLine(now: now)
    }

    mutating func newLine(isSubscriber: Bool = false, now: Instant) -> ConnectionID {
        lastID += 1
        lines[lastID] = Line(conversation: Conversation(login, isSubscriber: isSubscriber, now: now, deadline: now + limits.connectTimeout))
        open.insert(lastID)
        effects.append(.open(lastID))
        return lastID
    }

    /// Bytes can flow.
    mutating func opened(_ id: ConnectionID) {
        guard lines[id] != nil else { return effects.append(.close(id)) }
        lines[id]?.conversation.opened()
        flush(id)
    }

    /// A connection has ended, or could not be opened.
    mutating func ended(_ id: ConnectionID, now: Instant) {
        open.remove(id)
        if lines[id] != nil { lose(id, .lost, now: now) }
        noteEnd()
    }

    mutating func prepared(_ id: ConnectionID, now: Instant) {
        guard case .preparing = lines[id]?.stage else { return }
        serve(id, now: now)
    }

    mutating func unprepared(_ id: ConnectionID, now: Instant) {
        if lines[id] != nil { lose(id, .unprepared, now: now) }
    }

    private mutating func serve(_ id: ConnectionID, now: Instant) {
        lines[id]?.stage = .serving(since: now)
        serving.append(id)
        attempt = nil
        reconnecting.succeeded()
        for caller in waiting {
            lines[id]?.conversation.ask(caller.call, caller.bytes, count: caller.count, now: caller.asked, deadline: caller.deadline)
        }
        (waiting, waitingCount) = ([], 0)
        flush(id)
        noteAvailability(nil)
        plan(now: now)
    }

    /// Gives a connection up, and fails whoever waits for it.
    mutating func lose(_ id: ConnectionID, _ outage: RedisOutage, now: Instant) {
        guard let line = discard(id, outage) else { return }
        if line.conversation.isSubscriber { return subscriberLost(now: now) }
        if id == attempt {
            attempt = nil
            reconnecting.failed(now: now, jitter: jitter())
            refuseWaiting(outage)
        } else if case .serving(let since) = line.stage {
            serving.removeAll { $0 == id }
            reconnecting.lost(silent: outage == .silent, lived: since.duration(to: now), now: now, jitter: jitter())
            if outage == .silent { suspectOthers(since: line.conversation.oldestAsked ?? now, now: now) }
        }
        noteAvailability(outage)
        plan(now: now)
    }

    /// One that fell silent makes others doubtful: callers do not wait for them until something is heard of them.
    private mutating func suspectOthers(since asked: Instant, now: Instant) {
        for id in serving {
            guard let line = lines[id], line.conversation.lastHeard < asked else { continue }
            lines[id]?.isSuspect = true
            if line.conversation.isIdle { ping(id, now: now) }
        }
    }

    mutating func ping(_ id: ConnectionID, now: Instant) {
        let deadline = now + limits.timeout
        lines[id]?.conversation.ping(now: now, deadline: deadline)
        flush(id)
    }

    @discardableResult
    mutating func discard(_ id: ConnectionID, _ outage: RedisOutage) -> Line? {
        guard var line = lines.removeValue(forKey: id) else { return nil }
        let asked = line
        for call in line.conversation.end() { effects.append(.answer(call, .failure(outage))) }
        effects.append(.close(id))
        return asked
    }

    mutating func refuseWaiting(_ outage: RedisOutage) {
        for caller in waiting { effects.append(.answer(caller.call, .failure(outage))) }
        (waiting, waitingCount) = ([], 0)
    }
}

// MARK: What arrives

extension Core {
    mutating func receive(_ id: ConnectionID, _ items: [RESPItem], now: Instant) {
        if lines[id]?.isSuspect == true { trust(id) }
        for item in items {
            guard let event = lines[id]?.conversation.receive(item, now: now) else { continue }
            react(to: event, of: id, now: now)
        }
        flush(id)
    }

    /// What arrived is not RESP.
    mutating func garbled(_ id: ConnectionID, _ fault: RESPFault, now: Instant) {
        if lines[id] != nil { lose(id, .nonsense(fault), now: now) }
    }

    private mutating func react(to event: Conversation<Call>.Event, of id: ConnectionID, now: Instant) {
        switch event {
        case .greeted: greeted(id, now: now)
        case .answered(let call, let replies): answered(id, call, replies, now: now)
        case .pushed(let words): if lines[id]?.conversation.isSubscriber == true { heard(words) }
        case .broken(let outage): lose(id, outage, now: now)
        }
    }

    private mutating func greeted(_ id: ConnectionID, now: Instant) {
        if lines[id]?.conversation.isSubscriber == true { return subscriberGreeted(id, now: now) }
        guard isPrepared else { return serve(id, now: now) }
        let end = now + limits.connectTimeout
        lines[id]?.stage = .preparing(until: end)
        effects.append(.prepare(id))
    }

    private mutating func answered(_ id: ConnectionID, _ call: Call, _ replies: [RESPValue], now: Instant) {
        effects.append(.answer(call, .success(replies)))
        guard case .serving = lines[id]?.stage else { return }
        if let code = Self.ending(replies) { return lose(id, .refused(code: code), now: now) }
        reconnecting.answered(now: now)
    }

    /// The code of an error after which another connection is better.
    private static func ending(_ replies: [RESPValue]) -> String? {
        for case .error(let error) in replies where error.endsConnection { return error.code }
        return nil
    }

    private mutating func trust(_ id: ConnectionID) {
        lines[id]?.isSuspect = false
        noteAvailability(nil)
    }
}

// MARK: Telling

extension Core {
    /// Tells when calls begin to be refused, and when they are answered again.
    mutating func noteAvailability(_ outage: RedisOutage?) {
        guard isAvailable != wasAvailable else { return }
        wasAvailable = isAvailable
        effects.append(.availabilityChanged)
        if isAvailable {
            effects.append(.log(.notice, "Redis answers again."))
        } else if !isClosed, let outage {
            effects.append(.log(.warning, "Redis is away: \(outage)."))
        }
    }

    mutating func noteEnd() {
        if isClosed, open.isEmpty { effects.append(.ended) }
    }
}
