import CPostgres
import Foundation
import Logging
import MartletCore
import MartletStorage
import Metrics
import Synchronization

/// Runs ``Core``: callers send their statements themselves, on their own threads; one thread waits for all connections' answers.
final class Engine: Sendable {
    private let core: Mutex<Core>
    /// What is to be done with the core, first come first served.
    private let inbox = Mutex<[@Sendable (inout Core) -> Void]>([])
    private let connector: Connector
    private let waker: Waker
    private let logger: Logger
    private let slow: SlowStatementLog
    private let lastRequest = Atomic<UInt64>(0)
    private let ended = Signal()

    init(url: String, settings: PostgresSettings, logger: Logger, metrics: any MetricsFactory) throws {
        connector = try Connector(url: url, settings: settings)
        core = Mutex(Core(settings, now: .now))
        waker = try Waker()
        self.logger = logger
        slow = SlowStatementLog(threshold: settings.slowStatement, logger: logger, metrics: metrics)
        let thread = Thread { [self] in poll() }
        thread.name = "martlet.postgres"
        thread.start()
    }

    /// Runs a statement outside any transaction.
    func run(_ statement: Statement) async throws -> PostgresResult {
        let requestID = CurrentRequest.id
        return try await answer { $0.submit($1, statement, $2, requestID: requestID, now: .now) }
    }

    func run(_ statement: Statement, on lease: Lease) async throws -> PostgresResult {
        let requestID = CurrentRequest.id
        return try await answer { $0.submit($1, statement, on: lease, $2, requestID: requestID, now: .now) }
    }

    func run(script: String, on lease: Lease) async throws {
        _ = try await answer { $0.submit($1, script: script, on: lease, $2, now: .now) }
    }

    /// Waits for a connection of one's own.
    func borrow(for limit: Duration?, begin: String?) async throws -> Lease {
        try Task.checkCancellation()
        try Deadline.check()
        let id = nextRequest()
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                perform { $0.borrow(LeaseRequest(id: id, limit: limit, begin: begin, completion: continuation), now: .now) }
                if Task.isCancelled { perform { $0.cancel(id) } }
            }
        } onCancel: {
            perform { $0.cancel(id) }
        }
    }

    func giveBack(_ lease: Lease) { perform { $0.giveBack(lease, now: .now) } }
    func listen(_ lease: Lease, _ listener: AsyncStream<PostgresSignal>.Continuation) { perform { $0.listen(lease, listener) } }
    var load: DatabaseLoad {
        // Whoever came meanwhile has left his wish to the one who had the lock.
        defer { performRest() }
        return core.withLock { $0.load }
    }

    /// Refuses new work, and returns when what runs has ended and every connection is closed.
    func close() async {
        perform { $0.close(now: .now) }
        await ended.wait()
    }

    private func answer(
        _ submit: @Sendable @escaping (inout Core, RequestID, Job.Completion) -> Void
    ) async throws -> PostgresResult {
        try Task.checkCancellation()
        try Deadline.check()
        let id = nextRequest()
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                perform { submit(&$0, id, continuation) }
                if Task.isCancelled { perform { $0.cancel(id) } }
            }
        } onCancel: {
            perform { $0.cancel(id) }
        }
    }

    private func nextRequest() -> RequestID { lastRequest.wrappingAdd(1, ordering: .relaxed).newValue }
}

// MARK: Performing

extension Engine {
    /// Has something done, in the order in which it was asked for, on this thread or on the one that is at it already: nobody waits for the
    /// lock, and what was asked for meanwhile is done together, and sent in one batch.
    private func perform(_ body: @Sendable @escaping (inout Core) -> Void) {
        inbox.withLock { $0.append(body) }
        performRest()
    }

    private func performRest() {
        while !inbox.withLock({ $0.isEmpty }) {
            guard let outcome = core.withLockIfAvailable({ core in turn(&core) }) else { return }
            perform(outcome)
        }
    }

    private func turn(_ core: inout Core) -> Outcome {
        let bodies = inbox.withLock { bodies in
            defer { bodies = [] }
            return bodies
        }
        for body in bodies { body(&core) }
        return Outcome(effects: core.takeEffects(), wakes: core.needsPoller)
    }

    /// What a turn with the lock leaves to be done without it.
    private struct Outcome: Sendable {
        let effects: [Core.Effect]
        let wakes: Bool
    }

    private func perform(_ outcome: Outcome) {
        if outcome.wakes { waker.wake() }
        for effect in outcome.effects { perform(effect) }
    }

