import CPostgres
import MartletCore
import MartletStorage

/// One connection in pipeline mode. Confined to ``Core``; nothing here waits.
final class Link {
    /// Whom it serves.
    enum Role {
        case idle
        /// It carries the batches of a lane.
        case lane(LaneGroup, Int)
        /// It carries one statement.
        case single
        case lease(LeaseTerms)
        /// Its user has gone; what it left behind is being cleared away.
        case leaving
    }

    let id: ConnectionID
    let socket: Int32
    var role = Role.idle
    private(set) var conversation = Conversation<Job, PostgresResult>()
    /// Bytes that the server has not taken yet.
    private(set) var wantsWrite = false
    /// Whether it is not to serve anybody else: a cancellation on its way might hit the next statement, or it listens.
    var isSpent = false
    /// The way to the server and back: the least time that an answer has taken.
    var roundTrip = Duration.zero
    /// When the server was asked to stop what it is doing here.
    var cancelledAt: ContinuousClock.Instant?

    private let connection: OpaquePointer
    private let preparesStatements: Bool
    /// The statements that are prepared here, and when each was used last.
    private var prepared: [Int: UInt64] = [:]
    private var uses: UInt64 = 0
    /// Whether the server may have preparations that are not known here.
    private var mustDeallocate = false
    private var script: Script?
    private var finished: [Finished] = []

    private struct Script {
        let job: Job
        let began: ContinuousClock.Instant
        var failure: SQLFailure?
    }

    /// More statements than a program has, unless it makes their text from data.
    private static let capacity = 256

    init(_ opened: OpenedConnection, id: ConnectionID, preparesStatements: Bool) {
        (self.id, self.preparesStatements) = (id, preparesStatements)
        connection = opened.connection
        socket = PQsocket(opened.connection)
    }

    var isIdle: Bool { conversation.isIdle && script == nil }

    /// Whether a transaction is open. Known only while nothing is on the way.
    var isInTransaction: Bool { PQtransactionStatus(connection) != PQTRANS_IDLE }

    func cancellation() -> Cancellation? { PQgetCancel(connection).map { Cancellation($0, link: id) } }

    func close() { PQfinish(connection) }

    struct Lost: Error {}
}

// MARK: Sending

extension Link {
    /// Sends the jobs as one batch, after a statement of the driver's own if there is one.
    func send(_ jobs: [Job], after first: String? = nil, now: ContinuousClock.Instant) throws(Lost) {
        var commands: [Conversation<Job, PostgresResult>.Command] = []
        commands.reserveCapacity(jobs.count + 1)
        if let first {
            try send(text: first)
            commands.append(.housekeeping)
        }
        for job in jobs {
            job.connection = id
            try send(job, &commands)
        }
        guard PQpipelineSync(connection) == 1 else { throw Lost() }
        conversation.send(jobs, as: commands, at: now)
        try flush()
    }

    private func send(_ job: Job, _ commands: inout [Conversation<Job, PostgresResult>.Command]) throws(Lost) {
        let (statement, shape) = (job.statement, job.shape)
        guard preparesStatements, statement.isPrepared else {
            try sendUnprepared(statement)
            return commands.append(.run)
        }
        if mustDeallocate { try deallocateAll(&commands) }
        uses &+= 1
        if prepared.updateValue(uses, forKey: shape.number) == nil {
            if prepared.count > Self.capacity { try forgetOldest(&commands) }
            let types = statement.parameters.oids
            let isSent = PQsendPrepare(connection, shape.name, statement.text, Int32(truncatingIfNeeded: types.count), types)
            guard isSent == 1 else { throw Lost() }
            commands.append(.prepare(shape.number))
        }
        let isSent = statement.parameters.withPointers { count, values, lengths, formats in
            PQsendQueryPrepared(connection, shape.name, count, values, lengths, formats, 1)
        }
        guard isSent == 1 else { throw Lost() }
        commands.append(.run)
    }

    private func sendUnprepared(_ statement: Statement) throws(Lost) {
        let isSent = statement.parameters.withPointers { count, values, lengths, formats in
            PQsendQueryParams(connection, statement.text, count, statement.parameters.oids, values, lengths, formats, 1)
        }
        guard isSent == 1 else { throw Lost() }
    }

    private func send(text: String) throws(Lost) {
        guard PQsendQueryParams(connection, text, 0, nil, nil, nil, nil, 1) == 1 else { throw Lost() }
    }

    private func deallocateAll(_ commands: inout [Conversation<Job, PostgresResult>.Command]) throws(Lost) {
        mustDeallocate = false
        try send(text: "DEALLOCATE ALL")
        commands.append(.housekeeping)
    }

    private func forgetOldest(_ commands: inout [Conversation<Job, PostgresResult>.Command]) throws(Lost) {
        guard let oldest = prepared.min(by: { $0.value < $1.value })?.key else { return }
        prepared[oldest] = nil
        try send(text: "DEALLOCATE martlet_\(oldest)")
        commands.append(.housekeeping)
    }

