import Dispatch
import Logging
import MartletCore
import MartletStorage
import Synchronization

/// The one connection that writes: performs what ``GroupCommit`` decides, on the writer's thread.
final class Writer: Sendable {
    let connection: Connection
    let thread = WriterThread()
    let announcements = Announcements()
    private let state: Mutex<GroupCommit<WriteMember>>
    private let lastTurn = Atomic<UInt64>(0)
    private let rested = Mutex<[CheckedContinuation<Void, Never>]>([])
    private let watchdog: Watchdog
    private let timeout: Duration

    /// The turn whose body the current task runs in, and the writer it belongs to.
    @TaskLocal static var current: (writer: ObjectIdentifier, turn: UInt64)?

    init(_ connection: Connection, settings: SQLiteSettings) {
        self.connection = connection
        timeout = settings.transactionTimeout
        state = Mutex(GroupCommit(.init(waiting: settings.waitingWrites)))
        watchdog = Watchdog()
    }

    // MARK: Single statements

    /// Runs one statement in its turn, and returns when it is committed.
    func run<Result: Sendable>(_ work: @Sendable @escaping (Session) throws -> Result) async throws -> Result {
        try refuseNesting()
        try Task.checkCancellation()
        try Deadline.check()
        let ticket = Atomic<UInt64>(0)
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                enter(.statement(PendingStatement(continuation, work)), ticket)
            }
        } onCancel: {
            leave(ticket.load(ordering: .acquiring))
        }
    }

    private func enter(_ member: WriteMember, _ ticket: borrowing Atomic<UInt64>) {
        let (entrance, number) = state.withLock { $0.enqueue(member) }
        ticket.store(number, ordering: .releasing)
        switch entrance {
        case .start: thread.queue.async { self.drive() }
        case .wait: if Task.isCancelled { leave(number) }
        case .full: member.settle(Self.overloaded)
        case .closed: member.settle(SQLiteDatabase.closed)
        }
    }

    private func leave(_ ticket: UInt64) {
        state.withLock { $0.leave(ticket) }?.settle(CancellationError())
    }

    // MARK: Transactions

    /// Waits for the turn, runs `body` on the writer's thread, and returns when its group is committed.
    func transact<Result: Sendable>(
        alone: Bool = false, _ body: @Sendable (WriteTurn) async throws -> Result
    ) async throws -> Result {
        try refuseNesting()
        try Task.checkCancellation()
        try Deadline.check()
        let turn = WriteTurn(id: nextTurn(), timeout: alone ? nil : timeout, changesSchema: alone)
        let (entrance, ticket) = state.withLock { $0.enqueue(.transaction(turn), alone: alone) }
        switch entrance {
        // The task is about to move to the writer's thread too, and finds its turn begun.
        case .start: thread.queue.async { self.drive() }
        case .wait: break
        case .full: throw Self.overloaded
        case .closed: throw SQLiteDatabase.closed
        }
        let outcome = try await withTaskExecutorPreference(thread) { try await takeTurn(turn, ticket, body) }
        try await turn.settles.wait()
        let result = try outcome.get()
        announcements.wake(turn.announced)
        await announcements.deliver(turn.told)
        return result
    }

    private func takeTurn<Result: Sendable>(
        _ turn: WriteTurn, _ ticket: UInt64, alone: Bool = false, _ body: @Sendable (WriteTurn) async throws -> Result
    ) async throws -> Swift.Result<Result, any Error> {
        try await withTaskCancellationHandler {
            try await turn.begins.wait()
        } onCancel: {
            if state.withLock({ $0.leave(ticket) }) != nil { turn.begins.send(CancellationError()) }
        }
        let outcome: Swift.Result<Result, any Error>
        do {
            outcome = .success(
                try await Self.$current.withValue((ObjectIdentifier(self), turn.id)) {
                    // The turn may have come too late.
                    try Deadline.check()
                    let result = try await body(turn)
                    try Task.checkCancellation()
                    try Deadline.check()
                    return result
                })
        } catch {
            outcome = .failure(error)
        }
        return end(turn, outcome)
    }

    /// Keeps or undoes what the body did, and lets the next writer have its turn.
    private func end<Result>(_ turn: WriteTurn, _ outcome: Swift.Result<Result, any Error>) -> Swift.Result<Result, any Error> {
        watchdog.disarm()
        let outcome = turn.isExpired.load(ordering: .acquiring) ? .failure(Self.timedOut) : outcome
        switch connection.exclusively({ $0.endTurn(turn.id, keeps: outcome.isSuccess) }) {
        case .expired: break
        case .kept, .undone(nil): finish(.transaction(turn))
        case .undone(let failure?):
            finish(.transaction(turn))
            return .failure(failure)
        case .lost(let failure):
            lose(failure)
            turn.settle(outcome.isSuccess ? failure : nil)
            drive()
        }
        return outcome
    }

    // MARK: Performing

    /// The member had its turn: it waits for its group's commit with the others.
    private func finish(_ member: WriteMember) {
        state.withLock { $0.join(member) }
        drive()
    }

    /// Performs what the state machine decides until a transaction's task has the turn or nobody waits.
    private func drive() {
        while true {
            switch state.withLock({ $0.next(now: .now) }) {
            case .rest:
                return announceRest()
            case .commit(let members): commit(members)
            case .run(.statement(let statement)): run(statement)
            case .run(.transaction(let turn)): if begin(turn) { return }
            }
        }
    }

    private func announceRest() {
        let waiters = rested.withLock { waiters in
            defer { waiters = [] }
            return waiters
        }
        for waiter in waiters { waiter.resume() }
    }

    private func commit(_ members: [WriteMember]) {
        let failure = connection.exclusively { $0.commitGroup() }
        for member in members { member.settle(failure) }
    }

    private func run(_ statement: any WriteStatement) {
        let turn = nextTurn()
        if let failure = connection.exclusively({ $0.beginTurn(turn) }) {
            lose(failure)
            return statement.settle(failure)
        }
        let isSuccess = connection.exclusively { statement.run($0) }
        switch connection.exclusively({ $0.endTurn(turn, keeps: isSuccess) }) {
        case .kept, .undone(nil), .expired: state.withLock { $0.join(.statement(statement)) }
        case .undone(let failure?): statement.settle(failure)
        case .lost(let failure):
            lose(failure)
            statement.settle(isSuccess ? failure : nil)
        }
    }

    /// Whether the turn has begun; its task then drives on when the body has ended.
    private func begin(_ turn: WriteTurn) -> Bool {
        if let failure = connection.exclusively({ $0.beginTurn(turn.id, changesSchema: turn.changesSchema) }) {
            lose(failure)
            turn.begins.send(failure)
            return false
        }
        if let timeout = turn.timeout { watchdog.arm(timeout) { self.expire(turn) } }
        turn.begins.send()
        return true
    }

    /// Every write of the open group is gone with its transaction.
    private func lose(_ failure: any Error) {
        for member in state.withLock({ $0.dissolve() }) { member.settle(failure) }
    }

    /// Ends the turn of a body that does not end by itself: the statement it runs is stopped, and all it did is undone.
    private func expire(_ turn: WriteTurn) {
        turn.isExpired.store(true, ordering: .releasing)
        connection.interrupt()
        thread.queue.async {
            switch self.connection.exclusively({ $0.endTurn(turn.id, keeps: false) }) {
            case .expired: return
            case .kept, .undone: break
            case .lost(let failure): self.lose(failure)
            }
            turn.settle(nil)
            self.drive()
        }
    }

    private func nextTurn() -> UInt64 {
        lastTurn.wrappingAdd(1, ordering: .relaxed).newValue
    }

    var waitingCount: Int { state.withLock { $0.waitingCount } }

    var load: DatabaseLoad { state.withLock { $0.load } }

    // MARK: Ending

    /// Refuses new writes, waits for those in the queue, and closes the connection.
    func close() async {
        announcements.close()
        state.withLock { $0.close() }
        await withCheckedContinuation { continuation in
            thread.queue.async {
                let isResting = self.state.withLock { $0.isResting }
                if isResting { continuation.resume() } else { self.rested.withLock { $0.append(continuation) } }
            }
        }
        connection.close()
    }

    /// A write of the task that has the turn would wait for itself.
    private func refuseNesting() throws {
        guard let current = Self.current, current.writer == ObjectIdentifier(self),
            connection.exclusively({ $0.turn == current.turn })
        else { return }
        throw TransactionMistake.nested
    }

    private static let overloaded = Failure.unavailable("database_busy", "Too many writes are waiting.")
    private static let timedOut = Failure.unavailable("transaction_timeout", "The transaction took too long and was rolled back.")
}

extension Result {
    var isSuccess: Bool {
        if case .success = self { true } else { false }
    }
}
