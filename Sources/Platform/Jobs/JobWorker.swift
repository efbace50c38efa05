public import Foundation
public import Logging
import MartletCore
import MartletJobsAPI
public import MartletStorage
public import MartletTelemetry
public import Metrics
public import ServiceLifecycle
import Synchronization

/// Runs jobs until it is told to stop. Any number of workers, in one process or many, share the work of one database.
///
/// A worker holds one lease in the database, renewed by heartbeats; its jobs are its own while the lease lasts. When the process dies, or
/// is stopped for longer than that, others take its jobs over; whatever it tries to note afterwards is refused.
public final class JobWorker: ServiceLifecycle.Service {
    public struct Settings: Sendable {
        /// How long a worker that is not heard of keeps its jobs. They run again within twice this time.
        public var lease: Duration
        /// How often to look when nothing calls.
        public var pollEvery: Duration
        /// How long running jobs may go on after a shutdown began, before they are cancelled and returned.
        public var grace: Duration
        /// How long a cancelled job may take to end in a shutdown, before it is returned while it still runs; what it does then is refused.
        public var patience: Duration
        /// Shown to operators.
        public var host: String

        public init(
            lease: Duration = .seconds(30), pollEvery: Duration = .seconds(2), grace: Duration = .seconds(20),
            patience: Duration = .seconds(5), host: String = ProcessInfo.processInfo.hostName
        ) {
            (self.lease, self.pollEvery, self.grace, self.patience, self.host) = (lease, pollEvery, grace, patience, host)
        }
    }

    let database: any Database
    let handlers: [String: JobHandler]
    let queues: [String: JobQueue]
    let settings: Settings
    let traces: Traces?
    let logger: Logger
    let metrics: JobMetrics
    let shelf: JobShelf
    let notes: JobNotes
    let board: ScheduleBoard
    let lease: WorkerLease
    let doneDesk: DoneDesk
    let progressDesk = ProgressDesk()
    let bell = Bell()
    let alarm: Alarm
    let state: Mutex<State>

    struct State {
        var keeper: LeaseKeeper
        var worker = UUID()
        var slots: QueueSlots
        var running: [Identifier<JobRecord>: Attempt] = [:]
        /// Whose turn it was last in each queue.
        var lastTurns: [String: UUID] = [:]
        var closing: ContinuousClock.Instant?
        var failures = 0
    }

    /// - Parameters:
    ///   - handlers: The kinds it runs; jobs of other kinds are left to other workers.
    ///   - queues: Limits of the queues that the kinds name; one that is missing here has those of ``JobQueue/standard``.
    ///   - traces: What records its attempts; `nil` for nothing.
    ///   - metrics: Where attempts are counted.
    public init(
        _ database: any Database, jobs: Jobs, handlers: [JobHandler], schedules: [ScheduledJob] = [], queues: [JobQueue] = [],
        settings: Settings = Settings(), traces: Traces? = nil, metrics: any MetricsFactory = NOOPMetricsHandler.instance, logger: Logger
    ) {
        self.database = database
        self.settings = settings
        self.traces = traces
        self.logger = logger
        self.handlers = Dictionary(handlers.map { ($0.name, $0) }) { _, _ in preconditionFailure("Two kinds of jobs have one name.") }
        self.metrics = JobMetrics(kinds: handlers.map(\.name), metrics)
        let named = Set(handlers.map(\.policy.queue)).map { JobQueue($0, concurrency: JobQueue.standard.concurrency) }
        self.queues = Dictionary((named + queues).map { ($0.name, $0) }, uniquingKeysWith: { $1 })
        shelf = JobShelf(database: database, clock: jobs.clock)
        notes = JobNotes(database: database, clock: jobs.clock)
        board = ScheduleBoard(database, jobs, schedules)
        lease = WorkerLease(database: database, clock: jobs.clock, period: settings.lease, host: settings.host)
        doneDesk = DoneDesk(notes)
        alarm = Alarm(bell)
        let slots = QueueSlots(self.queues.values.sorted { $0.name < $1.name }.map { ($0.name, $0.concurrency) })
        state = Mutex(State(keeper: LeaseKeeper(period: settings.lease), slots: slots))
    }

    /// Works until a graceful shutdown or its task's cancellation; then running jobs are finished or returned, and the lease is released.
    public func run() async throws {
        await withGracefulShutdownHandler {
            await withDiscardingTaskGroup { group in
                group.addTask { await self.pulse() }
                group.addTask { await self.listen() }
                for await _ in bell.calls {
                    if !isClosing { await look(&group) } else if runningCount == 0 { break }
                }
                stopAll(.shuttingDown)
                group.cancelAll()
            }
        } onGracefulShutdown: {
            self.state.withLock { $0.closing = .now + self.settings.grace }
            self.bell.ring()
        }
        await releaseLease()
    }

    private func listen() async {
        for await _ in database.announcements.stream(of: Jobs.readyTopic) { bell.ring() }
    }

    /// The names of its queues.
    public var queueNames: [String] { queues.keys.sorted() }

    /// How long to wait at most before looking again: that a lease has ended is only seen by looking.
    var longestWait: Duration { min(settings.pollEvery, settings.lease / 3) }
    var isClosing: Bool { state.withLock { $0.closing != nil } }
    var runningCount: Int { state.withLock(\.running.count) }

    func stopAll(_ reason: Attempt.Stop) {
        for attempt in state.withLock({ Array($0.running.values) }) { attempt.stop(reason) }
    }
}
