import Foundation
import MartletContract
import MartletCore
import MartletIdentityAPI
import MartletStorage

/// The SQL of accounts.
struct AccountStore: Sendable {
    let database: any Queries

    init(_ database: any Queries) {
        self.database = database
    }

    private static let columns: SQL = "id, email, username, name, created_at"

    func find(_ id: Identifier<Account>) async throws -> User {
        try await database.one(
            User.self, "SELECT \(Self.columns) FROM account WHERE id = \(id)",
            else: .unauthenticated("account_gone", "The account of this token does not exist any more."))
    }

    func insert(_ registration: Registration, passwordHash: String, at now: Date) async throws -> User {
        do {
            return try await database.one(
                User.self,
                """
                INSERT INTO account (id, email, username, name, password_hash, created_at)
                VALUES (\(Identifier<Account>()), \(registration.email.raw), \(registration.username.raw), \(registration.name?.raw),
                    \(passwordHash), \(now))
                RETURNING \(Self.columns)
                """, else: Failure(.internal, "internal_error", "Internal error."))
        } catch let failure as SQLFailure where failure.kind == .unique {
            throw failure.subject?.contains("username") == true
                ? Failure.conflict("username_taken", "This username is taken.")
                : Failure.conflict("email_taken", "There is an account with this e-mail address.")
        }
    }

    struct Credentials: Decodable, Sendable {
        let user: User
        /// `nil` of an account that only another issuer's tokens open.
        let passwordHash: String?

        enum CodingKeys: String, CodingKey { case passwordHash }

        init(from decoder: any Decoder) throws {
            user = try User(from: decoder)
            passwordHash = try decoder.container(keyedBy: CodingKeys.self).decodeIfPresent(String.self, forKey: .passwordHash)
        }
    }

    /// By e-mail address or username, which cannot be confused: only one of them has an `@`.
    func credentials(for login: String) async throws -> Credentials? {
        try await database.first(Credentials.self, "SELECT \(Self.columns), password_hash FROM account WHERE \(Self.matches(login))")
    }

    /// Whose login it is; throws `notFound` when it is nobody's.
    func id(of login: String) async throws -> Identifier<Account> {
        try await database.one(
            Identifier<Account>.self, "SELECT id FROM account WHERE \(Self.matches(login))", else: Self.notFound)
    }

    /// Throws `notFound` when there is no such account.
    func requireAccount(_ id: Identifier<Account>) async throws {
        _ = try await database.one(Identifier<Account>.self, "SELECT id FROM account WHERE id = \(id)", else: Self.notFound)
    }

    private static let notFound = Failure.notFound("account_not_found", "There is no such account.")

    private static func matches(_ login: String) -> SQL {
        login.contains("@") ? SQL.equalIgnoringCase("email", login) : SQL.equalIgnoringCase("username", login)
    }

    func replaceHash(of id: Identifier<Account>, by hash: String) async throws {
        try await database.change("UPDATE account SET password_hash = \(hash) WHERE id = \(id)")
    }
}
