// MartletIdentity: who people are, and how they stay logged in.

import HTTPTypes
public import Logging
public import MartletAudit
import MartletAuditAPI
public import MartletContract
public import MartletCore
public import MartletHTTP
import MartletIdentityAPI
public import MartletJobs
public import MartletSecrets
public import MartletService
public import MartletStorage
public import Metrics

/// Accounts, logins and tokens; read it first.
public struct IdentityService: Service {
    let database: any Database
    let audit: AuditLog
    let policy: IdentityPolicy
    let secrets: SecretBox
    let hasher: PasswordHasher
    private let tokens: AccessTokens
    private let apiKeys: KeyAuthentication
    /// Ends access before its tokens expire. To be loaded before anything is served.
    public let denylist: Denylist
    let cookies: RefreshCookies
    let roles: RoleCatalogue
    let clock: WallClock
    private let logins: LoginCounts
    /// When sessions and keys were last used. To be run beside the server.
    public let sightings: Sightings
    /// `nil` where no mail is sent.
    let mail: AccountMail?
    let delays: LoginDelays?

    /// - Parameters:
    ///   - tail: Where it hears whose access other instances end; it must not run yet.
    ///   - secrets: Seals what is stored and has to be read again.
    ///   - roles: What the built-in roles may do.
    ///   - mail: How people are written to; without it a forgotten password cannot be replaced, and no address verified.
    ///   - delays: What slows guesses at passwords; `nil` for nothing.
    ///   - metrics: Where logins are counted.
    ///   - logger: Where it is told that other issuers' keys cannot be had.
    public init(
        database: any Database, tail: OutboxTail, policy: IdentityPolicy, audit: AuditLog, secrets: SecretBox, roles: RoleCatalogue,
        mail: AccountMail? = nil, delays: LoginDelays? = nil, metrics: any MetricsFactory = NOOPMetricsHandler.instance,
        clock: WallClock = .system, logger: Logger = Logger(label: "martlet.identity")
    ) async throws {
        logins = LoginCounts(metrics)
        self.delays = delays
        self.database = database
        self.audit = audit
        self.policy = policy
        self.secrets = secrets
        self.clock = clock
        self.mail = mail
        sightings = Sightings(database, logger: logger)
        hasher = try PasswordHasher(policy.hashing)
        // Twice the leeway: clocks of instances differ, too.
        denylist = Denylist(database, tail: tail, lifetime: policy.longestAccess + .seconds(2 * AccessTokens.leeway), clock: clock)
        let external = Self.externalTokens(policy, database, roles, audit, clock: clock, logger: logger)
        tokens = try AccessTokens(policy.tokens, external: external, denylist: denylist, clock: clock)
        apiKeys = KeyAuthentication(tokens, KeyReader(database, roles, policy), denylist: denylist, clock: clock)
        self.roles = roles
        cookies = RefreshCookies(policy.cookies)
    }

    public var operations: [NamedOperation] {
        AccountsAPI.operations + PasswordsAPI.operations + EmailsAPI.operations + SessionsAPI.operations + APIKeysAPI.operations
            + MFAAPI.operations + KeysAPI.operations + OrganisationsAPI.operations + RolesAPI.operations + UsersAPI.operations
            + SetupAPI.operations
    }
    public static var migrations: [Migration] {
        identityMigrations + mfaMigrations + externalIdentityMigrations + roleMigrations + apiKeyMigrations + userMigrations
    }

    public var jobs: [JobHandler] { [perform(PruneSessions.self, with: database)] + mailJobs }
    public var schedules: [ScheduledJob] { [schedule("identity.prune_sessions", .cron("17 * * * *")) { PruneSessions() }] }

    /// Tells who calls by the access token of the request, or by its API key.
    public var authenticator: any Authenticator {
        RecentAuthentication(authenticator: SeeingCallers(apiKeys, sightings, clock), database: database, clock: clock)
    }

    /// Reads the files of token keys anew. Throws a `Failure` that says what is wrong with them, and then keeps what it had. Safe to repeat.
    public func reloadKeys() throws { try tokens.reloadKeys() }

    /// Who may do everything.
    public var operators: Operators { Operators(denylist, roles, audit) }

    public var routes: [Route] {
        accountRoutes + passwordRoutes + emailRoutes + sessionRoutes + apiKeyRoutes + mfaRoutes + [keysRoute(tokens)]
            + organisationRoutes + roleRoutes + userRoutes + [setupRoute]
    }

