import MartletCore
import Synchronization

/// One computation at a time for each key: who comes meanwhile waits for its outcome.
///
/// It is a task of its own. A caller that is cancelled leaves the others alone; when all have left, it is cancelled. When it fails, all who
/// wait hear its failure: each trying again would bring the load that this is there to keep away.
final class Flights: Sendable {
    typealias Outcome = Result<any Sendable, any Error>

    struct Landing {
        let value: any Sendable
        /// Whether this caller's work was done.
        let isOwn: Bool
        /// The number that the computation began with.
        let began: UInt64
    }

    private let flying = Mutex<[String: Entry]>([:])

    private struct Entry {
        let flight: Flight
        var members = 1
    }

    /// The outcome of the computation of a key that is under way, or else of this one.
    ///
    /// - Parameter began: Kept for those who join; to be read before.
    func outcome(
        of key: String, began: UInt64, _ work: @escaping @Sendable () async throws -> any Sendable
    ) async throws -> Landing {
        let (flight, isOwn) = board(key, began)
        if isOwn { start(flight, key, work) }
        defer { leave(flight, key) }
        return Landing(value: try await flight.outcome(), isOwn: isOwn, began: flight.began)
    }

    /// Begins a computation that nobody waits for, unless one is under way.
    func begin(_ key: String, began: UInt64, _ work: @escaping @Sendable () async throws -> any Sendable) {
        let (flight, isOwn) = board(key, began)
        // It keeps its place as long as it runs.
        if isOwn { start(flight, key, work) } else { leave(flight, key) }
    }

    /// How many computations are under way.
    var count: Int { flying.withLock { $0.count } }

    private func board(_ key: String, _ began: UInt64) -> (Flight, isOwn: Bool) {
        flying.withLock { flying in
            if let flight = flying[key]?.flight {
                flying[key]?.members += 1
                return (flight, false)
            }
            let flight = Flight(began: began)
            flying[key] = Entry(flight: flight)
            return (flight, true)
        }
    }

    private func start(_ flight: Flight, _ key: String, _ work: @escaping @Sendable () async throws -> any Sendable) {
        flight.start { [self] in
            let outcome: Outcome
            do { outcome = .success(try await work()) } catch { outcome = .failure(error) }
            flying.withLock { if $0[key]?.flight === flight { $0[key] = nil } }
            return outcome
        }
    }

    private func leave(_ flight: Flight, _ key: String) {
        let isLast = flying.withLock { flying in
            guard let entry = flying[key], entry.flight === flight else { return false }
            flying[key]?.members -= 1
            if entry.members == 1 { flying[key] = nil }
            return entry.members == 1
        }
        if isLast { flight.cancel() }
    }
}

/// A task and those who wait for it.
private final class Flight: Sendable {
    let began: UInt64
    private let state = Mutex(State())

    private struct State {
        var outcome: Flights.Outcome?
        var waiting: [Int: CheckedContinuation<any Sendable, any Error>] = [:]
        var lastNumber = 0
        var task: Task<Void, Never>?
        var isCancelled = false
    }

    init(began: UInt64) { self.began = began }

    func start(_ work: @escaping @Sendable () async -> Flights.Outcome) {
        // Others wait for it too, so the first caller's deadline is not its own.
        let task = Deadline.without { Task { land(await work()) } }
        let isCancelled = state.withLock { state in
            state.task = task
            return state.isCancelled
        }
        if isCancelled { task.cancel() }
    }

    func cancel() {
        let task = state.withLock { state in
            state.isCancelled = true
            return state.task
        }
        task?.cancel()
    }

    /// Throws `CancellationError` at once when the caller is cancelled.
    func outcome() async throws -> any Sendable {
        let number = state.withLock { state in
            state.lastNumber += 1
            return state.lastNumber
        }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { waiter in
                let outcome: Flights.Outcome? = state.withLock { state in
                    if let outcome = state.outcome { return outcome }
                    if Task.isCancelled { return .failure(CancellationError()) }
                    state.waiting[number] = waiter
                    return nil
                }
                if let outcome { waiter.resume(with: outcome) }
            }
        } onCancel: {
            state.withLock { $0.waiting.removeValue(forKey: number) }?.resume(throwing: CancellationError())
        }
    }

    private func land(_ outcome: Flights.Outcome) {
        let waiting = state.withLock { state in
            state.outcome = outcome
            defer { state.waiting = [:] }
            return state.waiting.values
        }
        for waiter in waiting { waiter.resume(with: outcome) }
    }
}
