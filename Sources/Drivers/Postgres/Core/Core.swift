import Logging
import MartletCore
import MartletStorage

/// All that the driver knows, reachable only under the lock of ``Engine``: performs what ``ConnectionPool`` and ``Lanes`` decide on the
/// ``Link``s. Nothing here waits; what must happen outside the lock is left in ``takeEffects()``.
struct Core {
    typealias Instant = ContinuousClock.Instant

    enum Waiter {
        case lane(LaneGroup, Int)
        case job(Job)
        case lease(LeaseRequest)
    }

    /// What is to be done once the lock is free.
    enum Effect: Sendable {
        case answer(Job.Completion, Result<PostgresResult, any Error>)
        case lend(LeaseRequest, Result<Lease, any Error>)
        case connect(ConnectionID)
        case cancel(Cancellation)
        case log(Logger.Level, Logger.Message, Logger.Metadata)
        case slow(String, Duration, requestID: String?)
        case took(StatementTimes.Kind, Duration)
        case signal(AsyncStream<PostgresSignal>.Continuation, String)
        case silence(AsyncStream<PostgresSignal>.Continuation)
    }

    let settings: PostgresSettings
    let limits = Limits()
    var pool: ConnectionPool<Waiter>
    var lanes: [LaneGroup: Lanes<Job>]
    var links: [ConnectionID: Link] = [:]
    var jobs: [RequestID: Job] = [:]
    var leaseTickets: [RequestID: UInt64] = [:]
    var shapes: [StatementKey: Shape] = [:]
    var lastShape = 0
    var lastLease: UInt64 = 0
    var attempts: [ConnectionID: Instant] = [:]
    /// Those on the way, and since when.
    var cancellations: [ConnectionID: Instant] = [:]
    var lastHeard: Instant
    /// Why the last attempt to connect failed.
    var lastFailure = SQLFailure(.cannotOpen, code: "08001", subject: "the server cannot be reached")
    var isClosed = false
    /// Callers who were refused since the start. A lane waits for many of them.
    var refused = 0
    var effects: [Effect] = []
    /// When the poller looks at the clock again. An earlier wish has to wake it.
    var nextLook: Instant
    var needsPoller = false
    var lastActivity: Instant
    var lastTick: Instant

    struct Limits {
        /// A shared batch that takes longer, beyond the way there and back, is taken apart: nothing should wait behind a statement that is
        /// slow, or waits for a lock.
        var patience: [LaneGroup: Duration] = [.reads: .milliseconds(25), .inserts: .milliseconds(250)]
        /// A statement that takes longer, beyond the way there and back, does not travel in company next time.
        var short = Duration.milliseconds(5)
        /// How long the way there and back is believed to be at most.
        var farthest = Duration.milliseconds(300)
        /// How long a server that should have ended a statement may be silent before the connection is given up.
        var grace = Duration.seconds(2)
        /// How long nothing may be heard of a busy server before another connection is tried.
        var silence = Duration.seconds(1)
        /// How long a cancelled statement may go on before the connection is given up, as one that died without a word: until then it is
        /// missing in the pool. A server that waits for its disk does not listen either, and merely loses a connection.
        var obedience = Duration.seconds(2)
        var cancellations = 4
        /// How often the clock is looked at while something is on the way.
        var look = Duration.milliseconds(25)
    }

    init(_ settings: PostgresSettings, now: Instant) {
        self.settings = settings
        pool = ConnectionPool(
            .init(
                size: settings.poolSize, overflow: settings.maxOverflow, waiting: settings.maxWaiting, wait: settings.timeout,
                lifetime: settings.maxLifetime, idle: settings.idleTimeout))
        let readers = settings.sharedReaders
        lanes = [.reads: Lanes(count: readers, depth: 32), .inserts: Lanes(count: readers > 0 ? 1 : 0, depth: 32)]
        (lastHeard, lastActivity, lastTick, nextLook) = (now, now, now, now)
    }
}

/// Statements that may share a connection: those that only read, and inserts, which share a commit. Neither waits for the other.
enum LaneGroup: Hashable, Sendable {
    case reads, inserts

    init?(_ kind: Shape.Kind) {
        switch kind {
        case .read: self = .reads
        case .insert: self = .inserts
        case .other: return nil
        }
    }
}

/// A caller who waits for a connection of its own.
struct LeaseRequest: Sendable {
    let id: RequestID
    /// How long it may keep the connection; `nil` for as long as it likes.
    let limit: Duration?
    /// What begins the transaction; it goes with the first statement.
    let begin: String?
    let completion: CheckedContinuation<Lease, any Error>
    /// When nobody waits for it any more.
    let deadline = Deadline.current
}

/// The right to use a connection until it is given back.
struct Lease: Sendable, Hashable {
    let connection: ConnectionID
    let serial: UInt64
    let deadline: ContinuousClock.Instant?
}

/// How a connection is lent.
struct LeaseTerms {
    let serial: UInt64
    let deadline: ContinuousClock.Instant?
    /// What begins the transaction, until the first statement has taken it along.
    var begin: String?
    /// Who hears of the server's notifications.
    var listener: AsyncStream<PostgresSignal>.Continuation?
}

// MARK: Ending, and what is known

extension Core {
    mutating func takeEffects() -> [Effect] {
        guard !effects.isEmpty else { return [] }
        defer { effects = [] }
        return effects
    }

    /// Refuses new work; what runs is finished, and each connection is closed as it comes back.
    mutating func close(now: Instant) {
        isClosed = true
        needsPoller = true
        perform(pool.close(), now: now)
        for link in Array(links.values) {
            // Those who listen would do so for ever.
            if case .lease(let terms) = link.role, terms.listener != nil { drop(link, now: now) } else { settle(link, now: now) }
        }
    }

    var load: DatabaseLoad {
        DatabaseLoad(
            connections: pool.connectionCount, inUse: pool.lentCount - idleLanes, waiting: waitingCount, waited: pool.waits.count,
            refused: refused, waitedTime: pool.waits.time)
    }

    /// A lane that waits for its connection is none of them.
    var waitingCount: Int { lanes.values.reduce(pool.waitingCount) { $0 + $1.waitingCount - ($1.isOpening ? 1 : 0) } }

    var idleLanes: Int {
        links.values.count { link in
            guard case .lane(let group, let lane) = link.role else { return false }
            return lanes[group]?.isIdle(lane) == true
        }
    }

    func failure(_ refusal: ConnectionPool<Waiter>.Refusal) -> any Error {
        switch refusal {
        case .full: Failure.unavailable("database_busy", "Too many statements are waiting for the database.")
        case .timedOut: Failure.unavailable("database_busy", "No connection to the database became free in time.")
        case .unreachable: lastFailure.thrown
        case .closed: Self.closed
        }
    }

    static let closed = Failure.unavailable("database_closed", "The database is not available at the moment.")
    static let transactionTimedOut = Failure.unavailable("transaction_timeout", "The transaction took too long and was rolled back.")
    static let leaseEnded = SQLFailure.connectionLost(nil).thrown
}
