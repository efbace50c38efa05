import MartletCore
import Synchronization

/// Asks a dependency how it is, once for everybody who wants to know at about the same time: anyone may ask for an instance's health, as
/// often as they like, and that must not become a load on what is asked.
final class Probe<Answer: Sendable>: Sendable {
    private enum State {
        case unknown
        case asking(Task<Answer, any Error>)
        case known(Result<Answer, any Error>, until: ContinuousClock.Instant)
    }

    private let name: String
    private let lifetime: Duration
    private let patience: Duration
    private let ask: @Sendable () async throws -> Answer
    private let state = Mutex(State.unknown)

    /// - Parameters:
    ///   - name: Of the dependency, as a sentence begins with it.
    ///   - lifetime: How long an answer is good for; a failure is for a tenth of a second at most.
    ///   - patience: How long the dependency may take.
    init(
        of name: String, goodFor lifetime: Duration = .milliseconds(100), patience: Duration = .seconds(2),
        _ ask: @escaping @Sendable () async throws -> Answer
    ) {
        (self.name, self.lifetime, self.patience, self.ask) = (name, lifetime, patience, ask)
    }

    /// What the dependency says, or said a moment ago. Throws what it throws, or `unavailable`, code `health_timeout`, when it takes too long.
    func answer() async throws -> Answer {
        let task = state.withLock { state in
            switch state {
            case .asking(let task): return task
            case .known(let result, let until) where .now < until: return Task { try result.get() }
            case .known, .unknown:
                let task = Task { try await self.find() }
                state = .asking(task)
                return task
            }
        }
        return try await task.value
    }

    private func find() async throws -> Answer {
        let result: Result<Answer, any Error>
        do { result = .success(try await bounded()) } catch { result = .failure(error) }
        let lifetime = if case .success = result { lifetime } else { min(lifetime, .milliseconds(100)) }
        state.withLock { $0 = .known(result, until: .now + lifetime) }
        return try result.get()
    }

    private func bounded() async throws -> Answer {
        try await withThrowingTaskGroup(of: Answer.self) { [ask, patience, name] group in
            group.addTask { try await ask() }
            group.addTask {
                try await Task.sleep(for: patience)
                throw Failure.unavailable("health_timeout", "\(name) does not answer.")
            }
            defer { group.cancelAll() }
            guard let first = try await group.next() else { throw CancellationError() }
            return first
        }
    }
}
