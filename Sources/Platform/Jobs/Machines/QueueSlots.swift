/// Which queue a worker claims from next and how many jobs: a pure state machine. Queues take turns, so that a full one does not keep
/// another from being asked; each has its own bound on what runs at once.
///
/// A queue that gave less than was asked for is taken to be empty, and not asked again before ``wake(_:)``.
struct QueueSlots {
    private struct Queue {
        let name: String
        let concurrency: Int
        var running = 0
        /// Jobs asked for and not answered yet: their slots are taken.
        var pending = 0
        var isEmpty = false
        /// Something may have come since the claim was sent, so that its answer cannot say the queue is empty.
        var wasWoken = false

        var free: Int { max(0, concurrency - running - pending) }
    }

    private var queues: [Queue]
    private var turn = 0

    /// - Parameter queues: Different names, each with at most so many jobs at once; none run in a queue with less than 1.
    init(_ queues: [(name: String, concurrency: Int)]) {
        precondition(Set(queues.map(\.name)).count == queues.count, "two queues have the same name")
        self.queues = queues.map { Queue(name: $0.name, concurrency: $0.concurrency) }
    }

    /// The queue whose turn it is and how many jobs to claim, `limit` at most; their slots are kept until ``claimed(_:wanted:got:)``.
    /// `nil` when no queue has both a free slot and hope of a job.
    mutating func claim(limit: Int) -> (queue: String, count: Int)? {
        guard limit > 0, let place = nextPlace() else { return nil }
        let count = min(limit, queues[place].free)
        queues[place].pending += count
        turn = (place + 1) % queues.count
        return (queues[place].name, count)
    }

    /// A claim was answered. One that failed got 0: the queue is asked again when it is woken.
    mutating func claimed(_ queue: String, wanted: Int, got: Int) {
        guard let place = place(of: queue) else { return }
        queues[place].pending = max(0, queues[place].pending - wanted)
        queues[place].running += got
        queues[place].isEmpty = got < wanted && !queues[place].wasWoken
        if queues[place].pending == 0 { queues[place].wasWoken = false }
    }

    /// One of the queue's jobs has ended, in whatever way.
    mutating func ended(_ queue: String) {
        guard let place = place(of: queue), queues[place].running > 0 else { return }
        queues[place].running -= 1
    }

    /// There may be jobs again in the queue, or in all of them: one was enqueued, or it is time to look.
    mutating func wake(_ queue: String? = nil) {
        for place in queues.indices where queue == nil || queues[place].name == queue {
            queues[place].isEmpty = false
            queues[place].wasWoken = queues[place].pending > 0
        }
    }

    /// How many jobs run.
    var running: Int { queues.reduce(0) { $0 + $1.running } }

    /// How many jobs run or may yet come from claims that are not answered.
    var taken: Int { queues.reduce(running) { $0 + $1.pending } }

    func running(in queue: String) -> Int { place(of: queue).map { queues[$0].running } ?? 0 }

    private func nextPlace() -> Int? {
        queues.indices.lazy.map { (turn + $0) % queues.count }.first { !queues[$0].isEmpty && queues[$0].free > 0 }
    }

    private func place(of queue: String) -> Int? { queues.firstIndex { $0.name == queue } }
}
