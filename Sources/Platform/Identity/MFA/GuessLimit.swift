import Foundation
import MartletCore
import MartletStorage

/// How often a second factor may be guessed: 5 times, then a pause that doubles with each further 5, from 15 minutes up to a day.
///
/// Whoever guesses knows the password, and has a chance of 3 in 10⁶ each time. A right one begins anew.
struct GuessLimit: Equatable {
    static let guesses = 5
    private static let firstPause: TimeInterval = 15 * 60
    private static let longestPause: TimeInterval = 24 * 3600

    private(set) var failures = 0
    private(set) var blockedUntil: Date?

    init(failures: Int = 0, blockedUntil: Date? = nil) {
        (self.failures, self.blockedUntil) = (failures, blockedUntil)
    }

    /// Counts a guess as wrong, before anybody looks whether it is; returns how long to wait instead where it is one too many.
    mutating func take(at now: Date) -> TimeInterval? {
        if let blockedUntil, now < blockedUntil { return blockedUntil.timeIntervalSince(now) }
        failures += 1
        if failures.isMultiple(of: Self.guesses) { blockedUntil = now.addingTimeInterval(pause) }
        return nil
    }

    private var pause: TimeInterval {
        let doublings = min(16, failures / Self.guesses - 1)
        return min(Self.longestPause, Self.firstPause * Double(1 << doublings))
    }
}

/// The guesses at each account's proofs, counted by the database: over all tokens, addresses and instances.
struct GuessStore: Sendable {
    private let database: any Database

    init(_ database: any Database) {
        self.database = database
    }

    private struct Row: Decodable, Sendable {
        let failures: Int
        let blockedUntil: Date?
    }

    /// Counts a guess; throws `limited`, code `too_many_guesses`, when it is one too many. Committed by itself, whatever becomes of the guess.
    func take(of account: Identifier<Account>, at now: Date) async throws {
        // Each takes the row after the other: what they read is what they change.
        let wait = try await database.transaction(isolation: .readCommitted) { transaction -> TimeInterval? in
            try await transaction.change(
                "INSERT INTO proof_guess (account_id, failures) VALUES (\(account), 0) ON CONFLICT (account_id) DO NOTHING")
            let row = try await transaction.first(
                Row.self, "SELECT failures, blocked_until FROM proof_guess WHERE account_id = \(account)\(SQL.locked)")
            var limit = GuessLimit(failures: row?.failures ?? 0, blockedUntil: row?.blockedUntil)
            if let wait = limit.take(at: now) { return wait }
            try await transaction.change(
                """
                UPDATE proof_guess SET failures = \(limit.failures), blocked_until = \(limit.blockedUntil) WHERE account_id = \(account)
                """)
            return nil
        }
        if let wait { throw Self.refusal(Int(wait.rounded(.up))) }
    }

    /// Forgets the guesses of somebody who has proven who they are, together with what that gave them.
    static func forget(of account: Identifier<Account>, in transaction: any Transaction) async throws {
        try await transaction.change("DELETE FROM proof_guess WHERE account_id = \(account)")
    }

    private static func refusal(_ seconds: Int) -> Failure {
        Failure(.limited, "too_many_guesses", "These were too many wrong codes: wait \(seconds) s.", retryAfterSeconds: seconds)
    }
}
