import MartletJobs
import MartletStorage
import MartletTestSupport
import Testing

/// What happens in one transaction, the same for the same seed: jobs and effects of the same names, savepoints in savepoints of which some
/// are undone, and at the end perhaps a rollback.
struct History: Sendable {
    private indirect enum Step: Sendable {
        case enqueue(String)
        case savepoint([Step], isUndone: Bool)
    }

    private let steps: [Step]
    private let isRolledBack: Bool

    init(seed: UInt64) {
        var numbers = SeededNumbers(seed: seed)
        var names = 0
        steps = Self.steps(&numbers, depth: 0) {
            names += 1; return "\(seed).\(names)"
        }
        isRolledBack = Int.random(in: 0..<4, using: &numbers) == 0
    }

    private static func steps(_ numbers: inout SeededNumbers, depth: Int, name: () -> String) -> [Step] {
        (0..<Int.random(in: 0...3, using: &numbers)).map { _ in
            let goesDeeper = depth < 3 && Int.random(in: 0..<3, using: &numbers) == 0
            guard goesDeeper else { return .enqueue(name()) }
            let inner = steps(&numbers, depth: depth + 1, name: name)
            return .savepoint(inner, isUndone: Bool.random(using: &numbers))
        }
    }

    /// The names of what is there afterwards.
    var committed: [String] { isRolledBack ? [] : Self.kept(steps) }

    private static func kept(_ steps: [Step]) -> [String] {
        steps.flatMap { step in
            switch step {
            case .enqueue(let name): [name]
            case .savepoint(let inner, let isUndone): isUndone ? [] : kept(inner)
            }
        }
    }

    /// Lets them happen, a few at a time.
    static func happen(_ histories: [History], to instance: Instance) async {
        await withDiscardingTaskGroup { group in
            for lane in 0..<8 {
                group.addTask {
                    for place in stride(from: lane, to: histories.count, by: 8) { await histories[place].happen(to: instance) }
                }
            }
        }
    }

    private func happen(to instance: Instance) async {
        let outcome = await Result {
            try await instance.database.transaction(isolation: .readCommitted) { transaction in
                try await Self.happen(steps, instance.jobs, transaction)
                if isRolledBack { throw Unwanted() }
            }
        }
        if case .failure(let error) = outcome, !(error is Unwanted) { Issue.record(error) }
    }

    private static func happen(_ steps: [Step], _ jobs: Jobs, _ transaction: any Transaction) async throws {
        for step in steps {
            switch step {
            case .enqueue(let name):
                try await jobs.enqueue(Errand(name: name), in: transaction)
                try await transaction.leave(name)
            case .savepoint(let inner, let isUndone):
                try await happen(inner, isUndone, jobs, transaction)
            }
        }
    }

    private static func happen(_ inner: [Step], _ isUndone: Bool, _ jobs: Jobs, _ transaction: any Transaction) async throws {
        do {
            try await transaction.savepoint { savepoint in
                try await happen(inner, jobs, savepoint)
                if isUndone { throw Unwanted() }
            }
        } catch is Unwanted {}
    }
}
