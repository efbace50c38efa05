/// What one connection in pipeline mode has been asked and what must come back: a pure state machine, performed by ``Link``.
///
/// Statements are sent in batches, each ended by one synchronisation point. Outside a transaction a batch is a transaction of its own: its
/// statements are committed together, with one wait for the disk, or none of them is.
struct Conversation<Job, Reply> {
    /// One command of a batch, answered by one reply.
    enum Command: Equatable {
        /// Prepare the statement of that number.
        case prepare(Int)
        /// Something of the driver's own, whose reply nobody needs.
        case housekeeping
        /// Run the next job.
        case run
    }

    struct Batch {
        let jobs: [Job]
        fileprivate let commands: [Command]
        let began: ContinuousClock.Instant
        fileprivate(set) var replies: [Reply] = []
        fileprivate(set) var failure: (any Error)?
        /// The statements that were not prepared after all.
        fileprivate(set) var unprepared: [Int] = []
        fileprivate var position = 0

        fileprivate mutating func fail(_ error: any Error) {
            guard failure == nil else { return }
            failure = error
            for case .prepare(let number) in commands[min(position, commands.count)...] { unprepared.append(number) }
        }
    }

    enum Event {
        case reply(Reply)
        case failure(any Error)
        /// A command was passed over, since an earlier one of its batch had failed.
        case skipped
        /// The end of a command.
        case end
        /// The end of a batch.
        case synchronised
    }

    private var batches: [Batch] = []

    var isIdle: Bool { batches.isEmpty }
    /// The batch that the server is at.
    var current: Batch? { batches.first }
    var jobs: [Job] { batches.flatMap(\.jobs) }

    mutating func send(_ jobs: [Job], as commands: [Command], at now: ContinuousClock.Instant) {
        batches.append(Batch(jobs: jobs, commands: commands, began: now))
    }

    /// Takes in what came; returns the batch that it completes.
    mutating func receive(_ event: Event) -> Batch? {
        guard !batches.isEmpty else { return nil }
        switch event {
        case .reply(let reply):
            let (position, commands) = (batches[0].position, batches[0].commands)
            if position < commands.count, commands[position] == .run { batches[0].replies.append(reply) }
        case .failure(let error): batches[0].fail(error)
        case .skipped: break
        case .end: batches[0].position += 1
        case .synchronised: return batches.removeFirst()
        }
        return nil
    }

    /// The connection is gone: what was not answered never will be.
    mutating func abandon() -> [Batch] {
        defer { batches = [] }
        return batches
    }
}
