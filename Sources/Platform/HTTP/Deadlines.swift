import MartletCore
public import ServiceLifecycle
import Synchronization

/// Ends work that takes too long: the caller hears 504 at once, and the work is cancelled.
///
/// One ticker watches all work in flight, which costs a request two short locks instead of a timer. Work that ignores its
/// cancellation is not waited for; it may finish, unheard.
public final class Deadlines: Service {
    private let inFlight = Mutex<[ObjectIdentifier: Watched]>([:])
    private let tick: Duration

    private struct Watched {
        let deadline: ContinuousClock.Instant
        let race: any Expirable
    }

    /// - Parameter tick: How late an expiry may be noticed.
    public init(tick: Duration = .milliseconds(100)) {
        self.tick = tick
    }

    /// Watches until cancelled or shut down.
    public func run() async {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                // Sleeping ends early only by the cancellation that the loop asks for.
                try? await Task.sleep(for: self.tick)
                self.expire(at: .now)
            }
        }
    }

    /// Runs `body` in a task of its own; throws a `timeout` failure when it is not done in time. What `body` begins can see its deadline.
    ///
    /// Cancelling the caller cancels the body and waits for it.
    func run<Result: Sendable>(within limit: Duration, _ body: @escaping @Sendable () async throws -> Result) async throws -> Result {
        let race = Race<Result>()
        let key = ObjectIdentifier(race)
        let deadline = ContinuousClock.now + limit
        inFlight.withLock { $0[key] = Watched(deadline: deadline, race: race) }
        defer { inFlight.withLock { $0[key] = nil } }
        return try await withTaskCancellationHandler {
            try await Deadline.$current.withValue(deadline) { try await race.start(body) }
        } onCancel: {
            race.cancel()
        }
    }

    func expire(at now: ContinuousClock.Instant) {
        let late = inFlight.withLock { inFlight in inFlight.values.filter { $0.deadline <= now }.map(\.race) }
        for race in late { race.expire() }
    }
}

private protocol Expirable: Sendable {
    func expire()
}

/// Work against its deadline: whichever comes first resumes the waiter, once.
private final class Race<Result: Sendable>: Expirable {
    private struct State {
        var waiter: CheckedContinuation<Result, any Error>?
        var work: Task<Void, Never>?
        var isCancelled = false
    }
    private let state = Mutex(State())

    func start(_ body: @escaping @Sendable () async throws -> Result) async throws -> Result {
        try await withCheckedThrowingContinuation { waiter in
            state.withLock { $0.waiter = waiter }
            let work = Task {
                do { self.finish(.success(try await body())) } catch { self.finish(.failure(error)) }
            }
            let isCancelled = state.withLock { state in
                state.work = work
                return state.isCancelled
            }
            if isCancelled { work.cancel() }
        }
    }

    func expire() {
        finish(.failure(Deadline.exceeded))
        cancel()
    }

    func cancel() {
        let work = state.withLock { state in
            state.isCancelled = true
            return state.work
        }
        work?.cancel()
    }

    private func finish(_ result: Swift.Result<Result, any Error>) {
        let waiter = state.withLock { state in
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume(with: result)
    }
}
