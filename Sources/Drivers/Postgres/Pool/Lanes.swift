/// Which shared connection carries which statements: a pure state machine, performed by ``Core``.
///
/// A lane carries one batch at a time. What comes meanwhile waits and goes with the next, so that batches grow with the load: a caller alone
/// is served at once, and hundreds share a few round trips.
struct Lanes<Job> {
    enum Action {
        /// Get a connection for the lane and report ``opened(_:)`` or ``failed(_:)``.
        case open(Int)
        case send([Job], Int)
    }

    private enum Lane { case closed, opening, ready, busy }

    private let depth: Int
    private var lanes: [Lane]
    private var queue: [Job] = []
    private var head = 0

    /// - Parameter depth: Bounds a batch, and with it how many wait for the slowest of them.
    init(count: Int, depth: Int) {
        self.depth = depth
        lanes = Array(repeating: .closed, count: count)
    }

    var isEmpty: Bool { lanes.isEmpty }
    var waitingCount: Int { queue.count - head }
    /// Whether a lane waits for its connection.
    var isOpening: Bool { lanes.contains(.opening) }

    mutating func submit(_ job: Job) -> Action? {
        if waitingCount == 0, let lane = lanes.firstIndex(of: .ready) { return send([job], lane) }
        queue.append(job)
        guard let closed = lanes.firstIndex(of: .closed), !lanes.contains(.opening) else { return nil }
        lanes[closed] = .opening
        return .open(closed)
    }

    /// Takes a job out of the queue.
    mutating func leave(_ isLeaving: (Job) -> Bool) {
        if let place = queue[head...].firstIndex(where: isLeaving) { queue.remove(at: place) }
    }

    /// The lane has a connection and nothing to carry.
    mutating func opened(_ lane: Int) -> Action? {
        lanes[lane] = .ready
        return sendNext(on: lane)
    }

    /// The lane's batch has ended.
    mutating func finished(_ lane: Int) -> Action? { opened(lane) }

    /// The lane's connection is gone. What waits goes with another lane, or with this one when it is open again.
    mutating func closed(_ lane: Int) -> Action? {
        lanes[lane] = .closed
        guard waitingCount > 0, !lanes.contains(.opening) else { return nil }
        lanes[lane] = .opening
        return .open(lane)
    }

    /// The lane could not get a connection; returns who waited for one, unless another lane carries them.
    mutating func failed(_ lane: Int) -> [Job] {
        lanes[lane] = .closed
        guard !lanes.contains(where: { $0 != .closed }) else { return [] }
        defer { (queue, head) = ([], 0) }
        return Array(queue[head...])
    }

    /// Whether the lane has a connection and carries nothing.
    func isIdle(_ lane: Int) -> Bool { lanes[lane] == .ready }

    private mutating func sendNext(on lane: Int) -> Action? {
        guard waitingCount > 0 else { return nil }
        let end = min(queue.count, head + depth)
        defer { forget(upTo: end) }
        return send(Array(queue[head..<end]), lane)
    }

    private mutating func send(_ jobs: [Job], _ lane: Int) -> Action {
        lanes[lane] = .busy
        return .send(jobs, lane)
    }

    private mutating func forget(upTo end: Int) {
        head = end
        if head == queue.count {
            (queue, head) = ([], 0)
        } else if head >= 1024, head * 2 >= queue.count {
            // Under steady load the queue is never empty, and what was sent would be kept for ever.
            queue.removeFirst(head)
            head = 0
        }
    }

    /// How many jobs are kept, sent ones included.
    var keptCount: Int { queue.count }
}
