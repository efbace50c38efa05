import Crypto
import Foundation
import MartletContract
import MartletCore
import MartletIdentityAPI
import MartletStorage

/// The SQL of what mails confide: of each account and purpose there is one token, the newest. Only its hash is stored.
struct MailTokenStore: Sendable {
    private let database: any Queries

    init(_ database: any Queries) {
        self.database = database
    }

    /// To whom a token was sent.
    struct Holder: Decodable, Sendable {
        let accountID: Identifier<Account>
        let email: EmailAddress
    }

    /// Puts a token in the place of the one before it.
    func put(_ token: MailToken, _ purpose: MailPurpose, for user: User, at now: Date) async throws {
        try await database.change(
            """
            INSERT INTO mail_token (account_id, purpose, hash, email, created_at, expires_at)
            VALUES (\(user.id), \(purpose), \(token.hash), \(user.email.raw), \(now), \(now.addingTimeInterval(purpose.lifetime / .seconds(1))))
            ON CONFLICT (account_id, purpose) DO UPDATE SET hash = excluded.hash, email = excluded.email,
                created_at = excluded.created_at, expires_at = excluded.expires_at, sent_at = NULL
            """)
    }

    func noteSent(_ token: MailToken, at now: Date) async throws {
        try await database.change("UPDATE mail_token SET sent_at = \(now) WHERE hash = \(token.hash)")
    }

    /// Whether a token that was made after a moment has been sent, and not been used.
    func wasSent(_ purpose: MailPurpose, to account: Identifier<Account>, after moment: Date) async throws -> Bool {
        try await database.first(
            Int.self,
            """
            SELECT 1 FROM mail_token WHERE account_id = \(account) AND purpose = \(purpose) AND sent_at IS NOT NULL
                AND created_at > \(moment)
            """) != nil
    }

    /// Whose token it is; `nil` when it was used, replaced, never given out, or is too old.
    func holder(of token: MailToken, _ purpose: MailPurpose, at now: Date) async throws -> Holder? {
        try await database.first(Holder.self, "SELECT account_id, email FROM mail_token WHERE \(Self.isGood(token, purpose, now))")
    }

    /// Uses a token up. One statement, so that of callers who race one gets it.
    func redeem(_ token: MailToken, _ purpose: MailPurpose, at now: Date) async throws -> Holder? {
        try await database.first(
            Holder.self, "DELETE FROM mail_token WHERE \(Self.isGood(token, purpose, now)) RETURNING account_id, email")
    }

    func discard(_ purpose: MailPurpose, of account: Identifier<Account>) async throws {
        try await database.change("DELETE FROM mail_token WHERE account_id = \(account) AND purpose = \(purpose)")
    }

    private static func isGood(_ token: MailToken, _ purpose: MailPurpose, _ now: Date) -> SQL {
        "hash = \(token.hash) AND purpose = \(purpose) AND expires_at > \(now)"
    }
}

extension MailToken {
    static func random() -> MailToken {
        do throws(Fault) {
            return try MailToken(Base64URL.encode(SymmetricKey(size: .bits256).withUnsafeBytes { Array($0) }))
        } catch {
            preconditionFailure("A token of a mail is made of 32 bytes: \(error.message)")
        }
    }

    /// What is stored: a token has 256 bits of chance, so a plain hash keeps it.
    var hash: [UInt8] { Array(SHA256.hash(data: Data(raw.utf8))) }

    static let refused = Failure.unauthenticated(
        "invalid_mail_token", "The token was used, replaced by that of a newer mail, or is too old: ask for another mail.")
}
