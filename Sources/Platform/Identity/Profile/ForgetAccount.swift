import MartletCore
import MartletJobs
import MartletService
import MartletStorage

/// Removes once more what a deleted account has left where no foreign key looks after it: a request that was under way when the account was
/// deleted may have stored something after it.
struct ForgetAccount: Job {
    static let name = "identity.forget_account"
    static let policy = JobPolicy(priority: .low)
    /// Longer than any request takes.
    static let delay = Duration.seconds(3600)

    let account: Identifier<Account>

    func run(_ work: Work<ForgetAccount>, with data: [PersonalData]) async throws -> Outcome {
        try await work.finish(isolation: .readCommitted) { transaction in
            for data in data { try await data.remove(of: account, in: transaction) }
        }
    }
}
