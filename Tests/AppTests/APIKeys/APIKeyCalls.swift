import MartletContract
import MartletCore
import MartletIdentityAPI
import MartletTestKit
import NIOHTTP1
import Testing

extension TestApp {
    func createKey(_ token: String?, _ changes: [String: JSON] = [:], headers: [(String, String)] = []) async throws -> RawAnswer {
        let members = ["name": "import"].merging(changes) { $1 }
        return try await post("api-keys", .object(members.map { JSON.Member($0.key, $0.value) }), token: token, headers: headers)
    }

    /// A key that may do these things, or whatever its owner may.
    func newKey(_ token: String, _ permissions: [String]? = nil, named name: String = "import") async throws -> IssuedAPIKey {
        var changes: [String: JSON] = ["name": .string(name)]
        if let permissions { changes["permissions"] = .array(permissions.map { .string($0) }) }
        return try issued(try await createKey(token, changes))
    }

    func keys(_ token: String) async throws -> [OwnAPIKey] {
        try WireJSON.decode(APIKeyList.self, from: try await raw(.GET, "/api/v1/auth/api-keys", token: token).bytes).keys
    }

    func revokeKey(_ id: Identifier<APIKey>, _ token: String) async throws -> RawAnswer {
        try await raw(.DELETE, "/api/v1/auth/api-keys/\(id)", token: token)
    }

    func rotateKey(_ id: Identifier<APIKey>, _ token: String, overlap: Int? = nil) async throws -> RawAnswer {
        try await raw(
            .POST, "/api/v1/auth/api-keys/\(id)/rotate", token: token, json: overlap.map { #"{"overlap_seconds":\#($0)}"# } ?? "{}")
    }

    func issued(_ answer: RawAnswer) throws -> IssuedAPIKey {
        try #require(answer.status == 201, "\(answer.text)")
        return try WireJSON.decode(IssuedAPIKey.self, from: answer.bytes)
    }

    /// Asks with a key; which of several instances answers changes from one request to the next.
    func get(_ path: String = "/api/v1/auth/me", key: String) async throws -> RawAnswer {
        try await raw(.GET, path, headers: [("X-API-Key", key)])
    }

    /// Whether every instance answers a key so.
    func answers(_ key: String, _ status: Int, to path: String = "/api/v1/auth/me") async throws -> Bool {
        let asked = try await (get(path, key: key), get(path, key: key))
        return asked.0.status == status && asked.1.status == status
    }
}
