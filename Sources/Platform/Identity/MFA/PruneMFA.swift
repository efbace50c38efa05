import MartletStorage

/// Removes logins that nobody finished and devices whose time is over, at most `batch` of each; returns the larger number.
func pruneMFA(in transaction: any Transaction, batch: Int) async throws -> Int {
    let challenges = try await transaction.change(
        """
        DELETE FROM mfa_challenge WHERE hash IN (SELECT hash FROM mfa_challenge WHERE expires_at < \(SQL.now) LIMIT \(batch))
        """)
    let devices = try await transaction.change(
        """
        DELETE FROM remembered_device WHERE id IN (SELECT id FROM remembered_device WHERE expires_at < \(SQL.now) LIMIT \(batch))
        """)
    return max(challenges, devices)
}
