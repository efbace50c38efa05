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

    func changePassword(_ token: String?, from old: String = Registration.password, to new: String) async throws -> RawAnswer {
        try await post("password", ["current_password": .string(old), "new_password": .string(new)], token: token)
    }

    func forgetPassword(_ email: String = "ada@example.org") async throws -> RawAnswer {
        try await post("password/forgot", ["email": .string(email)])
    }

    func resetPassword(_ token: String, to new: String) async throws -> RawAnswer {
        try await post("password/reset", ["token": .string(token), "new_password": .string(new)])
    }

    func verifyEmail(_ token: String) async throws -> RawAnswer {
        try await post("email/verify", ["token": .string(token)])
    }

    func askForVerification(_ token: String?) async throws -> RawAnswer {
        try await raw(.POST, "/api/v1/auth/email/verify/resend", token: token)
    }

    func sessions(_ token: String?) async throws -> [ActiveSession] {
        try WireJSON.decode(ActiveSessions.self, from: try await raw(.GET, "/api/v1/auth/sessions", token: token).bytes).sessions
    }

    func endSession(_ id: some CustomStringConvertible, _ token: String?) async throws -> RawAnswer {
        try await raw(.DELETE, "/api/v1/auth/sessions/\(id)", token: token)
    }

    func endSessions(_ query: String = "", _ token: String?) async throws -> RawAnswer {
        try await raw(.DELETE, "/api/v1/auth/sessions\(query)", token: token)
    }

    func post(_ path: String, _ body: JSON, token: String? = nil, headers: [(String, String)] = []) async throws -> RawAnswer {
        try await raw(
            .POST, "/api/v1/auth/\(path)", token: token, headers: headers + [("Content-Type", "application/json")],
            body: try WireJSON.encode(body))
    }
}

extension RawAnswer {
    func refreshToken() throws -> String { try json()["refresh_token"]?.text ?? "" }
}
