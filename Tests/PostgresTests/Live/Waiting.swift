import MartletCore
import MartletStorage
import Synchronization
import Testing

/// Waits until a condition holds, which it must within a bounded time.
func eventually(
    within bound: Duration = .seconds(30), _ comment: Comment? = nil, at location: SourceLocation = #_sourceLocation,
    _ condition: () async throws -> Bool
) async throws {
    let end = ContinuousClock.now + bound
    while try await !condition() {
        try #require(ContinuousClock.now < end, comment ?? "it did not happen within \(bound)", sourceLocation: location)
        try await Task.sleep(for: .milliseconds(2))
    }
}

/// Opens once; whoever waits meanwhile goes on then.
actor Gate {
    private var isOpen = false
    private var waiting: [CheckedContinuation<Void, Never>] = []

    func open() {
        isOpen = true
        for waiter in waiting { waiter.resume() }
        waiting = []
    }

    func wait() async {
        if !isOpen { await withCheckedContinuation { waiting.append($0) } }
    }
}

/// Lets a given number of callers go on when all have come.
actor Meeting {
    private var missing: Int
    private let all = Gate()

    init(of callers: Int) { missing = callers }

    func arrive() async {
        missing -= 1
        if missing <= 0 { await all.open() } else { await all.wait() }
    }
}

/// The failure of kind `unavailable` that a call throws.
@discardableResult
func unavailable(at location: SourceLocation = #_sourceLocation, by call: () async throws -> Void) async throws -> Failure {
    do {
        try await call()
    } catch let failure as Failure where failure.kind == .unavailable {
        return failure
    } catch {
        Issue.record("\(error) was thrown instead", sourceLocation: location)
        throw error
    }
    Issue.record("nothing was thrown", sourceLocation: location)
    throw Failure.unavailable("none", "None.")
}

extension Failure {
    /// PostgreSQL's code of the cause.
    var state: String? { (cause as? SQLFailure)?.code }
}

/// A number that several tasks count up.
final class Count: Sendable {
    private let number = Atomic(0)

    var value: Int { number.load(ordering: .acquiring) }

    @discardableResult
    func add(_ more: Int = 1) -> Int { number.add(more, ordering: .acquiringAndReleasing).newValue }
}
