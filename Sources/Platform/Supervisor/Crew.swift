/// Which worker processes there are and should be: pure. It is told what happened and says what to do about it.
///
/// Moments are durations since any fixed one, on a clock that does not jump.
struct Crew {
    struct Rules: Sendable {
        var workers: Int
        /// How long a worker may take until it serves.
        var startWithin: Duration = .seconds(60)
        /// How long a worker that was told to stop may take.
        var stopWithin: Duration
        /// A worker that lived for this long was not in a loop of crashes.
        var stableAfter: Duration = .seconds(10)
    }

    enum Action: Equatable {
        case start(place: Int)
        /// Tell a worker to accept nothing more, to finish, and to end.
        case retire(pid: Int32)
        case terminate(pid: Int32)
        case kill(pid: Int32)
        /// All workers serve for the first time.
        case announce
        /// Tell whoever asked for a reload how it goes.
        case report(String)
        case endReload(failure: String?)
        case exit(status: Int32)
    }

    struct Worker: Equatable {
        enum State: Equatable { case starting, ready, leaving, killed }
        let pid: Int32
        let place: Int
        let started: Duration
        var state: State
        var until: Duration?
    }

    struct Reload: Equatable {
        var place = 0
        var replacement: Int32?
    }

    let rules: Rules
    private let random: () -> Double
    private(set) var workers: [Int32: Worker] = [:]
    private var youngDeaths: [Int: Int] = [:]
    private var dueStarts: [Int: Duration] = [:]
    private(set) var reload: Reload?
    private(set) var restarts = 0
    /// Whether a worker ever became ready. Before that, one that ends is no crash: the server cannot start.
    private(set) var hasServed = false
    private var isAnnounced = false
    private var ending: (status: Int32, isClean: Bool)?

    /// - Parameter random: In 0..<1, so that many crews do not start in step.
    init(_ rules: Rules, random: @escaping () -> Double = { Double.random(in: 0..<1) }) {
        self.rules = rules
        self.random = random
    }

    /// The first worker starts alone: it may have the database to migrate.
    mutating func begin() -> [Action] { [.start(place: 0)] }

    mutating func started(_ pid: Int32, at place: Int, _ now: Duration) -> [Action] {
        workers[pid] = Worker(pid: pid, place: place, started: now, state: .starting, until: now + rules.startWithin)
        if ending != nil { return leave(pid, now, .terminate(pid: pid)) }
        if reload?.place == place, reload?.replacement == nil { reload?.replacement = pid }
        return []
    }

    /// The process could not even be made.
    mutating func couldNotStart(place: Int, _ reason: String, _ now: Duration) -> [Action] {
        guard ending == nil else { return [] }
        guard hasServed else { return [.exit(status: 1)] }
        if reload?.place == place, reload?.replacement == nil { return endReload(failure: reason) }
        return startAgain(place, livedFor: .zero, now)
    }

    mutating func ready(_ pid: Int32, _ now: Duration) -> [Action] {
        guard workers[pid]?.state == .starting, let place = workers[pid]?.place else { return [] }
        workers[pid]?.state = .ready
        workers[pid]?.until = nil
        if !hasServed {
            hasServed = true
            return (1..<max(1, rules.workers)).map { .start(place: $0) } + announcement()
        }
        if reload?.replacement == pid { return replaced(place, by: pid, now) }
        return announcement()
    }

    mutating func exited(_ pid: Int32, status: WorkerEnd, _ now: Duration) -> [Action] {
        guard let worker = workers.removeValue(forKey: pid) else { return [] }
        if ending != nil { return ended(status) }
        if !hasServed { return [.exit(status: status.exitStatus)] }
        if worker.state == .leaving || (worker.state == .killed && isServed(worker.place)) {
            if reload?.replacement == pid { return endReload(failure: "the new worker \(pid) did not become ready in time") }
            return worker.place == reload?.place ? goOn(now) : []
        }
        if reload?.replacement == pid, worker.state != .ready {
            let failure = endReload(failure: "the new worker \(pid) ended \(status) before it was ready")
            return failure + (isServed(worker.place) ? [] : startAgain(worker.place, livedFor: now - worker.started, now))
        }
        // A replacement on its way takes the place anyway.
        if reload?.place == worker.place, let new = reload?.replacement, workers[new] != nil { return [] }
        return startAgain(worker.place, livedFor: now - worker.started, now)
    }

