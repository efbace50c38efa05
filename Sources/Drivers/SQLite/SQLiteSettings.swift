import Foundation

/// How the SQLite driver runs.
public struct SQLiteSettings: Sendable {
    /// What a commit waits for.
    public enum Synchronous: String, Sendable, CaseIterable {
        /// Every acknowledged write is on the disk: it survives a power cut.
        case full
        /// Commits do not wait for the disk. The database stays consistent, and `kill -9` loses nothing, but a power cut or a crash of the
        /// operating system loses the writes acknowledged since the last checkpoint, often seconds of them.
        case normal
    }

    public var synchronous: Synchronous
    /// How long to wait for a lock that another process holds, before `unavailable`.
    public var busyTimeout: Duration
    /// The most connections for reading, at least 2. They are opened as they are needed; at most half of them serve long reads.
    public var readers: Int
    /// Statements that take at least this long are logged.
    public var slowStatement: Duration
    /// How long one transaction may hold the writer, its body included, before it is rolled back.
    public var transactionTimeout: Duration
    /// How many writes may wait for their turn before further ones are refused as `unavailable`.
    public var waitingWrites: Int

    public init(
        synchronous: Synchronous = .full, busyTimeout: Duration = .seconds(5), readers: Int = SQLiteSettings.defaultReaders,
        slowStatement: Duration = .milliseconds(200), transactionTimeout: Duration = .seconds(30), waitingWrites: Int = 10_000
    ) {
        self.synchronous = synchronous
        self.busyTimeout = busyTimeout
        self.readers = max(2, readers)
        self.slowStatement = slowStatement
        self.transactionTimeout = transactionTimeout
        self.waitingWrites = max(1, waitingWrites)
    }
}

extension SQLiteSettings {
    /// One connection per core for short reads, and as many for long ones.
    public static var defaultReaders: Int { max(2, ProcessInfo.processInfo.activeProcessorCount) * 2 }
}
