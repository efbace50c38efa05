import Logging
import MartletCore
import NIOCore
import NIOPosix
import Synchronization

/// Runs ``Core``: callers hand in their commands on their own threads; one event loop writes, reads and keeps the time.
final class Engine: Sendable {
    typealias Prepare = @Sendable (RedisSession) async throws -> Void

    private let core: Mutex<Core>
    private let runner = Mutex(Runner())
    private let connector: Connector
    private let prepare: Prepare?
    private let logger: Logger
    private var loop: any EventLoop { connector.loop }

    /// What belongs to the connections and streams of the core.
    private struct Runner {
        var channels: [ConnectionID: any Channel] = [:]
        var preparations: [ConnectionID: Task<Void, Never>] = [:]
        var streams: [Int: AsyncStream<RedisMessage>.Continuation] = [:]
        var watchers: [Int: AsyncStream<Bool>.Continuation] = [:]
        var lastStream = 0
        var look: (at: ContinuousClock.Instant, timer: Scheduled<Void>)?
        var hasEnded = false
        var closers: [CheckedContinuation<Void, Never>] = []
    }

    init(_ address: RedisAddress, settings: RedisSettings, prepare: Prepare?, logger: Logger) throws {
        var login = address.login
        login.name = settings.clientName
        core = Mutex(Core(limits: settings.limits, login: login, isPrepared: prepare != nil))
        connector = try Connector(address, settings: settings, loop: MultiThreadedEventLoopGroup.singleton.next())
        self.prepare = prepare
        self.logger = logger
    }

    var isAvailable: Bool { core.withLock { $0.isAvailable } }

    /// The answers to some commands that are sent together.
    ///
    /// - Parameter id: The connection, for one who prepares it.
    func ask(_ commands: [[RedisWord]], on id: ConnectionID? = nil) async throws -> [RESPValue] {
        try Task.checkCancellation()
        try Deadline.check()
        let bytes = RESPEncoder.encode(commands)
        let call = Call()
        turn { core in
            if let id {
                core.submit(call, on: id, bytes, count: commands.count, now: .now)
            } else {
                core.submit(call, bytes, count: commands.count, now: .now)
            }
        }
        return try await call.answer()
    }

    func close() async {
        turn { $0.close() }
        await withCheckedContinuation { continuation in
            let hasEnded = runner.withLock { runner in
                if !runner.hasEnded { runner.closers.append(continuation) }
                return runner.hasEnded
            }
            if hasEnded { continuation.resume() }
        }
    }
}

// MARK: Turns

extension Engine {
    /// Changes the core, then does what that calls for: answers here, all else on the event loop, in order.
    private func turn(_ body: (inout Core) -> Void) {
        let effects = core.withLock { core in
            body(&core)
            return core.takeEffects()
        }
        var rest: [Core.Effect] = []
        for effect in effects {
            if case .answer(let call, let result) = effect { call.finish(result.mapError { $0.failure }) } else { rest.append(effect) }
        }
        guard !rest.isEmpty else { return }
        if loop.inEventLoop { perform(rest) } else { loop.execute { [self, rest] in perform(rest) } }
    }

    private func perform(_ effects: [Core.Effect]) {
        for effect in effects { perform(effect) }
        lookLater()
    }

    private func perform(_ effect: Core.Effect) {
        switch effect {
        case .open(let id): open(id)
        case .flush(let id): flush(id)
        case .close(let id): close(id)
        case .prepare(let id): prepare(id)
        case .answer(let call, let result): call.finish(result.mapError { $0.failure })
        case .deliver(let stream, let message): deliver(stream, message)
        case .finish(let stream): runner.withLock { $0.streams.removeValue(forKey: stream) }?.finish()
        case .availabilityChanged: tellWatchers()
        case .log(let level, let message): logger.log(level: level, message)
        case .ended: end()
        }
    }

    /// Keeps one timer, for the earliest moment at which something becomes due.
    private func lookLater() {
        guard let next = core.withLock({ $0.nextLook }) else { return }
        let old = runner.withLock { $0.look }
        if let old, old.at <= next { return }
        old?.timer.cancel()
        let timer = loop.scheduleTask(in: TimeAmount(ContinuousClock.now.duration(to: next))) { [self] in look() }
        runner.withLock { $0.look = (next, timer) }
    }

    private func look() {
        runner.withLock { $0.look = nil }
        turn { $0.tick(now: .now) }
        lookLater()
    }

