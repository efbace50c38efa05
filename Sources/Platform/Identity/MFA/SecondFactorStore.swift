import Crypto
import Foundation
import MartletCore
import MartletIdentityAPI
import MartletSecrets
import MartletStorage

/// The SQL of second factors: authenticators and recovery codes.
struct SecondFactorStore: Sendable {
    static let secrets = SealedColumn(table: "totp", key: "account_id", column: "secret")
    private static let recoveryCodeCount = 10
    private let database: any Queries
    private let box: SecretBox

    init(_ database: any Queries, _ box: SecretBox) {
        (self.database, self.box) = (database, box)
    }

    /// Whether logins of the account need a second factor.
    static func isOn(for account: Identifier<Account>, in database: any Queries) async throws -> Bool {
        try await database.first(Int.self, "SELECT 1 FROM totp WHERE account_id = \(account) AND confirmed_at IS NOT NULL") != nil
    }

    func status(of account: Identifier<Account>) async throws -> MFAStatus {
        let since = try await database.first(
            Date.self, "SELECT confirmed_at FROM totp WHERE account_id = \(account) AND confirmed_at IS NOT NULL")
        let left = try await database.first(
            Int.self, "SELECT count(*) FROM recovery_code WHERE account_id = \(account) AND used_at IS NULL")
        return MFAStatus(isEnabled: since != nil, enabledAt: since, recoveryCodesLeft: left ?? 0)
    }

    /// Stores the secret of an authenticator that is not confirmed yet, in place of an earlier one.
    func begin(_ secret: [UInt8], for account: Identifier<Account>, at now: Date) async throws {
        let sealed = try Self.secrets.seal(secret, row: account.uuid, with: box)
        try await database.change(
            """
            INSERT INTO totp (account_id, secret, created_at) VALUES (\(account), \(sealed), \(now))
            ON CONFLICT (account_id) DO UPDATE SET secret = excluded.secret, created_at = excluded.created_at
            WHERE totp.confirmed_at IS NULL
            """, else: Self.isOnAlready)
    }

    /// Turns the second factor on by the first code; throws `conflict` when there is nothing to confirm.
    func confirm(_ code: TOTPCode, of account: Identifier<Account>, at now: Date) async throws {
        guard let stored = try await stored(account) else {
            throw Failure.conflict("mfa_not_begun", "There is nothing to confirm: begin first.")
        }
        guard stored.confirmedAt == nil else { throw Self.isOnAlready }
        guard let step = try steps(code, stored, account, at: now).first else { throw Self.wrong }
        try await database.change(
            """
            UPDATE totp SET confirmed_at = \(now), last_step = \(step) WHERE account_id = \(account) AND confirmed_at IS NULL
            """, else: Self.isOnAlready)
    }

    /// Uses up a code of the account's authenticator; whether it was good. Of those who race with one code, one wins: the step is claimed by
    /// the statement itself.
    func use(_ code: TOTPCode, of account: Identifier<Account>, at now: Date) async throws -> Bool {
        guard let stored = try await stored(account), stored.confirmedAt != nil else { return false }
        for step in try steps(code, stored, account, at: now) {
            let claimed = try await database.change(
                """
                UPDATE totp SET last_step = \(step)
                WHERE account_id = \(account) AND confirmed_at IS NOT NULL AND last_step < \(step)
                """)
            if claimed > 0 { return true }
        }
        return false
    }

    /// Uses up a recovery code; whether there was such a one.
    func use(_ code: RecoveryCode, of account: Identifier<Account>, at now: Date) async throws -> Bool {
        try await database.change(
            """
            UPDATE recovery_code SET used_at = \(now) WHERE account_id = \(account) AND hash = \(code.hash(for: account)) AND used_at IS NULL
            """) > 0
    }

    /// Puts new recovery codes in place of all others, in a transaction. They are to be read nowhere again.
    func replaceRecoveryCodes(of account: Identifier<Account>, at now: Date) async throws -> [RecoveryCode] {
        // Who replaces them at the same moment waits here.
        _ = try await database.first(Int.self, "SELECT 1 FROM totp WHERE account_id = \(account)\(SQL.locked)")
        try await database.change("DELETE FROM recovery_code WHERE account_id = \(account)")
        let codes = (0..<Self.recoveryCodeCount).map { _ in RecoveryCode.random() }
        for code in codes {
            try await database.change(
                "INSERT INTO recovery_code (account_id, hash, created_at) VALUES (\(account), \(code.hash(for: account)), \(now))")
        }
        return codes
    }

    /// Turns the second factor off. Safe to repeat.
    func remove(from account: Identifier<Account>) async throws {
        try await database.change("DELETE FROM totp WHERE account_id = \(account)")
        try await database.change("DELETE FROM recovery_code WHERE account_id = \(account)")
        try await database.change("DELETE FROM mfa_challenge WHERE account_id = \(account)")
    }

    private struct Stored: Decodable, Sendable {
        let secret: [UInt8]
        let confirmedAt: Date?
    }

    private func stored(_ account: Identifier<Account>) async throws -> Stored? {
        try await database.first(Stored.self, "SELECT secret, confirmed_at FROM totp WHERE account_id = \(account)")
    }

    private func steps(_ code: TOTPCode, _ stored: Stored, _ account: Identifier<Account>, at now: Date) throws -> [Int] {
        let secret = try Self.secrets.open(stored.secret, row: account.uuid, with: box)
        return TOTP.steps(matching: code.raw, secret, at: now)
    }

    private static let isOnAlready = Failure.conflict("mfa_enabled", "The second factor is on already: turn it off first.")
    static let wrong = Failure.forbidden("invalid_code", "The code is wrong, has been used, or is over.")
}

extension RecoveryCode {
    static func random() -> RecoveryCode {
        do throws(Fault) {
            return try RecoveryCode(Base32.encode(SymmetricKey(size: SymmetricKeySize(bitCount: 80)).withUnsafeBytes { Array($0) }))
        } catch {
            preconditionFailure("A recovery code is made of 10 bytes: \(error.message)")
        }
    }

    /// What is stored. 80 bits of chance need no slow hash; the account keeps equal codes apart.
    func hash(for account: Identifier<Account>) -> [UInt8] {
        Array(SHA256.hash(data: Data("\(account):\(raw)".utf8)))
    }
}
