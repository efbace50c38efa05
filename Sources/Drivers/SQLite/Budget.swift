import GRDB
import GRDBSQLite

/// Bounds how many steps of SQLite's virtual machine a read may take on a thread that others wait for.
///
/// SQLite calls back every thousand instructions. The bound is in instructions, not in time: one that calls a function, a full-text match
/// for instance, may take long by itself, and is caught afterwards by the clock of ``SQLiteReads``.
final class Budget {
    /// The connection; `nil` once it is closed.
    private(set) var handle: OpaquePointer?
    /// Keeps the connection open for as long as `handle` is used.
    private let queue: DatabaseQueue
    private let remaining: UnsafeMutablePointer<Int32>

    private static let callbacks: Int32 = 25
    private static let unlimited = Int32.max

    init(_ queue: DatabaseQueue) {
        self.queue = queue
        handle = queue.inDatabase { $0.sqliteConnection }
        remaining = .allocate(capacity: 1)
        remaining.initialize(to: Self.unlimited)
        let countDown: @convention(c) (UnsafeMutableRawPointer?) -> Int32 = { context in
            guard let remaining = context?.assumingMemoryBound(to: Int32.self), remaining.pointee != Int32.max else { return 0 }
            remaining.pointee -= 1
            return remaining.pointee <= 0 ? 1 : 0
        }
        sqlite3_progress_handler(handle, 1000, countDown, remaining)
        // GRDB's observers of transactions expect its own queue, and end the process elsewhere. Nothing observes these connections.
        sqlite3_commit_hook(handle, nil, nil)
        sqlite3_rollback_hook(handle, nil, nil)
    }

    deinit {
        detach()
        remaining.deallocate()
    }

    /// Leaves the connection alone from now on; it is about to be closed.
    func detach() {
        if let handle { sqlite3_progress_handler(handle, 0, nil, nil) }
        handle = nil
    }

    func limit() { remaining.pointee = Self.callbacks }
    func lift() { remaining.pointee = Self.unlimited }
    var isSpent: Bool { remaining.pointee <= 0 }
}
