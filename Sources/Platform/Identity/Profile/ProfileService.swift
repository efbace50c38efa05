import Foundation
import MartletAudit
import MartletAuditAPI
public import MartletContract
public import MartletCore
public import MartletHTTP
import MartletIdentityAPI
public import MartletJobs
public import MartletService
public import MartletStorage

/// What people do with their own account: look at it, change it, take all of it with them, delete it.
public struct ProfileService: Service {
    private let database: any Database
    private let identity: IdentityService
    private let enqueuing: Jobs
    /// What all services keep about people.
    let data: [PersonalData]
    private let clock: WallClock

    /// - Parameters:
    ///   - identity: Whose accounts they are.
    ///   - data: What all services keep about people: it is exported, and goes with the account.
    public init(_ identity: IdentityService, data: [PersonalData], jobs: Jobs, clock: WallClock = .system) {
        (database, self.identity, self.data, enqueuing, self.clock) = (identity.database, identity, data, jobs, clock)
    }

    public var operations: [NamedOperation] { ProfileAPI.operations }
    public static var migrations: [Migration] { [] }
    public static var tables: [StoredTable] { [] }
    public var jobs: [JobHandler] { [perform(ForgetAccount.self, with: data)] }

    public var routes: [Route] {
        [
            serve(ProfileAPI.find) { _, caller in
                try await AccountStore(database).find(caller.id)
            },
            serve(ProfileAPI.change) { change, caller in
                try await apply(change, to: caller.id)
            },
            serve(ProfileAPI.delete) { deletion, caller in
                try await delete(caller.id, knowing: deletion.password)
                return NoContent()
            },
            serve(ProfileAPI.export) { _, caller in
                AccountExport(data, of: caller.id, at: clock.now).document
            },
            serve(open: ProfileAPI.usernameAvailable) { question, _ in
                Reply(try await availability(of: question.username))
            },
        ]
    }
}

// MARK: Changing, deleting

extension ProfileService {
    private func apply(_ change: ProfileChange, to id: Identifier<Account>) async throws -> User {
        try await database.transaction(isolation: .readCommitted) { transaction in
            let old = try await AccountStore(transaction).find(id)
            let new = try await ProfileStore(transaction).change(change, of: id)
            if let event = AuditEvent.profile(from: old, to: new) { try await identity.audit.record(event, in: transaction) }
            return new
        }
    }

    private func delete(_ id: Identifier<Account>, knowing password: GivenPassword) async throws {
        let hash = try await identity.check(password, of: id)
        // Nobody signs in to it again, and a login that was under way has its token soon: those are meant, too.
        let revocation = identity.denylist.revocation(of: id, before: clock.now.addingTimeInterval(ForgetAccount.delay / .seconds(1)))
        try await database.transaction { transaction in
            let store = RoleStore(transaction, identity.roles)
            let wasAdministrator = try await store.roles(of: id).roles.all.contains(RoleName(.admin))
            try await ProfileStore(transaction).deleteOrganisations(ofNobodyBut: id)
            try await ProfileStore(transaction).delete(id, passwordHash: hash)
            if wasAdministrator { try await store.requireAdministrator() }
            for data in data { try await data.remove(of: id, in: transaction) }
            try await revocation.store(in: transaction)
            try await enqueuing.enqueue(ForgetAccount(account: id), after: ForgetAccount.delay, in: transaction)
            try await identity.audit.record(AuditEvent(.accountDeleted, on: .account(id)), in: transaction)
        }
        identity.denylist.apply(revocation)
    }
}

// MARK: Usernames

extension ProfileService {
    private static let suggestions = 3

    private func availability(of username: Username) async throws -> UsernameAvailability {
        let store = ProfileStore(database)
        guard try await !store.taken(among: [username]).isEmpty else {
            return UsernameAvailability(username: username, available: true, suggestions: [])
        }
        var free: [Username] = []
        // A popular name has most of its short numbers taken.
        for digits in 2...8 where free.count < Self.suggestions {
            let candidates = username.numbered(digits: digits, count: 2 * Self.suggestions)
            let taken = try await store.taken(among: candidates)
            free += candidates.filter { !taken.contains($0.raw.lowercased()) }
        }
        return UsernameAvailability(username: username, available: false, suggestions: Array(free.prefix(Self.suggestions)))
    }
}

extension Username {
    /// Different usernames that end in so many digits, chosen by chance; a long one is cut for them.
    fileprivate func numbered(digits: Int, count: Int) -> [Username] {
        let range = Int("1" + String(repeating: "0", count: digits - 1)).map { $0..<$0 * 10 } ?? 0..<0
        var numbers: Set<Int> = []
        while numbers.count < min(count, range.count) { numbers.insert(Int.random(in: range)) }
        return numbers.sorted().compactMap { number in
            // Letters and digits make a username.
            try? Username("\(raw.prefix(50 - digits))\(number)")
        }
    }
}
