public import Testing

/// Waits until a condition holds that something else brings about, and fails the test when that takes longer than `bound`.
public func eventually(
    within bound: Duration = .seconds(60), _ comment: Comment? = nil, at location: SourceLocation = #_sourceLocation,
    _ condition: () async throws -> Bool
) async throws {
    let end = ContinuousClock.now + bound
    while try await !condition() {
        try #require(ContinuousClock.now < end, comment ?? "it did not happen within \(bound)", sourceLocation: location)
        try await Task.sleep(for: .milliseconds(2))
    }
}

/// Opens once; whoever waits meanwhile goes on then. A wait that takes minutes fails the test and ends: what should have opened the gate
/// has failed itself, and nobody would learn why.
public actor Gate {
    private var isOpen = false
    private var waiting: [Int: CheckedContinuation<Void, Never>] = [:]
    private var count = 0
    private let patience = Duration.seconds(180)

    public init() {}

    public func open() {
        isOpen = true
        for waiter in waiting.values { waiter.resume() }
        waiting = [:]
    }

    public func wait(at location: SourceLocation = #_sourceLocation) async {
        if isOpen { return }
        count += 1
        let number = count
        let alarm = Task {
            try await Task.sleep(for: patience)
            giveUp(number, location)
        }
        await withCheckedContinuation { waiting[number] = $0 }
        alarm.cancel()
    }

    private func giveUp(_ number: Int, _ location: SourceLocation) {
        guard let waiter = waiting.removeValue(forKey: number) else { return }
        Issue.record("the gate was not opened within \(patience)", sourceLocation: location)
        waiter.resume()
    }
}

/// Lets a given number of callers go on when all have come.
public actor Meeting {
    private var missing: Int
    private let all = Gate()

    public init(of callers: Int) { missing = callers }

    public func arrive() async {
        missing -= 1
        if missing <= 0 { await all.open() } else { await all.wait() }
    }
}
