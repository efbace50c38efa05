import Foundation
import MartletCore
public import MartletStorage
import Synchronization

/// How much work waits, of all instances: for metrics.
public struct JobBacklog: Sendable, Hashable {
    public struct Queue: Sendable, Hashable {
        public let name: String
        /// Jobs that are ready to run; counted up to ``JobBacklog/most``, and one more stands for more.
        public let ready: Int
        /// How long the job that has been ready longest has been due; `nil` when none is ready. Of more than ``JobBacklog/most``, of those.
        public let oldestDue: Duration?
    }

    public let queues: [Queue]
    /// Dead letters, counted up to ``most``, and one more stands for more.
    public let dead: Int

    /// Counting ends here, so that asking costs the same however much waits.
    public static let most = 10_000
}

/// The backlog as it was a moment ago. Whoever asks never waits: when what is known is old, it is asked for anew meanwhile, by one at a time.
public final class BacklogWatch: Sendable {
    private let database: any Database
    private let clock: JobClock
    private let queues: [String]
    private let state = Mutex(State())

    private struct State {
        var known: (backlog: JobBacklog, at: ContinuousClock.Instant)?
        var asked: ContinuousClock.Instant?
        var isAsking = false
    }

    /// How often the database is asked at most, and after what time without an answer nothing is known any more.
    static let (pause, forgotten) = (Duration.seconds(5), Duration.seconds(60))

    /// - Parameter queues: Their names, which are a closed set.
    public init(_ database: any Database, clock: JobClock = .database, queues: [String]) {
        (self.database, self.clock, self.queues) = (database, clock, queues.sorted())
    }

    /// What is known; `nil` when nothing is, at first and while the database is away.
    public var latest: JobBacklog? {
        let now = ContinuousClock.now
        let (latest, isOld) = state.withLock { state in
            let isOld = !state.isAsking && state.asked.map { $0.duration(to: now) >= Self.pause } ?? true
            if isOld { (state.isAsking, state.asked) = (true, now) }
            let isKnown = state.known.map { $0.at.duration(to: now) < Self.forgotten } ?? false
            return (isKnown ? state.known?.backlog : nil, isOld)
        }
        if isOld { Task { await ask() } }
        return latest
    }

    private func ask() async {
        // An outage is not this one's to tell: it says nothing then.
        let backlog = try? await read()
        state.withLock { state in
            state.isAsking = false
            if let backlog { state.known = (backlog, .now) }
        }
    }

    func read() async throws -> JobBacklog {
        struct Line: Decodable, Sendable { let name: String?, count: Int, oldest: Date?, now: Date }
        let lines = try await database.all(
            Line.self,
            """
            \(SQL.joined(queues.map(counting), by: " UNION ALL "))
            UNION ALL SELECT NULL AS name, (SELECT count(*) FROM (SELECT 1 AS one FROM job WHERE state = 'dead' LIMIT \(JobBacklog.most + 1)) AS dead)
                AS count, NULL AS oldest, \(clock.now) AS now
            """)
        let queues = lines.compactMap { line in
            line.name.map { name in
                JobBacklog.Queue(
                    name: name, ready: line.count, oldestDue: line.oldest.map { .seconds(max(0, line.now.timeIntervalSince($0))) })
            }
        }
        return JobBacklog(queues: queues, dead: lines.first { $0.name == nil }?.count ?? 0)
    }

    private func counting(_ queue: String) -> SQL {
        """
        SELECT \(queue)\(SQL(sqlite: "", postgres: "::text")) AS name, count(*) AS count, min(run_at) AS oldest, \(clock.now) AS now
        FROM (SELECT run_at FROM job WHERE state = 'ready' AND queue = \(queue) LIMIT \(JobBacklog.most + 1)) AS ready
        """
    }
}
