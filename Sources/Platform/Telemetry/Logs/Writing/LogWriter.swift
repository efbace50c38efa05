import Dispatch
import Foundation
import Logging
import Synchronization

/// Writes lines to one place, on a thread of its own: whoever logs only puts a line into a bounded queue, and waits for nothing.
///
/// While the place is stuck or full, lines are dropped and counted; when it is well again, one line tells how many. What is queued when the
/// process traps is lost.
public final class LogWriter: Sendable {
    /// How much may wait.
    public struct Bounds: Sendable {
        public var bytes: Int
        public var lines: Int

        public static let standardBytes = 8 << 20

        public init(bytes: Int = standardBytes, lines: Int = 100_000) { (self.bytes, self.lines) = (bytes, lines) }
    }

    private let core: Core

    init(to sink: any LogSink, _ bounds: Bounds = Bounds(), notice: @escaping Notice) {
        core = Core(sink, bounds, notice)
        let core = core
        Thread.detachNewThread {
            Thread.current.name = "martlet.log"
            core.run()
        }
    }

    /// A line that tells how many were dropped, by level.
    typealias Notice = @Sendable ([Logger.Level: Int]) -> [UInt8]

    deinit { core.tell { $0.end() } }

    /// What was written, dropped and waits.
    public var statistics: LogStatistics { core.statistics }

    func write(_ line: [UInt8], _ level: Logger.Level) { core.add(line, level) }

    /// Opens again what may have been moved away, before the next line.
    func reopen() { core.tell { $0.reopen() } }

    /// Waits until everything that is queued now is written, or given up, or the time is over. Blocks its thread.
    func flush(until end: DispatchTime) -> Bool { core.flush(until: end) }
}

private final class Core: Sendable {
    private struct State {
        var queue: LogQueue
        var waiting: [(target: Int, done: DispatchSemaphore)] = []
    }

    private let state: Mutex<State>
    private let sink: Mutex<any LogSink>
    private let bell = DispatchSemaphore(value: 0)
    private let notice: LogWriter.Notice
    /// Long enough that a busy server writes many lines at once and is seldom interrupted for it, and too short for anyone to notice.
    private static let pause = DispatchTimeInterval.milliseconds(25)

    init(_ sink: any LogSink, _ bounds: LogWriter.Bounds, _ notice: @escaping LogWriter.Notice) {
        state = Mutex(State(queue: LogQueue(maximumBytes: bounds.bytes, maximumLines: bounds.lines, batchBytes: sink.batchBytes)))
        self.sink = Mutex(sink)
        self.notice = notice
    }

    var statistics: LogStatistics {
        state.withLock { state in
            var statistics = state.queue.statistics
            (statistics.queuedLines, statistics.queuedBytes) = (state.queue.count, state.queue.bytes)
            return statistics
        }
    }

    func add(_ line: [UInt8], _ level: Logger.Level) {
        if state.withLock({ $0.queue.add(line, level) }) { bell.signal() }
    }

    func tell(_ change: (inout LogQueue) -> Void) {
        state.withLock { change(&$0.queue) }
        bell.signal()
    }

    func flush(until end: DispatchTime) -> Bool {
        let done = DispatchSemaphore(value: 0)
        let isDone = state.withLock { state in
            state.queue.hurry()
            if state.queue.handled < state.queue.accepted { state.waiting.append((state.queue.accepted, done)) }
            return state.queue.handled >= state.queue.accepted
        }
        bell.signal()
        return isDone || done.wait(timeout: end) == .success
    }

    /// The thread's whole life.
    func run() {
        while true {
            switch state.withLock({ $0.queue.turn() }) {
            case .write(var batch): write(&batch)
            case .reopen: sink.withLock { $0.reopen() }
            case .pause: _ = bell.wait(timeout: .now() + Self.pause)
            case .rest: bell.wait()
            case .end: return
            }
        }
    }

    private func write(_ batch: inout LogQueue.Batch) {
        let written = sink.withLock { $0.write(batch.bytes) }
        state.withLock { state in
            state.queue.wrote(batch.lines(within: written), of: &batch, notice: notice)
            state.waiting.removeAll { waiter in
                guard waiter.target <= state.queue.handled else { return false }
                waiter.done.signal()
                return true
            }
        }
    }
}
