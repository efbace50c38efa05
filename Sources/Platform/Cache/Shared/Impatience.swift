import MartletCore

/// Whether the shared tier is worth asking: once it let a caller wait for too long, nobody asks for a while, and then one finds out.
/// Without that, a tier that is slow would make every miss slow.
struct Impatience {
    typealias Instant = ContinuousClock.Instant

    static let pause = Duration.seconds(1)
    private var until: Instant?

    var isOn: Bool { until != nil }

    /// Whether to ask. While nobody does, it is `true` for one caller in each pause.
    mutating func admits(at now: Instant) -> Bool {
        guard let until else { return true }
        guard now >= until else { return false }
        self.until = now + Self.pause
        return true
    }

    mutating func waitedInVain(at now: Instant) { until = now + Self.pause }

    /// An answer came in time.
    mutating func answered() { until = nil }
}

/// The answer of `work`, or `nil` when it does not come in time or the caller is cancelled: then the work goes on, and its answer is for
/// `late`.
func awaited<Answer: Sendable>(
    within wait: Duration, _ work: @escaping @Sendable () async -> Answer, late: @escaping @Sendable (Answer) async -> Void = { _ in }
) async -> Answer? {
    let (answers, answer) = AsyncStream.makeStream(of: Answer.self)
    // It goes on when the caller does not, so the caller's deadline is not its own.
    Deadline.without {
        _ = Task {
            let made = await work()
            if case .terminated = answer.yield(made) { await late(made) }
            answer.finish()
        }
    }
    let alarm = Task {
        // Ends early only when nobody waits any more.
        try? await Task.sleep(for: wait)
        answer.finish()
    }
    defer { alarm.cancel() }
    return await answers.first { _ in true }
}
