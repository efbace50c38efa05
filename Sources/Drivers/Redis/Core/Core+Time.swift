// What becomes due.

extension Core {
    mutating func tick(now: Instant) {
        for (id, line) in lines where Self.isOverdue(line, now: now) { lose(id, .silent, now: now) }
        while let first = waiting.first, first.deadline <= now {
            waiting.removeFirst()
            waitingCount -= first.count
            effects.append(.answer(first.call, .failure(.silent)))
        }
        plan(now: now)
        tickSubscriber(now: now)
    }

    /// When to look at the clock again.
    var nextLook: Instant? {
        var earliest = [reconnecting.due, waiting.first?.deadline, subscriberLook].compactMap(\.self).min()
        for line in lines.values {
            for instant in [line.conversation.nextDeadline, line.preparingUntil] {
                if let instant { earliest = min(earliest ?? instant, instant) }
            }
        }
        return earliest
    }

    private static func isOverdue(_ line: Line, now: Instant) -> Bool {
        line.conversation.overdue(now: now) || (line.preparingUntil.map { $0 <= now } ?? false)
    }
}

extension Core.Line {
    fileprivate var preparingUntil: Core.Instant? {
        if case .preparing(let until) = stage { until } else { nil }
    }
}
