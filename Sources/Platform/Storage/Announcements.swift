import Synchronization

/// Wakes those who wait for something to be committed: a wake-up says where to look, never what is there.
///
/// Nothing is lost by relying on it, but it may be late: an announcement that another process made reaches this one at once where the
/// engine passes it on (PostgreSQL), unless the connection is lost at that moment, and not at all where it does not (SQLite). So whoever
/// waits also looks by itself from time to time, slowly.
public final class Announcements: Sendable {
    private struct State {
        var listeners: [UInt64: AsyncStream<Void>.Continuation] = [:]
        var numbers: [Topic: Set<UInt64>] = [:]
        var lastListener: UInt64 = 0
        var heeding: [Topic: [@Sendable (any Sendable) async -> Void]] = [:]
        var isClosed = false
    }

    /// Whether other processes that use the database hear what this one announces, and it hears them.
    public let reachOtherProcesses: Bool

    private let state = Mutex(State())
    private let onFirstStream: @Sendable (Announcements) -> Void

    /// For drivers.
    ///
    /// - Parameter onFirstStream: Called once, when somebody waits for the first time: the moment to begin to listen to other processes.
    public init(reachOtherProcesses: Bool = false, onFirstStream: @escaping @Sendable (Announcements) -> Void = { _ in }) {
        (self.reachOtherProcesses, self.onFirstStream) = (reachOtherProcesses, onFirstStream)
    }

    /// An element now, and then whenever something may have been committed under the topic; what comes while the reader is busy is one
    /// element. It ends when the database is closed.
    ///
    /// What is committed after the call is never missed: ask for the stream first, and then look.
    public func stream(of topic: Topic) -> AsyncStream<Void> {
        stream(of: [topic])
    }

    /// The same for several topics, which share the elements.
    public func stream(of topics: Set<Topic>) -> AsyncStream<Void> {
        let (stream, listener) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        guard let number = add(listener, to: topics) else {
            listener.finish()
            return stream
        }
        listener.onTermination = { [weak self] _ in self?.remove(number, from: topics) }
        listener.yield()
        if number == 1 { onFirstStream(self) }
        return stream
    }

    /// Has `handler` called with each note that a transaction of this process told under the topic, between its commit and its caller's
    /// answer, which waits for it: it must be quick, and bounded in time. Its task may be a cancelled one. It cannot be taken back.
    public func heed(_ topic: Topic, _ handler: @escaping @Sendable (any Sendable) async -> Void) {
        state.withLock { $0.heeding[topic, default: []].append(handler) }
    }

    private func add(_ listener: AsyncStream<Void>.Continuation, to topics: Set<Topic>) -> UInt64? {
        state.withLock { state in
            guard !state.isClosed else { return nil }
            state.lastListener += 1
            state.listeners[state.lastListener] = listener
            for topic in topics { state.numbers[topic, default: []].insert(state.lastListener) }
            return state.lastListener
        }
    }

    private func remove(_ number: UInt64, from topics: Set<Topic>) {
        state.withLock { state in
            state.listeners[number] = nil
            for topic in topics {
                state.numbers[topic]?.remove(number)
                if state.numbers[topic]?.isEmpty == true { state.numbers[topic] = nil }
            }
        }
    }
}

// MARK: For drivers

extension Announcements {
    /// Wakes whoever waits for one of the topics.
    public func wake(_ topics: Set<Topic>) {
        guard !topics.isEmpty else { return }
        let listeners = state.withLock { state in
            // Once, even who waits for several of them.
            Set(topics.flatMap { state.numbers[$0] ?? [] }).compactMap { state.listeners[$0] }
        }
        for listener in listeners { listener.yield() }
    }

    /// Passes on what a transaction told, in its order. To be awaited after the commit, before the caller is answered.
    public func deliver(_ notes: [(topic: Topic, note: any Sendable)]) async {
        for (topic, note) in notes {
            for handler in state.withLock({ $0.heeding[topic] }) ?? [] { await handler(note) }
        }
    }

    /// Wakes everybody: nobody knows what was announced meanwhile.
    public func wakeAll() {
        for listener in state.withLock({ $0.listeners.values }) { listener.yield() }
    }

    /// Ends every stream, now and later. Safe to repeat.
    public func close() {
        let listeners = state.withLock { state in
            defer { (state.isClosed, state.listeners, state.numbers) = (true, [:], [:]) }
            return state.listeners.values
        }
        // Outside of the lock, which each takes as it ends.
        for listener in listeners { listener.finish() }
    }
}
