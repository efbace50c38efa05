import Logging
import MartletStorage
import Synchronization

/// Tells the other processes that share a schema what was committed, and hears it from them.
///
/// It notifies after the commit and outside of the transaction: a transaction that notifies takes a lock on the whole server until its commit
/// is on the disk, so that such transactions commit one after another (`PreCommit_Notify` in PostgreSQL's `async.c`).
final class Notifications: Sendable {
    /// Each schema has its own channel; its name is hashed, since channels have shorter names.
    static let channel: SQL = "'martlet:' || hashtextextended(coalesce(current_schema(), ''), 0)"

    private let engine: Engine
    private let logger: Logger
    /// What it sends it also hears, and knows it by this.
    private let sender = String(UInt64.random(in: .min ... .max), radix: 36)
    private let queue = Mutex(NotificationQueue())

    init(_ engine: Engine, logger: Logger) {
        (self.engine, self.logger) = (engine, logger)
    }

    /// Returns at once. What cannot be sent is dropped: whoever waits for it also looks by itself from time to time.
    func send(_ topics: Set<Topic>) {
        guard queue.withLock({ $0.add(topics) }) else { return }
        // It has nothing of the request that happened to commit: neither its identifier nor its transaction nor its cancellation.
        Task.detached { [self] in
            while let next = queue.withLock({ $0.next() }) { await notify(next) }
        }
    }

    private func notify(_ topics: Set<Topic>) async {
        let payloads = topics.map { "\(sender):\($0)" }
        do {
            // In parentheses it does not travel with the reads of requests, which would wait for the server's lock.
            _ = try await engine.run(
                Statement("(SELECT pg_notify(\(Self.channel), payload) FROM unnest(\(payloads)) AS payload)"))
        } catch {
            logger.debug("a notification was not sent", error: error)
        }
    }

    /// Wakes those who wait in this process for what others committed, until the database is closed.
    func hear(for announcements: Announcements) {
        Task.detached { [self] in
            for await signal in engine.signals(on: nil) {
                switch signal {
                case .listening: announcements.wakeAll()
                case .notified(let payload): if let topic = topic(in: payload) { announcements.wake([topic]) }
                }
            }
        }
    }

    /// `nil` for what this process sent itself, whose waiters know already, and for what is none of ours.
    private func topic(in payload: String) -> Topic? {
        let parts = payload.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, parts[0] != sender else { return nil }
        return Topic(validating: parts[1])
    }
}

/// At most one statement of notifications is on its way; what comes meanwhile goes with the next one.
struct NotificationQueue {
    private var waiting: Set<Topic> = []
    private var isSending = false

    /// Whether somebody has to begin to send.
    mutating func add(_ topics: Set<Topic>) -> Bool {
        waiting.formUnion(topics)
        guard !isSending, !waiting.isEmpty else { return false }
        isSending = true
        return true
    }

    /// What to send next; with `nil` nobody sends any more.
    mutating func next() -> Set<Topic>? {
        isSending = !waiting.isEmpty
        defer { waiting = [] }
        return isSending ? waiting : nil
    }
}
