// MartletJobs: work that outlives a request, enqueued in the transaction that wants it.

import MartletCore

/// A piece of work that outlives the request that asked for it. Its stored properties are its input, kept as JSON.
///
/// ```swift
/// struct FetchPage: Job {
///     static let name = "bookmarks.fetch_page"
///     let bookmark: Identifier<Bookmark>
///
///     func run(_ work: Work<FetchPage>, with pages: Pages) async throws -> Outcome {
///         let page = try await pages.fetch(bookmark)
///         return try await work.finish { tx in try await BookmarkStore(tx).complete(bookmark, by: page) }
///     }
/// }
/// ```
/// **A job runs at least once.** A process may die after the job did something and before that was noted; then it runs again, on any instance.
/// What it writes by ``Work/finish(_:)`` or ``Work/save(_:_:)`` happens once, since it is committed together with the note. What it
/// does elsewhere, a mail sent, a page fetched, must bear being done twice.
///
/// Fields may be added to a released job when they are optional; removing or renaming one breaks those already stored.
public protocol Job: Codable, Sendable {
    /// What it works with: the service that declares it, or a part of it.
    associatedtype Resources: Sendable
    /// How far it came, see ``Work/save(_:_:)``.
    associatedtype Checkpoint: Codable & Sendable = NoCheckpoint

    /// Its stored name, for ever: owner, subject. Unique in a program.
    static var name: String { get }
    static var policy: JobPolicy { get }

    /// What tells two jobs of this name apart, where the policy wants them unique; at most 400 bytes.
    var uniqueKey: String { get }

    /// Does the work. A thrown error is a failed attempt, tried again as the policy says. The task is cancelled when the attempt takes too
    /// long, the job is cancelled, its lease is lost or the process stops: end soon then.
    func run(_ work: Work<Self>, with resources: Resources) async throws -> Outcome
}

extension Job {
    public static var policy: JobPolicy { JobPolicy() }
    public var uniqueKey: String { "" }
}

/// The checkpoint of a job that is done in one step.
public struct NoCheckpoint: Codable, Sendable {}

/// How jobs of a name are run, unless their enqueuing says otherwise.
public struct JobPolicy: Sendable {
    /// Jobs of one queue share its limits; see ``JobQueue``.
    public var queue: String
    public var priority: JobPriority
    public var retry: RetryPolicy
    /// The longest that one attempt may take.
    public var timeout: Duration
    public var unique: Uniqueness

    public init(
        queue: String = JobQueue.standard.name, priority: JobPriority = .normal, retry: RetryPolicy = .standard,
        timeout: Duration = .seconds(300),
        unique: Uniqueness = .none
    ) {
        self.queue = queue
        self.priority = priority
        self.retry = retry
        self.timeout = timeout
        self.unique = unique
    }
}

/// Jobs of a higher priority begin before all others of their queue; within one priority, owners take turns, and each owner's jobs begin
/// in the order they were enqueued.
public enum JobPriority: Int, Sendable, Comparable, CaseIterable {
    case high = 0
    case normal = 10
    case low = 20

    public static func < (left: Self, right: Self) -> Bool { left.rawValue > right.rawValue }
}

/// Whether a second job of the same name and key is enqueued while there is a first.
public enum Uniqueness: Sendable, Hashable {
    case none
    /// One waits at a time. Once it has begun another one is taken, so that a change that came meanwhile is not missed.
    case whileWaiting
    /// One is waiting or running at a time.
    case untilFinished
    /// One in this time from when it was enqueued, finished or not.
    case within(Duration)

    var rule: String? {
        switch self {
        case .none: nil
        case .whileWaiting: "waiting"
        case .untilFinished: "unfinished"
        case .within: "period"
        }
    }

    var period: Duration? {
        if case .within(let period) = self { period } else { nil }
    }
}

/// What became of an attempt.
public enum Outcome: Sendable {
    /// It is done; `result` is JSON that its owner may read.
    case done(result: StoredResult? = nil)
    /// It failed; tried again after this time, by default as the policy says, unless it was the last attempt.
    case retry(after: Duration? = nil, because: String)
    /// Not now: again after this time. It counts as no attempt.
    case snooze(Duration)
    /// It is not wanted any more.
    case cancel(because: String)
    /// It can never succeed: it becomes a dead letter at once.
    case discard(because: String)
    /// ``Work/finish(_:)`` has noted it already.
    case finished

    public static let done = Outcome.done()

    /// Done, with something for its owner to read.
    public static func done(_ result: some Encodable) throws -> Outcome { .done(result: try StoredResult(result)) }
}

/// The limits that jobs of a queue share.
public struct JobQueue: Sendable, Hashable {
    public let name: String
    /// How many run at once in one process.
    public let concurrency: Int
    /// How many begin in a time, over all processes; `nil` for as many as come.
    public let rate: Rate?

    public init(_ name: String, concurrency: Int, rate: Rate? = nil) {
        precondition(!name.isEmpty && name.utf8.count <= 63 && concurrency > 0, "A queue has a short name and a positive concurrency.")
        (self.name, self.concurrency, self.rate) = (name, concurrency, rate)
    }

    /// Where jobs go that name no other.
    public static let standard = JobQueue("default", concurrency: 10)
}
