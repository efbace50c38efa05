public import Logging
import Synchronization

/// Reads the outbox for one process: each entry that is committed after it began, exactly once, by one query for all topics.
///
/// It looks when a topic is announced, and every `pollEvery` for what was not announced here: another process of SQLite's file, a
/// notification that was lost. It begins anew with each process: what has to be done exactly once by all of them is a job's business.
public final class OutboxTail: Sendable {
    private let database: any Database
    private let pollEvery: Duration
    private let logger: Logger
    private let state = Mutex(State())
    private let beginning = Beginning()
    private let origin = ContinuousClock.now
    /// When the last look that succeeded began, in nanoseconds from `origin`; -1 before the first.
    private let looked = Atomic<Int64>(-1)

    private typealias Handlers = [Topic: [@Sendable (OutboxEntry) -> Void]]

    private struct State {
        var handlers: Handlers = [:]
        var hasRun = false
    }

    public init(_ database: any Database, pollEvery: Duration = .seconds(2), logger: Logger) {
        (self.database, self.pollEvery, self.logger) = (database, pollEvery, logger)
    }

    /// Has `handler` called for each entry of the topic, one after another, in the order they became visible; it must not block.
    ///
    /// Entries that became visible between two looks come in the order of their positions. To subscribe after ``run()`` has begun is a
    /// mistake in the program.
    public func subscribe(_ topic: Topic, _ handler: @escaping @Sendable (OutboxEntry) -> Void) {
        state.withLock { state in
            precondition(!state.hasRun, "\(topic): subscribe before the tail runs")
            state.handlers[topic, default: []].append(handler)
        }
    }

    /// Reads until the task is cancelled or the database is closed. An outage is waited out; nothing that was committed meanwhile is missed,
    /// unless it was pruned.
    public func run() async {
        let handlers = state.withLock { state in
            state.hasRun = true
            return state.handlers
        }
        let (looks, waker) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.wakeOnAnnouncements(of: Set(handlers.keys), waker) }
            group.addTask { await self.wakeFromTimeToTime(waker) }
            await read(at: looks, handlers)
            group.cancelAll()
        }
        beginning.happen()
    }

    /// Those of the database it reads.
    public var announcements: Announcements { database.announcements }

    /// Every entry that was committed before this moment, and after it began, has been handled; `nil` before it has begun. Cheap to ask.
    public var isCaughtUpWith: ContinuousClock.Instant? {
        let nanoseconds = looked.load(ordering: .acquiring)
        return nanoseconds < 0 ? nil : origin + .nanoseconds(nanoseconds)
    }

    /// Returns when every entry from now on will be seen: where it begins is known. Also when ``run()`` has ended without that, and when the
    /// task is cancelled. For tests, and for those who read the present state after it.
    public func hasBegun() async {
        await beginning.wait()
    }
}

extension OutboxTail {
    private func wakeOnAnnouncements(of topics: Set<Topic>, _ waker: AsyncStream<Void>.Continuation) async {
        for await _ in database.announcements.stream(of: topics) { waker.yield() }
        waker.finish()
    }

    private func wakeFromTimeToTime(_ waker: AsyncStream<Void>.Continuation) async {
        while !Task.isCancelled {
            // A cancelled sleep ends the loop.
            try? await Task.sleep(for: pollEvery)
            waker.yield()
        }
    }

    private func read(at looks: AsyncStream<Void>, _ handlers: Handlers) async {
        var cursor: OutboxCursor?
        var isAway = false
        for await _ in looks {
            do {
                try await look(&cursor, handlers)
                if isAway { logger.info("the outbox is read again") }
                isAway = false
            } catch {
                if !isAway, !Task.isCancelled { logger.warning("the outbox cannot be read", error: error) }
                isAway = true
            }
        }
    }
}

extension OutboxTail {
    /// Reads what is new. What it has read before it throws it has not to read again.
    private func look(_ cursor: inout OutboxCursor?, _ handlers: Handlers) async throws {
        let start = ContinuousClock.now - origin
        guard var reached = cursor else {
            cursor = try await OutboxCursor(handlers.keys, in: database)
            looked.store(start.nanoseconds, ordering: .releasing)
            return beginning.happen()
        }
        repeat {
            let entries = try await reached.next(in: database)
            cursor = reached
            for entry in entries { handle(entry, handlers) }
        } while reached.hasMore
        looked.store(start.nanoseconds, ordering: .releasing)
    }

    private func handle(_ entry: OutboxEntry, _ handlers: Handlers) {
        guard let topic = Topic(validating: entry.topic) else { return }
        for handler in handlers[topic] ?? [] { handler(entry) }
    }
}

extension Duration {
    /// Whole ones, which count for 292 years.
    fileprivate var nanoseconds: Int64 { Int64(self / .nanoseconds(1)) }
}

/// Something that happens once, and that callers wait for until they are cancelled.
private final class Beginning: Sendable {
    private let state = Mutex((isOver: false, waiting: [AsyncStream<Never>.Continuation]()))

    func happen() {
        let waiting = state.withLock { state in
            defer { state = (true, []) }
            return state.waiting
        }
        for waiter in waiting { waiter.finish() }
    }

    func wait() async {
        let (moment, waiter) = AsyncStream.makeStream(of: Never.self)
        let isOver = state.withLock { state in
            if !state.isOver { state.waiting.append(waiter) }
            return state.isOver
        }
        if isOver { return }
        for await _ in moment {}
    }
}
