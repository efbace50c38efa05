import Synchronization

/// What one listener is sent, taken by the connection as fast as the listener reads.
///
/// ```swift
/// serve(events: NewsAPI.events) { _, caller, lastEventID in
///     let (feed, sender) = EventFeed.open(after: try await missed(since: lastEventID, by: caller))
///     hub.add(sender)
///     return feed
/// }
/// ```
/// It ends when its sender finishes, when the listener goes away or falls too far behind, and when the server drains; the listener may
/// then come back and say where it left off. To be iterated once.
public final class EventFeed: AsyncSequence, Sendable {
    let sender: EventSender

    private init(_ sender: EventSender) {
        self.sender = sender
    }

    // A feed that never reached a connection (a HEAD request, a handler past its deadline) has no listener.
    deinit { sender.cancel() }

    /// Makes a feed, and what fills it.
    ///
    /// - Parameters:
    ///   - missed: What the listener is sent first, however much that is.
    ///   - room: How many further frames may wait for a listener that does not keep up.
    public static func open(after missed: [EventFrame] = [], room: Int = 64) -> (feed: EventFeed, sender: EventSender) {
        let sender = EventSender(missed, room: room)
        return (EventFeed(sender), sender)
    }

    public func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(feed: self)
    }

    public struct AsyncIterator: AsyncIteratorProtocol {
        fileprivate let feed: EventFeed

        /// The next frame; `nil` at the end. Cancelling the task ends the feed.
        public mutating func next() async -> EventFrame? {
            await feed.sender.next()
        }
    }
}

/// The way into an ``EventFeed``. It does not keep the feed alive.
public final class EventSender: Sendable {
    private typealias Waiter = CheckedContinuation<EventFrame?, Never>
    private let queue: Mutex<FeedQueue<Waiter>>
    private let endings = Mutex<[@Sendable () -> Void]>([])

    fileprivate init(_ missed: [EventFrame], room: Int) {
        queue = Mutex(FeedQueue(missed, room: room))
    }

    /// Sends a frame, without waiting for the listener. Returns `false` when the feed has ended, which it also does when there is no room
    /// for the frame: then its listener has to come back, and to be sent what it missed.
    @discardableResult
    public func send(_ frame: EventFrame) -> Bool {
        perform { $0.send(frame) }
    }

    /// Ends the feed; what waits is still sent. Safe to repeat.
    public func finish() {
        perform { $0.finish() }
    }

    /// Calls `action` once when the feed ends, for whatever reason, or at once when it has ended. It may run on any thread and must not
    /// block.
    public func onEnd(_ action: @escaping @Sendable () -> Void) {
        endings.withLock { $0.append(action) }
        if queue.withLock({ $0.isEnded }) { runEndings() }
    }

    func cancel() {
        perform { $0.cancel() }
    }

    /// Whether the connection waits for something to send.
    var isIdle: Bool { queue.withLock { $0.isIdle } }

    func tick() {
        perform { $0.tick() }
    }

    func next() async -> EventFrame? {
        await withTaskCancellationHandler {
            await withCheckedContinuation { waiter in
                switch queue.withLock({ $0.take(waiter) }) {
                case .frame(let frame): waiter.resume(returning: frame)
                case .ended: waiter.resume(returning: nil)
                case .waits: break
                }
            }
        } onCancel: {
            cancel()
        }
    }

    /// Returns whether the feed goes on.
    @discardableResult
    private func perform(_ change: @Sendable (inout FeedQueue<Waiter>) -> FeedQueue<Waiter>.Resumption?) -> Bool {
        let (resumption, isEnded) = queue.withLock { queue in (change(&queue), queue.isEnded) }
        resumption?.waiter.resume(returning: resumption?.frame)
        if isEnded { runEndings() }
        return !isEnded
    }

    private func runEndings() {
        let actions = endings.withLock { endings in
            defer { endings = [] }
            return endings
        }
        for action in actions { action() }
    }
}
