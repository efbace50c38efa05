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

    static let columns: SQL = "id, email, username, name, created_at, email_verified_at"

    func find(_ id: Identifier<Account>) async throws -> User {
        guard let user = try await first(id) else { throw Self.gone }
        return user
    }

    func first(_ id: Identifier<Account>) async throws -> User? {
        try await database.first(User.self, "SELECT \(Self.columns) FROM account WHERE id = \(id)")
    }

    /// - Parameter passwordHash: `nil` for an account that nobody can log in to with a password.
    func insert(
        _ email: EmailAddress, _ username: Username, _ name: PersonName?, passwordHash: String?, at now: Date
    ) async throws -> User {
        do {
            return try await database.one(
                User.self,
                """
                INSERT INTO account (id, email, username, name, password_hash, created_at)
                VALUES (\(Identifier<Account>()), \(email.raw), \(username.raw), \(name?.raw), \(passwordHash), \(now))
                RETURNING \(Self.columns)
                """, else: Failure(.internal, "internal_error", "Internal error."))
        } catch let failure as SQLFailure where failure.kind == .unique {
            throw Self.conflict(failure)
        }
    }

    /// What the accounts' constraints say when they are broken.
    static func conflict(_ failure: SQLFailure) -> Failure {
        failure.subject?.contains("username") == true
            ? .conflict("username_taken", "This username is taken.")
            : .conflict("email_taken", "There is an account with this e-mail address.")
    }

    /// For whoever has shown that the account is theirs; others are not to learn it.
    static let disabled = Failure.forbidden("account_disabled", "This account is disabled.")
    static let gone = Failure.unauthenticated("account_gone", "The account of this token does not exist any more.")

    struct Credentials: Decodable, Sendable {
        let user: User
        /// `nil` of an account that only another issuer's tokens open.
        let passwordHash: String?
        /// Since when nobody can log in to it; `nil` while it is enabled.
        let disabledAt: Date?

        enum CodingKeys: String, CodingKey { case passwordHash, disabledAt }

        init(user: User, passwordHash: String) {
            (self.user, self.passwordHash, disabledAt) = (user, passwordHash, nil)
        }

        init(from decoder: any Decoder) throws {
            let row = try decoder.container(keyedBy: CodingKeys.self)
            user = try User(from: decoder)
            passwordHash = try row.decodeIfPresent(String.self, forKey: .passwordHash)
            disabledAt = try row.decodeIfPresent(Date.self, forKey: .disabledAt)
        }

        fileprivate static let columns: SQL = "\(AccountStore.columns), password_hash, disabled_at"
    }

    /// By e-mail address or username, which cannot be confused: only one of them has an `@`.
    func credentials(for login: String) async throws -> Credentials? {
        try await database.first(Credentials.self, "SELECT \(Credentials.columns) FROM account WHERE \(Self.matches(login))")
    }

    func credentials(of id: Identifier<Account>) async throws -> Credentials {
        try await database.one(
            Credentials.self, "SELECT \(Credentials.columns) FROM account WHERE id = \(id)", else: Self.gone)
    }

    /// Whether the account has this hash still; until the transaction ends it keeps it.
    func has(_ hash: String, _ id: Identifier<Account>) async throws -> Bool {
        try await database.first(Int.self, "SELECT 1 FROM account WHERE id = \(id) AND password_hash = \(hash)\(SQL.locked)") != nil
    }

    /// Whose address it is, in whatever case.
    func owner(of email: EmailAddress) async throws -> Identifier<Account>? {
        try await database.first(Identifier<Account>.self, "SELECT id FROM account WHERE \(Self.matches(email.raw))")
    }

    /// Notes that mail to the address reaches its owner, unless that is known or the account has another by now; returns whether it has this one.
    func verify(_ email: EmailAddress, of id: Identifier<Account>, at now: Date) async throws -> Bool {
        try await database.change(
            "UPDATE account SET email_verified_at = COALESCE(email_verified_at, \(now)) WHERE id = \(id) AND email = \(email.raw)") > 0
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

    static let notFound = Failure.notFound("account_not_found", "There is no such account.")

    func setHash(of id: Identifier<Account>, to hash: String) async throws {
        try await database.change("UPDATE account SET password_hash = \(hash) WHERE id = \(id)")
    }

    private static func matches(_ login: String) -> SQL {
        login.contains("@") ? SQL.equalIgnoringCase("email", login) : SQL.equalIgnoringCase("username", login)
    }

    /// Does so only while the hash is still `old`; returns whether it was. A password that was changed meanwhile stays.
    @discardableResult
    func replaceHash(of id: Identifier<Account>, _ old: String, by hash: String) async throws -> Bool {
        try await database.change("UPDATE account SET password_hash = \(hash) WHERE id = \(id) AND password_hash = \(old)") > 0
    }
}
