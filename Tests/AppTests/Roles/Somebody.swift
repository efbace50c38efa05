import MartletApp
import MartletClient
import MartletContract
import MartletCore
import MartletIdentity
import MartletIdentityAPI
import MartletTestKit
import NIOHTTP1

/// An account, a client that stays logged in to it, and the access token of its first login, which nothing refreshes.
struct Somebody: Sendable {
    let id: Identifier<Account>
    let token: String
    let client: MartletClient
}

extension TestApp {
    func somebody(_ name: String) async throws -> Somebody {
        let client = self.client
        let session = try await client.register(.of(name))
        return Somebody(id: session.user.id, token: session.accessToken, client: client)
    }

    /// Somebody with the role `admin`.
    func administrator(_ name: String = "grace") async throws -> Somebody {
        let new = try await somebody(name)
        try await app.operators.appoint(name)
        return Somebody(id: new.id, token: try await token(of: name), client: new.client)
    }

    /// A new access token of an account.
    func token(of name: String) async throws -> String {
        let login = Login(login: try LoginName(name), password: try GivenPassword(Registration.password))
        return try await client.logIn(login).accessToken
    }
}

extension Somebody {
    @discardableResult
    func give(_ roles: [String], to account: Identifier<Account>) async throws -> RolesOfAccount {
        let names = RoleNames(try roles.map { try RoleName($0) })
        return try await client.send(RolesAPI.assign, RoleAssignment(id: account, roles: names))
    }

    @discardableResult
    func createRole(_ name: String, _ permissions: Permission...) async throws -> Role {
        try await client.send(RolesAPI.create, NewRole(name: try RoleName(name), permissions: PermissionList(permissions)))
    }

    func changeRole(_ name: String, _ permissions: Permission...) async throws {
        _ = try await client.send(RolesAPI.change, RoleChange(name: try RoleName(name), permissions: PermissionList(permissions)))
    }

    func permissions(of account: Identifier<Account>) async throws -> [Permission] {
        try await client.send(RolesAPI.held, AccountReference(id: account)).permissions.all
    }
}

extension RolesOfAccount {
    var names: [String] { roles.all.map(\.raw) }
}

/// What an access token says, as whoever has it can read it.
struct TokenClaims {
    let organisation: String?
    let permissions: Set<String>

    init(_ token: String) throws {
        let parts = token.split(separator: ".")
        let claims = try WireJSON.parse(Base64URL.decode(parts[1]) ?? [])
        organisation = claims["org"]?.text
        permissions = Set((claims["scope"]?.text ?? "").split(separator: " ").map(String.init))
    }
}
