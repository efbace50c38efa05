import MartletStorage
import Synchronization

/// A write in the writer's queue: a single statement, or a transaction that is told when its turn has come.
enum WriteMember: Sendable {
    case statement(any WriteStatement)
    case transaction(WriteTurn)

    /// Answers the caller: its own outcome if `failure` is `nil`, else the commit's failure.
    func settle(_ failure: (any Error)?) {
        switch self {
        case .statement(let statement): statement.settle(failure)
        case .transaction(let turn): turn.settle(failure)
        }
    }
}

/// A single statement that runs when its turn comes and answers when its group is committed.
protocol WriteStatement: Sendable {
    /// Runs it and keeps the outcome; throws nothing, returns whether it succeeded.
    func run(_ session: Session) -> Bool
    func settle(_ failure: (any Error)?)
}

final class PendingStatement<Result: Sendable>: WriteStatement {
    private let work: @Sendable (Session) throws -> Result
    private let continuation: CheckedContinuation<Result, any Error>
    private let outcome = Mutex<Swift.Result<Result, any Error>?>(nil)

    init(_ continuation: CheckedContinuation<Result, any Error>, _ work: @Sendable @escaping (Session) throws -> Result) {
        (self.continuation, self.work) = (continuation, work)
    }

    func run(_ session: Session) -> Bool {
        let result = Swift.Result { try work(session) }
        outcome.withLock { $0 = result }
        if case .success = result { return true }
        return false
    }

    func settle(_ failure: (any Error)?) {
        if let failure {
            continuation.resume(throwing: failure)
        } else if let result = outcome.withLock({ $0 }) {
            continuation.resume(with: result)
        }
    }
}

/// Two signals to a transaction's task: that its turn has come, and how its group's commit went. Each is kept until it is waited for.
final class WriteTurn: Sendable {
    let id: UInt64
    let begins = Signal()
    let settles = Signal()
    /// How long the turn may last; `nil` for ever.
    let timeout: Duration?
    let changesSchema: Bool
    /// Set before what the body did is undone for lasting too long.
    let isExpired = Atomic(false)
    private let topics = Mutex<Set<Topic>>([])
    private let notes = Mutex<[(topic: Topic, note: any Sendable)]>([])

    init(id: UInt64, timeout: Duration?, changesSchema: Bool) {
        (self.id, self.timeout, self.changesSchema) = (id, timeout, changesSchema)
    }

    func settle(_ failure: (any Error)?) {
        settles.send(failure)
    }

    /// What is to be announced after the commit.
    var announced: Set<Topic> { topics.withLock { $0 } }

    func announce(_ topic: Topic) { topics.withLock { _ = $0.insert(topic) } }

    /// What is to be told after the commit.
    var told: [(topic: Topic, note: any Sendable)] { notes.withLock { $0 } }

    func tell(_ topic: Topic, _ note: any Sendable) { notes.withLock { $0.append((topic, note)) } }
}

/// A message sent once and waited for once, in either order.
final class Signal: Sendable {
    private enum State {
        case idle
        case waiting(CheckedContinuation<Void, any Error>)
        case sent((any Error)?)
    }
    private let state = Mutex(State.idle)

    /// The first message counts; later ones are ignored.
    func send(_ failure: (any Error)? = nil) {
        let waiter: CheckedContinuation<Void, any Error>? = state.withLock { state in
            if case .sent = state { return nil }
            defer { state = .sent(failure) }
            if case .waiting(let continuation) = state { return continuation }
            return nil
        }
        if let failure { waiter?.resume(throwing: failure) } else { waiter?.resume() }
    }

    func wait() async throws {
        if case .sent(let failure) = state.withLock({ $0 }) {
            if let failure { throw failure }
            return
        }
        try await withCheckedThrowingContinuation { continuation in
            let sent: (any Error)?? = state.withLock { state in
                if case .sent(let failure) = state { return .some(failure) }
                state = .waiting(continuation)
                return nil
            }
            if let sent {
                if let failure = sent { continuation.resume(throwing: failure) } else { continuation.resume() }
            }
        }
    }
}
