// MartletIdentity: who people are, and how they stay logged in.

import HTTPTypes
public import MartletContract
public import MartletCore
public import MartletHTTP
import MartletIdentityAPI
public import MartletJobs
public import MartletService
public import MartletStorage

/// Accounts, logins and tokens; read it first.
public struct IdentityService: Service {
    private let database: any Database
    private let policy: IdentityPolicy
    let hasher: PasswordHasher
    private let tokens: AccessTokens
    private let scopes: (all: [String], operators: [String])
    private let cookies: RefreshCookies
    private let clock: WallClock

    /// - Parameters:
    ///   - scopes: The permissions of everyone who signs up.
    ///   - operatorScopes: What operators may do beyond that.
    public init(
        database: any Database, policy: IdentityPolicy, scopes: [String], operatorScopes: [String] = [], clock: WallClock = .system
    ) async throws {
        self.database = database
        self.policy = policy
        self.clock = clock
        hasher = try PasswordHasher(policy.hashing)
        tokens = await AccessTokens(policy.tokens, clock: clock)
        self.scopes = (scopes, operatorScopes)
        cookies = RefreshCookies(policy.cookies)
    }

    public var operations: [NamedOperation] { AccountsAPI.operations }
    public static var migrations: [Migration] { identityMigrations }

    public var jobs: [JobHandler] { [perform(PruneSessions.self, with: database)] }
    public var schedules: [ScheduledJob] { [schedule("identity.prune_sessions", .cron("17 * * * *")) { PruneSessions() }] }

    /// Tells who calls by the access token of the request.
    public var authenticator: any Authenticator { tokens }

    public var routes: [Route] {
        [
            serve(open: AccountsAPI.register) { registration, call in
                try cookies.checkOrigin(of: call.request, isCookie: registration.cookie == true)
                try await call.limit(account: registration.email.raw)
                let account = try await register(registration)
                return try await reply(to: account, registration.cookie == true)
            },
            serve(open: AccountsAPI.login) { login, call in
                try cookies.checkOrigin(of: call.request, isCookie: login.cookie == true)
                try await call.limit(account: login.login.raw)
                return try await reply(to: try await authenticate(login), login.cookie == true)
            },
            serve(open: AccountsAPI.refresh) { refresh, call in
                let given = try cookies.token(of: call.request, orGiven: refresh.refreshToken)
                let rotation = try await rotate(given.token)
                return try await reply(to: rotation.user, with: rotation.successor, given.isCookie)
            },
            serve(open: AccountsAPI.logout) { refresh, call in
                let given = try cookies.token(of: call.request, orGiven: refresh.refreshToken)
                try await SessionStore(database).revokeFamily(of: given.token, at: clock.now)
                return Reply(NoContent(), fields: given.isCookie ? cookies.cleared : [:])
            },
            serve(AccountsAPI.me) { _, caller in
                try await AccountStore(database).find(caller.id)
            },
        ]
    }
}

// MARK: The work

extension IdentityService {
    private func register(_ registration: Registration) async throws -> User {
        try PasswordRules.check(registration)
        let hash = try await hasher.hash(registration.password.raw)
        return try await AccountStore(database).insert(registration, passwordHash: hash, at: clock.now)
    }

    /// Takes the same time for accounts that do not exist: a hash is computed either way.
    private func authenticate(_ login: Login) async throws -> User {
        let store = AccountStore(database)
        let account = try await store.credentials(for: login.login.raw)
        let isRight = try await hasher.verify(login.password.raw, against: account?.passwordHash)
        guard let account, isRight else { throw Failure.unauthenticated("invalid_credentials", "The login or the password is wrong.") }
        if hasher.isOutdated(account.passwordHash) {
            try await store.replaceHash(of: account.user.id, by: try await hasher.hash(login.password.raw))
        }
        return account.user
    }

    private func rotate(_ token: RefreshToken) async throws -> (user: User, successor: RefreshToken) {
        let successor = policy.tokens.successor(of: token)
        let rotation = try await database.transaction { transaction in
            try await SessionStore(transaction).rotate(
                token, to: successor, at: clock.now, lifetime: policy.refreshLifetime, grace: policy.refreshGrace)
        }
        // Thrown outside of the transaction: the revocation of a reused family must be kept.
        guard case .rotated(let account) = rotation else { throw rotation.failure }
        return (try await AccountStore(database).find(account), successor)
    }

    private func reply(to user: User, _ wantsCookie: Bool) async throws -> Reply<Session> {
        let token = RefreshToken.random()
        try await database.transaction { transaction in
            try await SessionStore(transaction).open(token, account: user.id, at: clock.now, lifetime: policy.refreshLifetime)
        }
        return try await reply(to: user, with: token, wantsCookie)
    }

    private func reply(to user: User, with token: RefreshToken, _ wantsCookie: Bool) async throws -> Reply<Session> {
        let isOperator = try await AccountStore(database).isOperator(user.id)
        let access = try await tokens.issue(to: user.id, scopes: scopes.all + (isOperator ? scopes.operators : []))
        let session = Session(
            user: user, accessToken: access, refreshToken: wantsCookie ? nil : token,
            expiresIn: Int(policy.tokens.lifetime.components.seconds))
        return Reply(session, fields: wantsCookie ? cookies.setting(token, lifetime: policy.refreshLifetime) : [.cacheControl: "no-store"])
    }
}