    private var accountRoutes: [Route] {
        [
            serve(open: AccountsAPI.register) { registration, call in
                try cookies.checkOrigin(of: call.request, isCookie: registration.cookie == true)
                try await call.limit(account: registration.email.raw)
                let account = try await register(registration)
                return try await reply(to: account, registration.cookie == true, call)
            },
            serve(open: AccountsAPI.login) { login, call in
                try cookies.checkOrigin(of: call.request, isCookie: login.cookie == true)
                let account = try await logins.counting {
                    guard let delays else { return try await authenticate(login) }
                    return try await delays.attempt(login.login.raw, from: call.client) {
                        try await authenticate(login)
                    } onWait: {
                        audit.note(AuditEvent(.loginDelayed, outcome: .refused))
                    }
                }
                return try await answer(to: account, login, call)
            },
            serve(open: AccountsAPI.refresh) { refresh, call in
                let given = try cookies.token(of: call.request, orGiven: refresh.refreshToken)
                let rotation = try await rotate(given.token)
                return try await reply(to: rotation.user, of: rotation.session, with: rotation.successor, given.isCookie)
            },
            serve(open: AccountsAPI.logout) { refresh, call in
                let given = try cookies.token(of: call.request, orGiven: refresh.refreshToken)
                try await end(given.token)
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
        return try await database.transaction(isolation: .readCommitted) { transaction in
            let user = try await AccountStore(transaction).insert(
                registration.email, registration.username, registration.name, passwordHash: hash, at: clock.now)
            try await mail?.enqueue(.verifyEmail, to: user.id, at: clock.now, in: transaction)
            try await audit.record(AuditEvent(.registered, on: .account(user.id)), in: transaction)
            return user
        }
    }

    /// Takes the same time for accounts that do not exist: a hash is computed either way.
    private func authenticate(_ login: Login) async throws -> AccountStore.Credentials {
        let store = AccountStore(database)
        let account = try await store.credentials(for: login.login.raw)
        let isRight = try await hasher.verify(login.password.raw, against: account?.passwordHash)
        guard let account, let known = account.passwordHash, isRight else {
            audit.note(.loginFailed(as: account?.user.id))
            throw Self.wrongCredentials
        }
        guard account.disabledAt == nil else {
            audit.note(.loginRefused(to: account.user.id))
            throw AccountStore.disabled
        }
        guard try hasher.isOutdated(known, matchedBy: login.password.raw) else { return account }
        let hash = try await hasher.hash(login.password.raw)
        // Somebody else may have replaced it meanwhile: by another hash of the same password, or by that of a new one.
        guard try await store.replaceHash(of: account.user.id, known, by: hash) else { return try await authenticate(login) }
        return AccountStore.Credentials(user: account.user, passwordHash: hash)
    }

    static let wrongCredentials = Failure.unauthenticated("invalid_credentials", "The login or the password is wrong.")

    private typealias Rotated = (user: User, session: Identifier<LoginSession>, successor: RefreshToken)

    private func rotate(_ token: RefreshToken) async throws -> Rotated {
        let successor = policy.tokens.successor(of: token)
        let (rotation, revocation) = try await database.transaction { transaction -> (SessionStore.Rotation, Revocation?) in
            let rotation = try await SessionStore(transaction).rotate(
                token, to: successor, at: clock.now, lifetime: policy.refreshLifetime, grace: policy.refreshGrace)
            guard case .reused(let session) = rotation else { return (rotation, nil) }
            let revocation = try await endAccess(by: session, in: transaction)
            try await audit.record(.ended(session, .refreshTokenReused, .refused, in: transaction), in: transaction)
            return (rotation, revocation)
        }
        if let revocation { denylist.apply(revocation) }
        // Thrown outside of the transaction: the revocation of a reused family must be kept.
        guard case .rotated(let account, let session) = rotation else { throw rotation.failure }
        return (try await AccountStore(database).find(account), session, successor)
    }

    /// Ends the session of a refresh token, and the access that it gave.
    private func end(_ token: RefreshToken) async throws {
        let revocation = try await database.transaction { transaction -> Revocation? in
            guard let session = try await SessionStore(transaction).revokeFamily(of: token, at: clock.now) else { return nil }
            let revocation = try await endAccess(by: session, in: transaction)
            try await audit.record(.ended(session, .loggedOut, in: transaction), in: transaction)
            return revocation
        }
        if let revocation { denylist.apply(revocation) }
    }

    func endAccess(by session: Identifier<LoginSession>, in transaction: any Transaction) async throws -> Revocation {
        let revocation = denylist.revocation(of: session)
        try await revocation.store(in: transaction)
        return revocation
    }

    /// - Parameters:
    ///   - hash: Of the password that proved who it is; a session begins only while the account has it still.
    ///   - event: What the audit log is to say of it.
    func reply(
        to user: User, _ wantsCookie: Bool, _ call: Call, provenBy hash: String? = nil, recording event: AuditEvent? = nil
    ) async throws -> Reply<Session> {
        let token = RefreshToken.random()
        let session = try await beginSession(with: token, of: user.id, from: SessionOrigin(call), recording: event) { transaction in
            if let hash, try await !AccountStore(transaction).has(hash, user.id) { throw Self.wrongCredentials }
            return .password(at: clock.now)
        }
        return try await reply(to: user, of: session, with: token, wantsCookie)
    }

    func reply(
        to user: User, of family: Identifier<LoginSession>, with token: RefreshToken, _ wantsCookie: Bool
    ) async throws -> Reply<Session> {
        let (access, entitlements) = try await accessToken(of: user.id, in: family)
        let session = Session(
            user: user, accessToken: access, refreshToken: wantsCookie ? nil : token,
            expiresIn: Int(policy.tokens.lifetime.components.seconds), mfaSetupRequired: entitlements.lacksSecondFactor ? true : nil)
        return Reply(session, fields: wantsCookie ? cookies.setting(token, lifetime: policy.refreshLifetime) : [.cacheControl: "no-store"])
    }

    /// A token that says what holds now, dated before that is read: see ``Denylist/changingPermissions(onlyGiving:_:)``.
    func accessToken(of account: Identifier<Account>, in session: Identifier<LoginSession>) async throws -> (String, Entitlements) {
        let now = clock.now
        let entitlements = try await Entitlements.of(account, in: session, roles, policy, database)
        let proof = try await SessionProofStore(database).proof(of: session)
        return (try await tokens.issue(to: account, session: session, entitlements, proof: proof, at: now), entitlements)
    }
}