    /// Runs statements separated by `;`, which pipelines cannot; nothing else may be on the way.
    func send(script text: String, for job: Job, now: ContinuousClock.Instant) throws(Lost) {
        guard isIdle, PQexitPipelineMode(connection) == 1, PQsendQuery(connection, text) == 1 else { throw Lost() }
        job.connection = id
        script = Script(job: job, began: now)
        try flush()
    }

    func flush() throws(Lost) {
        switch PQflush(connection) {
        case 0: wantsWrite = false
        case 1: wantsWrite = true
        default: throw Lost()
        }
    }

    /// Forgets what is prepared: the server does not have it, or it does not fit the schema any more.
    func forgetPreparations() { (prepared, mustDeallocate) = ([:], true) }
}

// MARK: Receiving

extension Link {
    /// The statements that the server has and has not answered, and since when it is at the first of them.
    var pending: (jobs: [Job], since: ContinuousClock.Instant)? {
        if let script { return ([script.job], script.began) }
        return conversation.current.map { ($0.jobs, $0.began) }
    }

    /// Takes in what has arrived. The batches that it completes are in ``takeFinished()``, also when the connection is lost after them.
    func receive() throws(Lost) {
        guard PQconsumeInput(connection) == 1 else { throw Lost() }
        // A record of TLS may hold more than one call takes, and the socket says nothing of the rest.
        if PQsslInUse(connection) == 1, PQisBusy(connection) == 1, PQconsumeInput(connection) != 1 { throw Lost() }
        if wantsWrite { try flush() }
        if script != nil {
            if let script = try receiveScript() { finished.append(script) }
            return
        }
        while !conversation.isIdle, PQisBusy(connection) == 0 {
            guard let batch = conversation.receive(try nextEvent()) else { continue }
            for number in batch.unprepared { prepared[number] = nil }
            finished.append(Finished(jobs: batch.jobs, replies: batch.replies, failure: batch.failure, began: batch.began))
        }
    }

    func takeFinished() -> [Finished] {
        defer { finished = [] }
        return finished
    }

    /// A batch that has been answered. With a failure, nothing of it happened.
    struct Finished {
        let jobs: [Job]
        let replies: [PostgresResult]
        let failure: (any Error)?
        let began: ContinuousClock.Instant
    }

    private func nextEvent() throws(Lost) -> Conversation<Job, PostgresResult>.Event {
        guard let result = PQgetResult(connection) else {
            guard PQstatus(connection) == CONNECTION_OK else { throw Lost() }
            return .end
        }
        switch PQresultStatus(result) {
        case PGRES_COMMAND_OK, PGRES_TUPLES_OK, PGRES_EMPTY_QUERY: return .reply(reply(result))
        case PGRES_PIPELINE_SYNC:
            PQclear(result)
            return .synchronised
        case PGRES_PIPELINE_ABORTED:
            PQclear(result)
            return .skipped
        case PGRES_FATAL_ERROR:
            defer { PQclear(result) }
            return .failure(SQLFailure(result, statement: jobAtWork?.statement.text))
        default:
            // COPY: nobody here can continue it.
            PQclear(result)
            throw Lost()
        }
    }

    private var jobAtWork: Job? {
        guard let batch = conversation.current, batch.replies.count < batch.jobs.count else { return nil }
        return batch.jobs[batch.replies.count]
    }

    private func reply(_ result: OpaquePointer) -> PostgresResult {
        guard let shape = jobAtWork?.shape else { return PostgresResult(result, ResultLayout(names: [], types: [])) }
        if !shape.layout.matches(result) { shape.layout = ResultLayout(result) }
        return PostgresResult(result, shape.layout)
    }

    private func receiveScript() throws(Lost) -> Finished? {
        while PQisBusy(connection) == 0 {
            guard let result = PQgetResult(connection) else { return try finishScript() }
            defer { PQclear(result) }
            switch PQresultStatus(result) {
            case PGRES_FATAL_ERROR: if script?.failure == nil { script?.failure = SQLFailure(result, statement: nil) }
            case PGRES_COMMAND_OK, PGRES_TUPLES_OK, PGRES_EMPTY_QUERY, PGRES_NONFATAL_ERROR: break
            default: throw Lost()
            }
        }
        return nil
    }

    private func finishScript() throws(Lost) -> Finished? {
        guard PQstatus(connection) == CONNECTION_OK, PQenterPipelineMode(connection) == 1 else { throw Lost() }
        defer { script = nil }
        return script.map { Finished(jobs: [$0.job], replies: [], failure: $0.failure, began: $0.began) }
    }

    /// What the server has notified this connection of, since the last time.
    func notifications() -> [String] {
        var payloads: [String] = []
        while let notification = PQnotifies(connection) {
            payloads.append(String(cString: notification.pointee.extra))
            PQfreemem(notification)
        }
        return payloads
    }

    /// The statements that were on the way when the connection was lost.
    func abandon() -> [Job] {
        defer { script = nil }
        return conversation.abandon().flatMap(\.jobs) + (script.map { [$0.job] } ?? [])
    }
}
