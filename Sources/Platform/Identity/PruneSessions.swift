import MartletCore
import MartletJobs
import MartletStorage

/// Removes sessions that ended, logins that nobody finished, and revocations, mailed tokens, remembered devices and keys that are over. A token
/// stays for a day beyond its time: who uses it late is told the truth. A key stays for a month.
struct PruneSessions: Job {
    static let name = "identity.prune_sessions"
    static let policy = JobPolicy(priority: .low, unique: .untilFinished)

    private static let batch = 1_000

    func run(_ work: Work<PruneSessions>, with database: any Database) async throws -> Outcome {
        while try await prune(database) == Self.batch { try Task.checkCancellation() }
        return .done
    }

    private func prune(_ database: any Database) async throws -> Int {
        try await database.transaction(isolation: .readCommitted) { transaction in
            let tokens = try await transaction.change(
                """
                DELETE FROM refresh_token WHERE hash IN (
                    SELECT hash FROM refresh_token WHERE expires_at < \(SQL.moment(.now, plus: .seconds(-86_400))) LIMIT \(Self.batch))
                """)
            // A session is begun together with its first token.
            let sessions = try await transaction.change(
                """
                DELETE FROM session WHERE id IN (
                    SELECT id FROM session WHERE NOT EXISTS (SELECT 1 FROM refresh_token WHERE session_id = session.id) LIMIT \(Self.batch))
                """)
            let revocations = try await transaction.change(
                """
                DELETE FROM revoked_access WHERE (kind, subject_id) IN (
                    SELECT kind, subject_id FROM revoked_access WHERE expires_at < \(SQL.now) LIMIT \(Self.batch))
                """)
            let mailed = try await transaction.change(
                """
                DELETE FROM mail_token WHERE hash IN (SELECT hash FROM mail_token WHERE expires_at < \(SQL.now) LIMIT \(Self.batch))
                """)
            let keys = try await transaction.change(
                """
                DELETE FROM api_key WHERE id IN (
                    SELECT id FROM api_key WHERE expires_at < \(SQL.moment(.now, plus: .seconds(-30 * 86_400))) LIMIT \(Self.batch))
                """)
            return max(tokens, sessions, revocations, mailed, keys, try await pruneMFA(in: transaction, batch: Self.batch))
        }
    }
}
