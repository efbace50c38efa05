import MartletContract
import MartletCore
import MartletJobs
import MartletService
import MartletStorage

/// A job for tests from outside: it sleeps, and then does nothing, or adds its number to a table `test_effect (number)` of theirs.
struct TestErrand: Job {
    static let name = "test.errand"
    static let policy = JobPolicy(queue: queue.name, retry: RetryPolicy(attempts: 1_000, base: .milliseconds(100), longest: .seconds(1)))
    static let queue = JobQueue("test", concurrency: 100)

    static let handler = perform(TestErrand.self, with: ())

    let number: Int
    let milliseconds: Int
    let hasEffect: Bool

    func run(_ work: Work<TestErrand>, with _: Void) async throws -> Outcome {
        if milliseconds > 0 {
            work.report(0.5, "sleeping")
            try await Task.sleep(for: .milliseconds(milliseconds))
        }
        guard hasEffect else { return .done }
        return try await work.finish { try await $0.change("INSERT INTO test_effect (number) VALUES (\(number))") }
    }
}

extension TestAPI {
    /// Enqueues jobs, all in one transaction.
    struct Errands: Codable, Sendable {
        var count: ErrandCount
        /// The number of the first; the others follow.
        var first: Int?
        /// How long each sleeps.
        var milliseconds: PauseLength?
        var hasEffect: Bool?
    }

    struct ErrandCount: Parsed {
        static let schema = Schema.integer(1...100_000)
        static let example = 1
        let raw: Int

        init(_ raw: Int) throws(Fault) { self.raw = raw }
    }

    static func enqueue(_ errands: Errands, _ jobs: Jobs, _ database: any Database) async throws {
        try await database.transaction(isolation: .readCommitted) { transaction in
            for number in 0..<errands.count.raw {
                let (first, milliseconds) = (errands.first ?? 0, errands.milliseconds?.raw ?? 0)
                let errand = TestErrand(number: first &+ number, milliseconds: milliseconds, hasEffect: errands.hasEffect ?? false)
                try await jobs.enqueue(errand, in: transaction)
            }
        }
    }
}