    private func end() {
        let (closers, watchers, timer) = runner.withLock { runner in
            defer { (runner.closers, runner.watchers, runner.look) = ([], [:], nil) }
            runner.hasEnded = true
            return (runner.closers, runner.watchers, runner.look?.timer)
        }
        timer?.cancel()
        for watcher in watchers.values { watcher.finish() }
        for closer in closers { closer.resume() }
    }
}

// MARK: Connections

extension Engine {
    private func open(_ id: ConnectionID) {
        connector.open { [self] event in received(id, event) }.whenComplete { [self] result in
            switch result {
            case .success(let channel): opened(id, channel)
            case .failure(let error):
                logger.debug("Connecting to Redis failed.", error: error)
                turn { $0.ended(id, now: .now) }
            }
        }
    }

    private func opened(_ id: ConnectionID, _ channel: any Channel) {
        runner.withLock { $0.channels[id] = channel }
        channel.closeFuture.whenComplete { [self] _ in
            runner.withLock { _ = $0.channels.removeValue(forKey: id) }
            turn { $0.ended(id, now: .now) }
        }
        turn { $0.opened(id) }
    }

    private func received(_ id: ConnectionID, _ event: Receiver.Event) {
        switch event {
        case .items(let items): turn { $0.receive(id, items, now: .now) }
        case .fault(let fault): turn { $0.garbled(id, fault, now: .now) }
        case .failed(let error): logger.debug("A connection to Redis failed.", error: error)
        }
    }

    private func flush(_ id: ConnectionID) {
        guard let channel = runner.withLock({ $0.channels[id] }) else { return }
        var buffers = core.withLock { $0.takeOutgoing(id) }
        guard var bytes = buffers.popLast() else { return }
        if !buffers.isEmpty {
            buffers.append(bytes)
            bytes = channel.allocator.buffer(capacity: buffers.reduce(0) { $0 + $1.readableBytes })
            for buffer in buffers { bytes.writeImmutableBuffer(buffer) }
        }
        channel.writeAndFlush(bytes, promise: nil)
    }

    private func close(_ id: ConnectionID) {
        let (channel, preparation) = runner.withLock { ($0.channels[id], $0.preparations.removeValue(forKey: id)) }
        preparation?.cancel()
        channel?.close(promise: nil)
    }

    private func prepare(_ id: ConnectionID) {
        let task = Task { [self] in
            do {
                try await prepare?(RedisSession(engine: self, id: id))
                turn { $0.prepared(id, now: .now) }
            } catch {
                logger.warning("Preparing a connection to Redis failed.", error: error)
                turn { $0.unprepared(id, now: .now) }
            }
            runner.withLock { _ = $0.preparations.removeValue(forKey: id) }
        }
        runner.withLock { $0.preparations[id] = task }
    }
}

// MARK: Streams

extension Engine {
    func messages(on channels: Set<String>) -> AsyncStream<RedisMessage> {
        let (messages, continuation) = AsyncStream.makeStream(of: RedisMessage.self, bufferingPolicy: .bufferingNewest(Self.mostMessages))
        let id = runner.withLock { runner in
            runner.lastStream += 1
            runner.streams[runner.lastStream] = continuation
            return runner.lastStream
        }
        continuation.onTermination = { [self] _ in
            runner.withLock { _ = $0.streams.removeValue(forKey: id) }
            turn { $0.unsubscribe(id) }
        }
        turn { $0.subscribe(id, channels, now: .now) }
        return messages
    }

    /// Whether calls are answered, now and whenever that changes.
    func availability() -> AsyncStream<Bool> {
        let (changes, continuation) = AsyncStream.makeStream(of: Bool.self, bufferingPolicy: .bufferingNewest(1))
        let id = runner.withLock { runner -> Int? in
            guard !runner.hasEnded else { return nil }
            runner.lastStream += 1
            runner.watchers[runner.lastStream] = continuation
            return runner.lastStream
        }
        guard let id else {
            continuation.finish()
            return changes
        }
        continuation.onTermination = { [self] _ in runner.withLock { _ = $0.watchers.removeValue(forKey: id) } }
        loop.execute { [self] in continuation.yield(isAvailable) }
        return changes
    }

    /// One who does not keep up loses messages, and is told so as after a reconnection.
    private func deliver(_ stream: Int, _ message: RedisMessage) {
        guard let continuation = runner.withLock({ $0.streams[stream] }) else { return }
        if case .dropped = continuation.yield(message) { continuation.yield(.subscribed) }
    }

    private func tellWatchers() {
        let watchers = runner.withLock { $0.watchers.values.map(\.self) }
        let isAvailable = isAvailable
        for watcher in watchers { watcher.yield(isAvailable) }
    }

    private static let mostMessages = 4096
}
