/// The connection that hears messages.
struct Subscriber {
    /// Whether somebody wants to hear.
    var isWanted = false
    var id: ConnectionID?
    var reconnecting = Reconnecting()
    var servingSince: ContinuousClock.Instant?
}

extension Core {
    /// Begins to hear channels.
    mutating func subscribe(_ stream: Int, _ channels: Set<String>, now: Instant) {
        guard !isClosed, !channels.isEmpty else { return effects.append(.finish(stream)) }
        subscriber.isWanted = true
        perform(subscriptions.add(stream, channels))
        tickSubscriber(now: now)
    }

    mutating func unsubscribe(_ stream: Int) {
        perform(subscriptions.remove(stream))
        guard subscriptions.isEmpty, subscriber.isWanted else { return }
        if let id = subscriber.id { discard(id, .lost) }
        subscriptions.lost()
        subscriber = Subscriber()
    }

    mutating func heard(_ words: [RESPValue]) { perform(subscriptions.heard(words)) }

    mutating func subscriberGreeted(_ id: ConnectionID, now: Instant) {
        subscriber.reconnecting.succeeded()
        subscriber.reconnecting.answered(now: now)
        subscriber.servingSince = now
        lines[id]?.stage = .serving(since: now)
        perform(subscriptions.connected())
    }

    mutating func subscriberLost(now: Instant) {
        subscriptions.lost()
        subscriber.id = nil
        if let since = subscriber.servingSince {
            subscriber.servingSince = nil
            subscriber.reconnecting.lost(silent: false, lived: since.duration(to: now), now: now, jitter: jitter())
        } else {
            subscriber.reconnecting.failed(now: now, jitter: jitter())
        }
    }

    /// Connects when that is due, and asks whether a quiet server is there.
    mutating func tickSubscriber(now: Instant) {
        guard subscriber.isWanted, !isClosed else { return }
        guard let id = subscriber.id else { return connectSubscriber(now: now) }
        guard subscriber.servingSince != nil, let line = lines[id], line.conversation.isIdle else { return }
        guard line.conversation.lastHeard + limits.quiet <= now else { return }
        ping(id, now: now)
    }

    var subscriberLook: Instant? {
        guard let id = subscriber.id else { return subscriber.reconnecting.due }
        guard subscriber.servingSince != nil, let line = lines[id], line.conversation.isIdle else { return nil }
        return line.conversation.lastHeard + limits.quiet
    }

    private mutating func connectSubscriber(now: Instant) {
        subscriber.reconnecting.want(now: now, jitter: jitter())
        guard let due = subscriber.reconnecting.due, due <= now else { return }
        subscriber.reconnecting.begin()
        subscriber.id = newLine(isSubscriber: true, now: now)
    }

    private mutating func perform(_ actions: [Subscriptions.Action]) {
        for action in actions {
            switch action {
            case .tell(let words): if let id = subscriber.id { lines[id]?.conversation.tell(words) }
            case .deliver(let stream, let message): effects.append(.deliver(stream, message))
            }
        }
        if let id = subscriber.id { flush(id) }
    }
}
