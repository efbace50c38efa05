import HTTPTypes
import MartletAudit
import MartletAuditAPI
import MartletContract
import MartletCore
import MartletHTTP
public import MartletIdentityAPI
import MartletStorage

/// The first administrator: there is nobody yet who could appoint one.
extension IdentityService {
    var setupRoute: Route {
        serve(open: SetupAPI.complete) { first, _ in
            Reply(try await completeSetup(first), fields: [.cacheControl: "no-store"])
        }
    }

    /// Makes a token for the first administrator, in place of an older one, unless there is an administrator. Of instances that start together
    /// one has it.
    ///
    /// It is returned this once, good for one use within a day. Throws `unavailable` when the database is away.
    public func offerSetup() async throws -> SetupOffer {
        let token = SetupToken.random()
        if try await SetupStore(database).put(token, at: clock.now) { return .token(token) }
        return try await isUnclaimed ? .offeredElsewhere : .needless
    }

    /// Whether nobody has the role `admin` yet.
    var isUnclaimed: Bool {
        get async throws { try await !RoleStore(database, roles).hasAdministrator() }
    }

    private func completeSetup(_ first: FirstAdministrator) async throws -> User {
        // Asked for first, so that a token that is none costs no hash, and a password that is refused no token.
        guard try await isUnclaimed else { throw Self.setupDone }
        guard try await SetupStore(database).holds(first.token, at: clock.now) else { throw Self.noSetupToken }
        try PasswordRules.check(first.password, ofOwner: first.email, first.username, first.name, at: "/password")
        let hash = try await hasher.hash(first.password.raw)
        return try await database.transaction(isolation: .readCommitted) { transaction in
            try await claim(first, passwordHash: hash, in: transaction)
        }
    }

    private func claim(_ first: FirstAdministrator, passwordHash: String, in transaction: any Transaction) async throws -> User {
        let hasToken = try await SetupStore(transaction).redeem(first.token, at: clock.now)
        let store = RoleStore(transaction, roles)
        // Who comes second has waited for the token, and sees what became of it.
        guard try await !store.hasAdministrator() else { throw Self.setupDone }
        guard hasToken else { throw Self.noSetupToken }
        let user = try await AccountStore(transaction).insert(
            first.email, first.username, first.name, passwordHash: passwordHash, at: clock.now)
        try await store.assign(.administrators, to: user.id)
        try await mail?.enqueue(.verifyEmail, to: user.id, at: clock.now, in: transaction)
        try await audit.record(
            AuditEvent(.setupCompleted, on: .account(user.id), after: ["roles": .texts(RoleNames.administrators.all.map(\.raw))]),
            in: transaction)
        return user
    }

    private static let setupDone = Failure.conflict("setup_done", "There is an administrator: log in, or ask them.")
    private static let noSetupToken = Failure.unauthenticated(
        "invalid_setup_token", "The token was used, replaced by that of a later start, or is too old: start the server again.")
}

/// What a server that starts has for the first administrator.
public enum SetupOffer: Sendable, Equatable {
    case token(SetupToken)
    /// Another start made a token within the last minute, and that one counts.
    case offeredElsewhere
    /// There is an administrator.
    case needless
}

extension RoleNames {
    /// The roles of an account that is made for somebody who may do everything.
    public static let administrators = RoleNames([RoleName(.admin), RoleName(.member)])
}
