import Foundation
import MartletApp
import MartletClient
import MartletContract
import MartletCore
import MartletIdentityAPI
import MartletTestKit
import MartletTestSupport
import NIOHTTP1
import Testing

extension TestApp {
    func user(
        _ change: String = "", of id: some CustomStringConvertible, _ method: HTTPMethod = .POST, by token: String
    ) async throws -> RawAnswer {
        try await raw(method, "/api/v1/admin/users/\(id)\(change)", token: token)
    }

    /// What an administrator finds, by its query.
    func users(_ query: String, by token: String) async throws -> Page<ManagedUser> {
        let answer = try await raw(.GET, "/api/v1/admin/users\(query)", token: token)
        try #require(answer.status == 200, "\(answer.text)")
        return try WireJSON.decode(Page<ManagedUser>.self, from: answer.bytes)
    }

    func usernames(_ query: String, by token: String) async throws -> Set<String> {
        Set(try await users(query, by: token).items.map(\.username.raw))
    }

    func createUser(_ json: String, by token: String) async throws -> RawAnswer {
        try await raw(.POST, "/api/v1/admin/users", token: token, json: json)
    }

    /// Somebody with a role of their own that gives these.
    func somebody(_ name: String, with permissions: [Permission], from admin: Somebody) async throws -> Somebody {
        let new = try await somebody(name)
        _ = try await admin.client.send(
            RolesAPI.create, NewRole(name: try RoleName("role_of_\(name)"), permissions: PermissionList(permissions)))
        try await admin.give(["member", "role_of_\(name)"], to: new.id)
        return Somebody(id: new.id, token: try await token(of: name), client: new.client)
    }
}

/// The executable that was built beside the tests.
enum MartletCommand {
    static var executable: String {
        get throws {
            let tests = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
            let candidates = [tests, Checkout.root.appending(path: ".build/debug")].map { $0.appending(path: "martlet").path }
            return try #require(candidates.first { FileManager.default.isExecutableFile(atPath: $0) }, "`swift build` makes it.")
        }
    }

    /// On the database of an app on SQLite.
    static func run(_ arguments: [String], input: String = "", in app: TestApp) async throws -> Program.Outcome {
        let settings = ["--environment", "test", "--database-url", "sqlite://\(app.folder)/martlet.db"]
        return try await Program.run([try executable] + arguments + settings, input: input, in: app.folder)
    }
}
