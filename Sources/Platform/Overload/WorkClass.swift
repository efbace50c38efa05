/// What kind of work a request is, by how much it matters that it is done under overload.
public enum WorkClass: Int, Sendable, CaseIterable {
    /// Health checks, metrics, administration: what is needed to see and end an overload. Never refused, never made to wait, not counted.
    case vital
    /// Logins: without them nobody gets to do anything.
    case login
    case writes
    case reads
    /// Imports, exports, AI and the like: what can as well be done later. At most half of all work.
    case bulk
}

/// A request was refused because there is too much to do. It has not begun.
public struct Overloaded: Error, Hashable {
    /// When to try again, in whole seconds; not the same for all who are refused, lest they come back together.
    public let retryAfterSeconds: Int
}

/// What an ``Admission`` does, and has done since the start.
public struct AdmissionStatistics: Sendable, Hashable {
    /// How many requests may be worked on at a time, at this moment.
    public let limit: Int
    /// How many are; those that are ``WorkClass/vital`` not counted.
    public let running: Int
    /// How many wait to begin.
    public let queued: Int
    /// How many have begun since the start.
    public let admitted: [WorkClass: Int]
    /// How many have been refused since the start.
    public let refused: [WorkClass: Int]
    /// How many of the refused did not even wait.
    public let turnedAway: Int
    /// By how much the process was late when it last wanted to run something: how long work waits for a thread.
    public let lag: Duration
    /// Whether somebody was refused in the last seconds.
    public let isShedding: Bool
}

/// A number for each class.
struct ClassCounts {
    private var counts = [Int](repeating: 0, count: WorkClass.allCases.count)

    subscript(kind: WorkClass) -> Int {
        get { counts[kind.rawValue] }
        set { counts[kind.rawValue] = newValue }
    }

    var sum: Int { counts.reduce(0, +) }

    var byClass: [WorkClass: Int] {
        Dictionary(uniqueKeysWithValues: WorkClass.allCases.map { ($0, self[$0]) })
    }
}

/// Knows when refusing begins and when it is over, so that each is told once.
struct Shedding {
    enum News: Equatable { case began, ended(refused: Int) }

    /// How long nobody has to be refused for it to be over.
    static let calm = Duration.seconds(5)

    private var lastCount = 0
    private var countBefore = 0
    private var lastRefusal: ContinuousClock.Instant?

    var isOn: Bool { lastRefusal != nil }

    /// - Parameter refused: How many have been refused since the start.
    mutating func look(refused: Int, now: ContinuousClock.Instant) -> News? {
        if refused > lastCount {
            defer { (lastCount, lastRefusal) = (refused, now) }
            if isOn { return nil }
            countBefore = lastCount
            return .began
        }
        guard let lastRefusal, lastRefusal.duration(to: now) >= Self.calm else { return nil }
        self.lastRefusal = nil
        return .ended(refused: refused - countBefore)
    }
}
