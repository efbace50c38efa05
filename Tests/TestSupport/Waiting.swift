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

/// Opens once; whoever waits meanwhile goes on then.
public actor Gate {
    private var isOpen = false
    private var waiting: [CheckedContinuation<Void, Never>] = []

    public init() {}

    public func open() {
        isOpen = true
        for waiter in waiting { waiter.resume() }
        waiting = []
    }

    public func wait() async {
        if !isOpen { await withCheckedContinuation { waiting.append($0) } }
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