    private func perform(_ effect: Core.Effect) {
        switch effect {
        case .answer(let completion, let result): completion.resume(with: result)
        case .lend(let request, let result): request.completion.resume(with: result)
        case .connect(let id):
            connector.open { [self] result in perform { $0.connected(id, result, now: .now) } }
        case .cancel(let cancellation):
            connector.cancel(cancellation) { [self] in perform { $0.cancelled(cancellation.link) } }
        case .log(let level, let message, let metadata): logger.log(level: level, message, metadata: metadata)
        case .signal(let listener, let payload): listener.yield(.notified(payload))
        case .silence(let listener): listener.finish()
        case .slow(let statement, let duration, let requestID): slow.report(statement, took: duration, for: requestID)
        case .took(let kind, let duration): slow.note(kind, took: duration)
        }
    }

    /// Waits for the server's answers until everything is closed.
    private func poll() {
        var descriptors: [pollfd] = []
        var ready: [ConnectionID] = []
        while let watch = takeIn(ready) {
            descriptors.removeAll(keepingCapacity: true)
            descriptors.append(pollfd(fd: waker.descriptor, events: Int16(POLLIN), revents: 0))
            for connection in watch.connections {
                let events = connection.wantsWrite ? POLLIN | POLLOUT : POLLIN
                descriptors.append(pollfd(fd: connection.socket, events: Int16(events), revents: 0))
            }
            wait(&descriptors, until: watch.until)
            if descriptors[0].revents != 0 { waker.clear() }
            ready = zip(watch.connections, descriptors.dropFirst()).filter { $1.revents != 0 }.map { $0.0.id }
        }
        ended.send()
    }

    /// Takes in what has arrived, does what has become due, and says what to wait for next.
    private func takeIn(_ ready: [ConnectionID]) -> Core.Watch? {
        let (outcome, watch) = core.withLock { core in
            let now = ContinuousClock.now
            for id in ready { core.receive(id, now: now) }
            core.tick(now: now)
            // What callers want is in the next batch already, and what it changes is in what to wait for.
            let outcome = turn(&core)
            return (Outcome(effects: outcome.effects, wakes: false), core.watch(now: now))
        }
        perform(outcome)
        performRest()
        return watch
    }

    private func wait(_ descriptors: inout [pollfd], until: ContinuousClock.Instant?) {
        let milliseconds = until.map { max(0, min(60_000, ContinuousClock.now.duration(to: $0) / .milliseconds(1))) }
        _ = systemPoll(&descriptors, nfds_t(descriptors.count), milliseconds.map { Int32($0.rounded(.up)) } ?? -1)
    }
}

/// `poll`, by a name that the method does not hide.
private func systemPoll(_ descriptors: inout [pollfd], _ count: nfds_t, _ milliseconds: Int32) -> Int32 {
    descriptors.withUnsafeMutableBufferPointer { poll($0.baseAddress, count, milliseconds) }
}

/// Wakes the thread that waits for the connections.
private final class Waker: Sendable {
    let descriptor: Int32
    private let writing: Int32

    init() throws {
        var ends: [Int32] = [0, 0]
        guard pipe(&ends) == 0 else { throw SQLFailure(.ioError, code: "pipe", subject: "no descriptor is left").thrown }
        for end in ends {
            _ = fcntl(end, F_SETFL, O_NONBLOCK)
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
        }
        (descriptor, writing) = (ends[0], ends[1])
    }

    deinit {
        close(descriptor)
        close(writing)
    }

    func wake() {
        // A full pipe wakes as well.
        _ = withUnsafeBytes(of: UInt8(1)) { write(writing, $0.baseAddress, 1) }
    }

    func clear() {
        withUnsafeTemporaryAllocation(byteCount: 256, alignment: 1) { bytes in
            while read(descriptor, bytes.baseAddress, bytes.count) == bytes.count {}
        }
    }
}

/// A moment that callers wait for.
private final class Signal: Sendable {
    private let state = Mutex<(isSent: Bool, waiting: [CheckedContinuation<Void, Never>])>((false, []))

    func send() {
        let waiting = state.withLock { state in
            state.isSent = true
            defer { state.waiting = [] }
            return state.waiting
        }
        for waiter in waiting { waiter.resume() }
    }

    func wait() async {
        await withCheckedContinuation { continuation in
            let isSent = state.withLock { state in
                if !state.isSent { state.waiting.append(continuation) }
                return state.isSent
            }
            if isSent { continuation.resume() }
        }
    }
}
