import Dispatch
import MartletCore
import MartletStorage
import Synchronization

/// Runs statements that only read, on the pool's connections.
///
/// Short reads run on the caller's own thread: a change of threads measured 1 to 3 µs of CPU per read, and 8 with one caller alone, of the
/// 7 to 12 that a read by primary key takes. A read that outlasts its
/// ``Budget`` is given up and run again on a thread of its own, and its statement is remembered as long.
final class SQLiteReads: Sendable {
    private let readers: ReaderPool
    private let log: SlowStatementLog
    /// Of another quality of service than tasks run at: those of one quality share few threads, and long reads would take them all.
    private let threads = DispatchQueue(label: "martlet.sqlite.long-reads", qos: .utility, attributes: .concurrent)

    /// A statement that takes longer than this on the caller's thread, time after time, does not run there any more.
    private static let shortRead = Duration.milliseconds(1)
    /// So many times in a row: once may be the system's doing, which had something else to run.
    private static let slowRuns = 3

    enum Outcome<Result: Sendable>: Sendable {
        case read(Result)
        /// It takes longer than a caller's thread may be held.
        case long
        /// It is not a read.
        case writes
    }

    init(readers: ReaderPool, log: SlowStatementLog) {
        (self.readers, self.log) = (readers, log)
    }

    /// The result; `nil` when the statement writes, which is then not run.
    func read<Result: Sendable>(
        _ text: String, _ values: [SQLValue], _ read: @Sendable @escaping (PreparedStatement) throws -> Result
    ) async throws -> Result? {
        try Task.checkCancellation()
        let connection = if let idle = readers.borrowIdle() { idle } else { try await readers.borrow(long: false) }
        let outcome: Outcome<Result>
        do {
            defer { readers.giveBack(connection, long: false) }
            try Deadline.check()
            outcome = try attempt(on: connection, text, values, read)
        }
        return switch outcome {
        case .read(let result): result
        case .writes: nil
        case .long: try await readLong(text, values, read)
        }
    }

    private func attempt<Result: Sendable>(
        on connection: Connection, _ text: String, _ values: [SQLValue], _ read: (PreparedStatement) throws -> Result
    ) throws -> Outcome<Result> {
        try connection.exclusively { session in
            let statement = try session.statement(text)
            guard statement.isReadOnly else { return .writes }
            if statement.isLong { return .long }
            let start = ContinuousClock.now
            let result = try session.runBriefly(statement, values, read)
            let duration = start.duration(to: .now)
            statement.slowRuns = duration > Self.shortRead ? statement.slowRuns + 1 : 0
            statement.isLong = result == nil || statement.slowRuns >= Self.slowRuns
            log.record(text, .read, took: duration)
            return result.map(Outcome.read) ?? .long
        }
    }

    private func readLong<Result: Sendable>(
        _ text: String, _ values: [SQLValue], _ read: @Sendable @escaping (PreparedStatement) throws -> Result
    ) async throws -> Result {
        let connection = try await readers.borrow(long: true)
        defer { readers.giveBack(connection, long: true) }
        try Deadline.check()
        let running = RunningStatement(connection)
        let requestID = CurrentRequest.id
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                threads.async { [log] in
                    let outcome = Swift.Result {
                        try CurrentRequest.$id.withValue(requestID) {
                            try Self.run(on: connection, running, text, values, log, read)
                        }
                    }
                    continuation.resume(with: outcome)
                }
            }
        } onCancel: {
            running.cancel()
        }
    }

    private static func run<Result: Sendable>(
        on connection: Connection, _ running: RunningStatement, _ text: String, _ values: [SQLValue], _ log: SlowStatementLog,
        _ read: (PreparedStatement) throws -> Result
    ) throws -> Result {
        try connection.exclusively { session in
            let start = ContinuousClock.now
            let result = try running.run { try session.run(text, values, read) }
            let duration = start.duration(to: .now)
            // It may have grown short: its table has shrunk, or the last time was an accident of the disk.
            try session.statement(text).isLong = duration > shortRead / 4
            log.record(text, .read, took: duration)
            return result
        }
    }
}

/// A statement that a cancelled task interrupts: never before it started or after it ended, when the connection serves another.
final class RunningStatement: Sendable {
    private enum State { case waiting, running, ended, cancelled }
    private let state = Mutex(State.waiting)
    private let connection: Connection

    init(_ connection: Connection) {
        self.connection = connection
    }

    /// Runs `body`; throws `CancellationError` if it was cancelled before or meanwhile.
    func run<Result>(_ body: () throws -> Result) throws -> Result {
        try enter(.running, from: .waiting)
        do {
            let result = try body()
            state.withLock { $0 = .ended }
            return result
        } catch let failure as SQLFailure where failure.kind == .interrupted {
            throw state.withLock { $0 == .cancelled } ? CancellationError() : failure.thrown
        } catch {
            state.withLock { $0 = .ended }
            throw error
        }
    }

    func cancel() {
        state.withLock { state in
            if state == .running { connection.interrupt() }
            if state != .ended { state = .cancelled }
        }
    }

    private func enter(_ next: State, from expected: State) throws {
        try state.withLock { state in
            guard state == expected else { throw CancellationError() }
            state = next
        }
    }
}
