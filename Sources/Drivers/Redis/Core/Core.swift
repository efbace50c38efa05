import Logging
import NIOCore

typealias ConnectionID = UInt64

/// All that the client knows, reachable only under the lock of ``Engine``. Nothing here waits; what must happen outside the lock is left in
/// ``takeEffects()``.
struct Core {
    typealias Instant = ContinuousClock.Instant

    /// What is to be done once the lock is free.
    enum Effect: Sendable {
        case open(ConnectionID)
        /// Bytes of this connection wait to be written.
        case flush(ConnectionID)
        case close(ConnectionID)
        /// Do what has to be done on a new connection before it serves, then tell ``prepared(_:now:)`` or ``unprepared(_:now:)``.
        case prepare(ConnectionID)
        case answer(Call, Result<[RESPValue], RedisOutage>)
        case deliver(Int, RedisMessage)
        case finish(Int)
        case availabilityChanged
        case log(Logger.Level, Logger.Message)
        /// Every connection is closed, and no other will be opened.
        case ended
    }

    /// A connection, and how far it is.
    struct Line {
        enum Stage { case opening, preparing(until: Instant), serving(since: Instant) }

        var conversation: Conversation<Call>
        var stage = Stage.opening
        /// Another one fell silent, and nothing has been heard of this one since.
        var isSuspect = false
        var isFlushing = false
    }

    /// Somebody who came while the first connection was being opened.
    struct Waiting {
        let call: Call
        let bytes: ByteBuffer
        let count: Int
        let asked: Instant
        let deadline: Instant
    }

    let limits: Limits
    let login: RedisLogin
    let isPrepared: Bool
    let jitter: @Sendable () -> Double
    var lines: [ConnectionID: Line] = [:]
    /// Those that serve, in the order of their age.
    var serving: [ConnectionID] = []
    /// The one that is being opened to serve.
    var attempt: ConnectionID?
    var reconnecting = Reconnecting()
    var waiting = CircularBuffer<Waiting>()
    var waitingCount = 0
    var subscriptions = Subscriptions()
    var subscriber = Subscriber()
    /// Connections whose end has not been told.
    var open: Set<ConnectionID> = []
    var lastID: ConnectionID = 0
    var isStarted = false
    var isClosed = false
    var wasAvailable = true
    var effects: [Effect] = []

    struct Limits: Sendable {
        var connections = 2
        var waiting = 10_000
        var timeout = Duration.seconds(1)
        var connectTimeout = Duration.seconds(2)
        /// How long the subscriber may hear nothing before it asks whether the server is there.
        var quiet = Duration.seconds(5)
    }

    init(
        limits: Limits, login: RedisLogin, isPrepared: Bool = false, jitter: @Sendable @escaping () -> Double = { .random(in: 0.5...1) }
    ) {
        (self.limits, self.login, self.isPrepared, self.jitter) = (limits, login, isPrepared, jitter)
    }

    mutating func takeEffects() -> [Effect] {
        guard !effects.isEmpty else { return [] }
        defer { effects = [] }
        return effects
    }

    /// Whether calls are answered, or wait for a first attempt.
    var isAvailable: Bool { !isClosed && (reconnecting.isPatient || serving.contains { lines[$0]?.isSuspect == false }) }
}

// MARK: Calls

extension Core {
    mutating func submit(_ call: Call, _ bytes: ByteBuffer, count: Int, now: Instant) {
        if let refusal = refusal(for: count) { return effects.append(.answer(call, .failure(refusal))) }
        if let id = leastBusy {
            return ask(id, call, bytes, count: count, now: now)
        }
        guard reconnecting.isPatient else { return effects.append(.answer(call, .failure(.away))) }
        waiting.append(Waiting(call: call, bytes: bytes, count: count, asked: now, deadline: now + limits.timeout))
        waitingCount += count
        start(now: now)
    }

    /// For one who prepares a connection.
    mutating func submit(_ call: Call, on id: ConnectionID, _ bytes: ByteBuffer, count: Int, now: Instant) {
        guard lines[id] != nil else { return effects.append(.answer(call, .failure(.lost))) }
        ask(id, call, bytes, count: count, now: now)
    }

    /// What is to be written on a connection, in order.
    mutating func takeOutgoing(_ id: ConnectionID) -> [ByteBuffer] {
        lines[id]?.isFlushing = false
        return lines[id]?.conversation.takeOutgoing() ?? []
    }

    /// Fails what waits, and refuses what comes.
    mutating func close() {
        guard !isClosed else { return }
        isClosed = true
        for id in lines.keys.sorted() { discard(id, .closed) }
        refuseWaiting(.closed)
        (serving, attempt, subscriber) = ([], nil, Subscriber())
        reconnecting.stop()
        effects += subscriptions.close().map { .finish($0) }
        noteAvailability(.closed)
        noteEnd()
    }

    mutating func ask(_ id: ConnectionID, _ call: Call, _ bytes: ByteBuffer, count: Int, now: Instant) {
        let deadline = now + limits.timeout
        lines[id]?.conversation.ask(call, bytes, count: count, now: now, deadline: deadline)
        flush(id)
    }

    mutating func flush(_ id: ConnectionID) {
        guard let line = lines[id], !line.isFlushing, line.conversation.hasOutgoing else { return }
        lines[id]?.isFlushing = true
        effects.append(.flush(id))
    }

    private func refusal(for count: Int) -> RedisOutage? {
        if isClosed { return .closed }
        let load = serving.reduce(waitingCount) { $0 + (lines[$1]?.conversation.load ?? 0) }
        return load + count > limits.waiting ? .full : nil
    }

    private var leastBusy: ConnectionID? {
        var best: (id: ConnectionID, load: Int)?
        for id in serving {
            guard let line = lines[id], !line.isSuspect else { continue }
            if line.conversation.load < best?.load ?? .max { best = (id, line.conversation.load) }
        }
        return best?.id
    }
}
