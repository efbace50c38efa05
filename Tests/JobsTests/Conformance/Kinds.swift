import MartletCore
import MartletJobs
import MartletStorage
import Synchronization

/// A job that does what the test says, under a name and a policy of its own.
protocol Told: Job where Resources == Telling<Self> {}

struct Telling<Kind: Job>: Sendable {
    let does: @Sendable (Kind, Work<Kind>) async throws -> Outcome

    init(_ does: @escaping @Sendable (Kind, Work<Kind>) async throws -> Outcome) { self.does = does }
}

extension Told {
    func run(_ work: Work<Self>, with telling: Telling<Self>) async throws -> Outcome { try await telling.does(self, work) }
}

/// Performs a told kind by what the test says.
func tell<Kind: Told>(_ kind: Kind.Type = Kind.self, _ does: @escaping @Sendable (Kind, Work<Kind>) async throws -> Outcome) -> JobHandler {
    perform(kind, with: Telling(does))
}

/// Tried three times, after 10 and 30 seconds.
struct Stubborn: Told {
    static let name = "test.stubborn"
    static let policy = JobPolicy(retry: RetryPolicy(attempts: 3, base: .seconds(10), factor: 3, jitter: 0))
    var name = "stubborn"
}

/// Tried once.
struct OneShot: Told {
    static let name = "test.one_shot"
    static let policy = JobPolicy(retry: .none)
    var name = "one shot"
}

/// Tried again at once, in a queue that the test bounds.
struct Eager: Told {
    static let name = "test.eager"
    static let policy = JobPolicy(queue: "eager", retry: RetryPolicy(attempts: 1_000, base: .zero))
    var name = "eager"
}

/// Does a part in each step.
struct Climb: Told {
    static let name = "test.climb"
    static let policy = JobPolicy(retry: RetryPolicy(attempts: 5, base: .seconds(1), jitter: 0))
    typealias Checkpoint = Int
    var name = "climb"
}

/// Nobody handles it, unless a test says so.
struct Strange: Told {
    static let name = "test.strange"
    var name = "strange"
}

/// What happened, in its order.
final class Journal: Sendable {
    private let kept = Mutex<[String]>([])
    var entries: [String] { kept.withLock { $0 } }
    func note(_ entry: String) { kept.withLock { $0.append(entry) } }
    func count(of entry: String) -> Int { entries.count { $0 == entry } }
}

extension Queries {
    /// Leaves an effect that the test can see.
    func leave(_ name: String) async throws { try await change("INSERT INTO effect (name) VALUES (\(name))") }
}

struct Unwanted: Error {}
