import Foundation
import MartletCore
import MartletStorage

/// What a queue's rate still allows, kept in the database: the limit holds over all processes.
struct QueueAllowance: Sendable {
    let queue: String
    let rate: Rate
    let clock: JobClock

    private struct Row: Decodable { let tokens: Double, at: Date, now: Date }

    /// How many jobs may begin now, and when the next ones may. The queue is this transaction's until it ends.
    func granted(upTo count: Int, in transaction: any Transaction) async throws -> (granted: Int, next: Date?) {
        try await transaction.change(
            "INSERT INTO job_rate (queue, tokens, at) VALUES (\(queue), \(Double(rate.burst)), \(clock.now)) ON CONFLICT (queue) DO NOTHING"
        )
        let row = try await row(in: transaction)
        let taken = RateAllowance(tokens: row.tokens, at: row.at).taking(upTo: count, rate: rate, now: row.now)
        return (taken.granted, taken.nextAt)
    }

    func spend(_ count: Int, in transaction: any Transaction) async throws {
        let row = try await row(in: transaction)
        let left = RateAllowance(tokens: row.tokens, at: row.at).taking(upTo: count, rate: rate, now: row.now).allowance
        try await transaction.change("UPDATE job_rate SET tokens = \(left.tokens), at = \(left.at) WHERE queue = \(queue)")
    }

    private func row(in transaction: any Transaction) async throws -> Row {
        try await transaction.one(
            Row.self, "SELECT tokens, at, \(clock.now) AS now FROM job_rate WHERE queue = \(queue)\(SQL.locked)",
            else: Failure(.internal, "job_rate_missing", "Internal error."))
    }
}
