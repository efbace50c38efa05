import MartletClient
import MartletContract
import MartletIdentityAPI
import MartletTestKit
import NIOHTTP1

extension TestApp {
    /// Registers with JSON of which some members differ from a proper registration; `nil` leaves one out.
    func register(_ changes: [String: JSON?] = [:], query: String = "", headers: [(String, String)] = []) async throws -> RawAnswer {
        var members: [String: JSON] = ["email": "ada@example.org", "username": "ada", "password": .string(Registration.password)]
        for (name, value) in changes { members[name] = value }
        return try await post("register\(query)", .object(members.map { JSON.Member($0.key, $0.value) }), headers: headers)
    }

    func logIn(_ login: String, _ password: String, query: String = "", headers: [(String, String)] = []) async throws -> RawAnswer {
        try await post("login\(query)", ["login": .string(login), "password": .string(password)], headers: headers)
    }

    func refresh(_ token: String) async throws -> RawAnswer {
        try await post("refresh", ["refresh_token": .string(token)])
    }

    func logOut(_ token: String) async throws -> RawAnswer {
        try await post("logout", ["refresh_token": .string(token)])
    }

    func me(_ token: String?) async throws -> RawAnswer {
        try await raw(.GET, "/api/v1/auth/me", token: token)
    }

    /// The refresh token of a new account.
    func newRefreshToken(_ name: String = "ada") async throws -> String {
        try await client.register(.of(name)).refreshToken?.raw ?? ""
    }

    private func post(_ path: String, _ body: JSON, headers: [(String, String)] = []) async throws -> RawAnswer {
        try await raw(
            .POST, "/api/v1/auth/\(path)", headers: headers + [("Content-Type", "application/json")], body: try WireJSON.encode(body))
    }
}

extension RawAnswer {
    func refreshToken() throws -> String { try json()["refresh_token"]?.text ?? "" }
}