    /// What is due by now.
    mutating func tick(_ now: Duration) -> [Action] {
        var actions: [Action] = []
        for (place, moment) in dueStarts.sorted(by: { $0.key < $1.key }) where moment <= now {
            dueStarts[place] = nil
            restarts += 1
            actions.append(.start(place: place))
        }
        for worker in workers.values.sorted(by: { $0.pid < $1.pid }) {
            guard let until = worker.until, until <= now else { continue }
            workers[worker.pid]?.until = nil
            if worker.state == .starting { workers[worker.pid]?.state = .killed }
            actions.append(.kill(pid: worker.pid))
        }
        return actions
    }

    /// When something is due next, if ever.
    var nextDue: Duration? {
        (workers.values.compactMap(\.until) + dueStarts.values).min()
    }

    /// Stops all workers; asked again, ends at once.
    mutating func stop(signal: Int32, _ now: Duration) -> [Action] {
        let pids = workers.keys.sorted()
        if ending != nil { return pids.map { .kill(pid: $0) } + [.exit(status: 128 + signal)] }
        ending = (0, true)
        dueStarts = [:]
        let failure = reload == nil ? [] : endReload(failure: "the server is stopping")
        if pids.isEmpty { return failure + [.exit(status: 0)] }
        return failure + pids.flatMap { leave($0, now, .terminate(pid: $0)) }
    }
}

// MARK: Replacing

extension Crew {
    /// Why workers cannot be replaced just now, if they cannot.
    var obstacle: String? {
        if ending != nil { return "the server is stopping" }
        if reload != nil { return "workers are being replaced already" }
        return isAnnounced ? nil : "the server is still starting"
    }

    /// Replaces the workers one by one; to be called only without an ``obstacle``.
    mutating func beginReload(_ now: Duration) -> [Action] {
        reload = Reload()
        return startReplacement(now)
    }

    private mutating func startReplacement(_ now: Duration) -> [Action] {
        guard let place = reload?.place, place < rules.workers else { return endReload(failure: nil) }
        dueStarts[place] = nil
        return [.start(place: place)]
    }

    private mutating func replaced(_ place: Int, by pid: Int32, _ now: Duration) -> [Action] {
        youngDeaths[place] = nil
        let old = workers.values.filter { $0.place == place && $0.pid != pid }.map(\.pid).sorted()
        let report = Action.report("worker \(place + 1) of \(rules.workers): process \(pid) serves")
        guard !old.isEmpty else { return [report] + goOn(now) }
        return [report] + old.flatMap { leave($0, now, .retire(pid: $0)) }
    }

    /// The old worker of the place is gone.
    private mutating func goOn(_ now: Duration) -> [Action] {
        guard var reload, let new = reload.replacement, workers[new]?.state == .ready else { return [] }
        reload.place += 1
        reload.replacement = nil
        self.reload = reload
        return startReplacement(now)
    }

    private mutating func endReload(failure: String?) -> [Action] {
        reload = nil
        return [.endReload(failure: failure)]
    }
}

// MARK: Ends

extension Crew {
    private func isServed(_ place: Int) -> Bool {
        workers.values.contains { $0.place == place && ($0.state == .ready || $0.state == .starting) }
    }

    private mutating func leave(_ pid: Int32, _ now: Duration, _ action: Action) -> [Action] {
        workers[pid]?.state = .leaving
        workers[pid]?.until = now + rules.stopWithin
        return [action]
    }

    private mutating func announcement() -> [Action] {
        guard !isAnnounced, workers.values.filter({ $0.state == .ready }).count == rules.workers else { return [] }
        isAnnounced = true
        return [.announce]
    }

    private mutating func ended(_ status: WorkerEnd) -> [Action] {
        if !status.isClean { ending?.isClean = false }
        guard workers.isEmpty else { return [] }
        return [.exit(status: ending?.isClean == true ? 0 : 1)]
    }

    private mutating func startAgain(_ place: Int, livedFor life: Duration, _ now: Duration) -> [Action] {
        let deaths = life < rules.stableAfter ? youngDeaths[place, default: 0] + 1 : 1
        youngDeaths[place] = deaths
        let pause = Self.pause(afterYoungDeaths: deaths, random: random())
        guard pause > .zero else {
            restarts += 1
            return [.start(place: place)]
        }
        dueStarts[place] = now + pause
        return []
    }

    /// None after the first; then a quarter of a second, doubled each time up to half a minute, of which a random half is left out.
    static func pause(afterYoungDeaths deaths: Int, random: Double) -> Duration {
        guard deaths > 1 else { return .zero }
        let whole = min(30, 0.25 * Double(1 << min(deaths - 2, 10)))
        return .seconds(whole * (0.5 + 0.5 * random))
    }
}
