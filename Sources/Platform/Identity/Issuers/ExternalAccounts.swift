import Foundation
import MartletAudit
import MartletAuditAPI
import MartletContract
import MartletCore
import MartletIdentityAPI
import MartletStorage

/// Whom others' tokens are about: an account for each subject of an issuer, made at its first use.
struct ExternalAccounts: Sendable {
    /// How often a first use is tried again because another made an account with the same name at the same moment.
    private static let attempts = 5
    private let database: any Database
    private let audit: AuditLog
    private let clock: WallClock

    init(_ database: any Database, _ audit: AuditLog, clock: WallClock) {
        (self.database, self.audit, self.clock) = (database, audit, clock)
    }

    /// The account of a subject. Safe to repeat, also at the same moment: of requests that race, one makes the account.
    ///
    /// Throws `forbidden` and `conflict` when there is none and none can be made: without an e-mail address, or with another account's;
    /// `forbidden` also when it is disabled.
    func account(of claims: ExternalClaims, by issuer: ExternalIssuer) async throws -> Identifier<Account> {
        if let known = try await Self.known(claims.subject, issuer, in: database) { return known }
        for _ in 0..<Self.attempts {
            do {
                // Constraints of the schema decide races: serializable transactions would only run more often.
                return try await database.transaction(isolation: .readCommitted) { transaction in
                    try await claim(claims, by: issuer, in: transaction)
                }
            } catch let failure as SQLFailure where failure.kind == .unique {
                continue
            }
        }
        throw Failure.unavailable("external_account_busy", "Many accounts of this name are being made: try again in a moment.")
    }

    private static func known(_ subject: String, _ issuer: ExternalIssuer, in database: any Queries) async throws -> Identifier<Account>? {
        let known = try await database.first(
            Known.self,
            """
            SELECT account_id, disabled_at FROM external_identity JOIN account ON account.id = account_id
            WHERE issuer = \(issuer.issuer) AND subject = \(subject)
            """)
        guard known?.disabledAt == nil else { throw AccountStore.disabled }
        return known?.accountID
    }

    private struct Known: Decodable, Sendable {
        let accountID: Identifier<Account>
        let disabledAt: Date?
    }

    private func claim(
        _ claims: ExternalClaims, by issuer: ExternalIssuer, in transaction: any Transaction
    ) async throws -> Identifier<Account> {
        guard let email = claims.email else {
            throw Failure.forbidden("external_email_missing", "The access token names no e-mail address, which an account here needs.")
        }
        let owner = try await Self.owner(of: email, in: transaction)
        // Behind the owner: each statement sees what was committed before it, and who made the account made its identity with it.
        if let known = try await Self.known(claims.subject, issuer, in: transaction) { return known }
        if let owner { try Self.checkLinking(claims, to: owner, by: issuer) }
        let account: Identifier<Account> = if let owner { owner.id } else { try await insert(claims, email, in: transaction) }
        try await transaction.change(
            """
            INSERT INTO external_identity (issuer, subject, account_id, created_at)
            VALUES (\(issuer.issuer), \(claims.subject), \(account), \(clock.now))
            """)
        try await audit.record(
            AuditEvent(
                owner == nil ? .externalAccountCreated : .externalAccountLinked, on: .account(account), by: .account(account),
                after: ["issuer": .text(issuer.issuer)]), in: transaction)
        return account
    }

    private struct Owner: Decodable, Sendable {
        let id: Identifier<Account>
        let emailVerifiedAt: Date?
        let disabledAt: Date?
    }

    private static func owner(of email: EmailAddress, in transaction: any Transaction) async throws -> Owner? {
        try await transaction.first(
            Owner.self, "SELECT id, email_verified_at, disabled_at FROM account WHERE \(SQL.equalIgnoringCase("email", email.raw))")
    }

    /// Whoever gets an address at some issuer must not get the account that has it here, unless operator and issuer both vouch for it. Nor may
    /// somebody who registered with another's address keep an account that its owner comes to by the issuer: it must be verified here, too.
    private static func checkLinking(_ claims: ExternalClaims, to owner: Owner, by issuer: ExternalIssuer) throws(Failure) {
        guard issuer.linksVerifiedEmail else {
            throw .conflict("external_email_taken", "There is an account with this e-mail address: log in to that one.")
        }
        guard claims.isEmailVerified else {
            throw .forbidden(
                "external_email_unverified", "There is an account with this e-mail address, which the issuer has not verified.")
        }
        guard owner.emailVerifiedAt != nil else {
            throw .forbidden(
                "external_email_unverified", "There is an account with this e-mail address, which it has not verified yet.")
        }
        guard owner.disabledAt == nil else { throw AccountStore.disabled }
    }

    /// An account without a password: nobody can log in to it but by the issuer.
    private func insert(
        _ claims: ExternalClaims, _ email: EmailAddress, in transaction: any Transaction
    ) async throws -> Identifier<Account> {
        let (id, username) = (Identifier<Account>(), try await freeUsername(for: claims, email, in: transaction))
        try await transaction.change(
            """
            INSERT INTO account (id, email, username, name, password_hash, created_at)
            VALUES (\(id), \(email.raw), \(username), \(claims.name?.raw), NULL, \(clock.now))
            """)
        return id
    }

    private func freeUsername(
        for claims: ExternalClaims, _ email: EmailAddress, in transaction: any Transaction
    ) async throws -> String {
        let wanted = Self.username(from: claims.username ?? email.raw)
        let holder = try await transaction.first(
            Identifier<Account>.self, "SELECT id FROM account WHERE \(SQL.equalIgnoringCase("username", wanted))")
        return holder == nil ? wanted : "\(wanted)-\(String(UInt32.random(in: .min ... .max), radix: 36))"
    }

    /// A proper ``Username``, with room for what tells it from others.
    static func username(from text: String) -> String {
        let bytes = text.utf8.prefix { $0 != UInt8(ascii: "@") }.map { isOfUsername($0) ? $0 : UInt8(ascii: "-") }
        let name = String(decoding: bytes.prefix(40), as: UTF8.self)
        return name.utf8.count >= 3 ? name : "user-\(name)"
    }

    private static func isOfUsername(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
        case UInt8(ascii: "-"), UInt8(ascii: "_"): true
        default: false
        }
    }
}
