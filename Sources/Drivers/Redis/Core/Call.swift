import MartletCore
import Synchronization

/// A caller who awaits the answers to some commands, and may stop waiting before they come.
final class Call: Sendable {
    typealias Answer = Result<[RESPValue], any Error>

    private enum State {
        case new
        case waiting(CheckedContinuation<[RESPValue], any Error>)
        case answered(Answer)
        case done
    }

    private let state = Mutex(State.new)

    /// Returns the answer. When the task is cancelled, it throws and the answer is dropped.
    func answer() async throws -> [RESPValue] {
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { wait($0) }
        } onCancel: {
            finish(.failure(CancellationError()))
        }
    }

    func finish(_ answer: Answer) {
        let waiting = state.withLock { state -> CheckedContinuation<[RESPValue], any Error>? in
            switch state {
            case .new: state = .answered(answer)
            case .waiting(let continuation):
                state = .done
                return continuation
            case .answered, .done: break
            }
            return nil
        }
        waiting?.resume(with: answer)
    }

    private func wait(_ continuation: CheckedContinuation<[RESPValue], any Error>) {
        let early = state.withLock { state -> Answer? in
            guard case .answered(let answer) = state else {
                state = .waiting(continuation)
                return nil
            }
            state = .done
            return answer
        }
        if let early { continuation.resume(with: early) }
    }
}
