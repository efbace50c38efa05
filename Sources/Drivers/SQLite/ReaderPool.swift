import MartletCore
import MartletStorage
import Synchronization

/// The connections for reading: opened as needed, lent to one read at a time, waiters first come first served.
///
/// Long reads get at most half of them, so that short ones, which are over in microseconds, always find one soon.
final class ReaderPool: Sendable {
    private let state: Mutex<State>
    private let open: @Sendable () throws -> Connection
    private let capacity: Int

    fileprivate struct State {
        var idle: [Connection] = []
        var opened = 0
        var longReads = 0
        var waiting: [Waiter] = []
        var nextWaiter: UInt64 = 0
        var isClosed = false
        var (waited, waitedTime) = (0, Duration.zero)
    }

    fileprivate struct Waiter {
        let id: UInt64
        let isLong: Bool
        let since = ContinuousClock.now
        let continuation: CheckedContinuation<Connection?, any Error>
    }

    init(capacity: Int, open: @escaping @Sendable () throws -> Connection) {
        self.capacity = capacity
        self.open = open
        state = Mutex(State())
    }

    /// A connection for a short read if one is idle at this moment.
    @inline(__always)
    func borrowIdle() -> Connection? {
        state.withLock { $0.idle.popLast() }
    }

    /// A connection, now or when it is this caller's turn.
    func borrow(long isLong: Bool) async throws -> Connection {
        let id = state.withLock { state in
            state.nextWaiter += 1
            return state.nextWaiter
        }
        let lent = try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { wait(Waiter(id: id, isLong: isLong, continuation: $0)) }
        } onCancel: {
            let waiter = state.withLock { $0.remove(id) }
            waiter?.continuation.resume(throwing: CancellationError())
        }
        return try lent ?? openAnother(long: isLong)
    }

    func giveBack(_ connection: Connection, long isLong: Bool) {
        let (isClosed, isAwaited) = state.withLock { state in
            if isLong { state.longReads -= 1 }
            if !state.isClosed { state.idle.append(connection) }
            return (state.isClosed, !state.waiting.isEmpty)
        }
        if isClosed { connection.close() }
        if isAwaited { serve() }
    }

    /// Refuses further reads; connections close as they come back.
    func close() {
        let (idle, waiting) = state.withLock { state in
            state.isClosed = true
            defer { (state.idle, state.waiting) = ([], []) }
            return (state.idle, state.waiting)
        }
        for connection in idle { connection.close() }
        for waiter in waiting { waiter.continuation.resume(throwing: SQLiteDatabase.closed) }
    }

    /// How many connections are open and lent, and who waits.
    var load: DatabaseLoad {
        state.withLock { state in
            DatabaseLoad(
                connections: state.opened, inUse: state.opened - state.idle.count, waiting: state.waiting.count,
                queued: state.waiting.count,
                waited: state.waited, waitedTime: state.waitedTime)
        }
    }

    private func wait(_ waiter: Waiter) {
        let refused: (any Error)? = state.withLock { state in
            if state.isClosed { return SQLiteDatabase.closed }
            if Task.isCancelled { return CancellationError() }
            if !state.canServe(waiter, capacity) { state.waited += 1 }
            state.waiting.append(waiter)
            return nil
        }
        if let refused { waiter.continuation.resume(throwing: refused) } else { serve() }
    }

    /// Serves everyone whose turn has come.
    private func serve() {
        while let (waiter, connection) = state.withLock({ $0.next(capacity: capacity) }) {
            waiter.continuation.resume(returning: connection)
        }
    }

    private func openAnother(long isLong: Bool) throws -> Connection {
        do {
            return try open()
        } catch {
            state.withLock { state in
                state.opened -= 1
                if isLong { state.longReads -= 1 }
            }
            serve()
            throw error
        }
    }
}

extension ReaderPool.State {
    /// The next waiter to serve and what it gets: an idle connection, or `nil` for the right to open one.
    fileprivate mutating func next(capacity: Int) -> (ReaderPool.Waiter, Connection?)? {
        guard let position = waiting.firstIndex(where: { canServe($0, capacity) }) else { return nil }
        let waiter = waiting.remove(at: position)
        waitedTime += waiter.since.duration(to: .now)
        if waiter.isLong { longReads += 1 }
        if let connection = idle.popLast() { return (waiter, connection) }
        opened += 1
        return (waiter, nil)
    }

    fileprivate mutating func remove(_ id: UInt64) -> ReaderPool.Waiter? {
        guard let position = waiting.firstIndex(where: { $0.id == id }) else { return nil }
        let waiter = waiting.remove(at: position)
        waitedTime += waiter.since.duration(to: .now)
        return waiter
    }

    /// Whether there is a connection for this read, if nobody who came earlier may have it.
    fileprivate func canServe(_ waiter: ReaderPool.Waiter, _ capacity: Int) -> Bool {
        (!idle.isEmpty || opened < capacity) && (!waiter.isLong || longReads < max(1, capacity / 2))
    }
}
