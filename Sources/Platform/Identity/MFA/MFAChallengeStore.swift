import Crypto
import Foundation
import MartletContract
import MartletCore
import MartletIdentityAPI
import MartletStorage

/// The SQL of logins that wait for their second factor.
struct MFAChallengeStore: Sendable {
    static let lifetime: Duration = .seconds(300)
    private let database: any Queries

    init(_ database: any Queries) {
        self.database = database
    }

    func open(_ token: MFAToken, for account: Identifier<Account>, at now: Date) async throws {
        let expiry = now.addingTimeInterval(Self.lifetime / .seconds(1))
        try await database.change(
            "INSERT INTO mfa_challenge (hash, account_id, expires_at) VALUES (\(token.hash), \(account), \(expiry))")
    }

    /// Whose login it is.
    func account(of token: MFAToken, at now: Date) async throws -> Identifier<Account> {
        try await database.one(
            Identifier<Account>.self, "SELECT account_id FROM mfa_challenge WHERE hash = \(token.hash) AND expires_at > \(now)",
            else: Self.invalid)
    }

    /// Uses the token up: of those who race, one goes on.
    func claim(_ token: MFAToken, at now: Date) async throws {
        try await database.change("DELETE FROM mfa_challenge WHERE hash = \(token.hash) AND expires_at > \(now)", else: Self.invalid)
    }

    /// For whatever changes how the account is proven: in the same transaction.
    func discardAll(of account: Identifier<Account>) async throws {
        try await database.change("DELETE FROM mfa_challenge WHERE account_id = \(account)")
    }

    private static let invalid = Failure.unauthenticated("invalid_mfa_token", "The login is over, or was finished: log in again.")
}

extension OpaqueToken {
    static func random() -> OpaqueToken {
        do throws(Fault) {
            return try OpaqueToken(Base64URL.encode(SymmetricKey(size: .bits256).withUnsafeBytes { Array($0) }))
        } catch {
            preconditionFailure("A token is made of 32 bytes: \(error.message)")
        }
    }

    /// What is stored: a token has 256 bits of chance, so a plain hash keeps it.
    var hash: [UInt8] { Array(SHA256.hash(data: Data(raw.utf8))) }
}
