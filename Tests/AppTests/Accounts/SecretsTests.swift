import Foundation
import MartletApp
import MartletClient
import MartletContract
import MartletCore
import MartletIdentityAPI
import MartletSettings
import MartletStorage
import MartletTestKit
import NIOHTTP1
import Testing

@Suite struct SecretsInMemory {
    private static let canary = "canaryCANARYcanaryCANARYcanaryCANARYcanaryC"

    static func secrets() throws -> [any Sendable] {
        let token = try RefreshToken(canary.replacing(/C$/, with: "A"))
        let (password, given) = (try Password(canary), try GivenPassword(canary))
        return [
            password, given, token, Refresh(refreshToken: token), [password], ["password": given] as [String: GivenPassword],
            Login(login: try LoginName("ada"), password: given), Optional(token) as RefreshToken?,
            Registration(email: try EmailAddress("ada@example.org"), username: try Username("ada"), password: password),
        ]
    }

    @Test func noDescriptionShowsThem() throws {
        for secret in try Self.secrets() {
            var dumped = ""
            dump(secret, to: &dumped)
            for text in ["\(secret)", String(describing: secret), String(reflecting: secret), dumped] {
                #expect(!text.contains("canary"), "\(type(of: secret))")
            }
        }
    }

    @Test func noMirrorShowsThem() throws {
        for secret in try Self.secrets() { #expect(!Self.isFound("canary", in: secret), "\(type(of: secret))") }
    }

    private static func isFound(_ text: String, in value: Any) -> Bool {
        if let string = value as? String, string.contains(text) { return true }
        return Mirror(reflecting: value).children.contains { isFound(text, in: $0.value) }
    }
}

@Suite(.everyDatabase) struct SecretsAtRest {
    @Test func whatIsStoredHoldsNoPasswordAndNoToken() async throws {
        try await withApp { app in
            let session = try await app.client.register(.of("adalovelace"))
            let first = try #require(session.refreshToken)
            let second = try RefreshToken(try await app.refresh(first.raw).refreshToken())
            let stored = try await Self.stored(by: app)
            #expect(stored.contains(Array("adalovelace@example.org".utf8)), "These are the bytes of the database.")
            for secret in [Registration.password, first.raw, second.raw, session.accessToken] {
                #expect(!stored.contains(Array(secret.utf8)))
            }
            for token in [first, second] { #expect(!stored.contains(try #require(Base64URL.decode(token.raw)))) }
        }
    }

    static func stored(by app: TestApp) async throws -> [UInt8] {
        Engine.current == .sqlite ? try files(in: app.folder) : try await rows(in: app.app.database)
    }

    /// The bytes of all files of the database, its log included.
    private static func files(in folder: String) throws -> [UInt8] {
        let files = try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasPrefix("martlet.db") }
        return try files.flatMap { try Data(contentsOf: URL(fileURLWithPath: "\(folder)/\($0)")) }
    }

    /// Every row as PostgreSQL writes it, and the bytes of those columns that it writes as `\x…`.
    private static func rows(in database: any Database) async throws -> [UInt8] {
        let tables = try await database.all(
            String.self, "SELECT table_name::text FROM information_schema.tables WHERE table_schema = current_schema()")
        var text = ""
        for table in tables {
            text += try await database.all(String.self, "SELECT t::text FROM \(unsafeRaw: table) t").joined(separator: "\n")
        }
        return Array(text.utf8) + text.matches(of: /\\x([0-9a-f]+)/).flatMap { bytes(ofHex: $0.1) }
    }

    private static func bytes(ofHex digits: Substring) -> [UInt8] {
        zip(digits.utf8, digits.utf8.dropFirst()).enumerated().compactMap { index, pair in
            index.isMultiple(of: 2) ? UInt8(String(decoding: [pair.0, pair.1], as: UTF8.self), radix: 16) : nil
        }
    }
}

@Suite(.everyDatabase) struct SecretsInTheLog {
    @Test func evenAtTheFinestLevelThereAreNone() async throws {
        let log = LinesOfLog()
        var secrets = [Registration.password, "another canary password"]
        try await withApp(logger: log.logger, change: { $0.slowStatement = .zero }) { app in
            let headers = [("Origin", app.baseURL)]
            let session = try await app.client.register(.of("ada"))
            let refresh = try #require(session.refreshToken).raw
            secrets += [session.accessToken, refresh]
            secrets += [app.app.settings.jwtSecretKey.unsafeReveal(), app.app.settings.secretKey.unsafeReveal()]
            _ = try await app.logIn("ada", "another canary password")
            _ = try await app.logIn("another canary password", "another canary password")
            _ = try await app.register(["password": "another canary password", "another canary password": 1])
            _ = try await app.me(session.accessToken)
            _ = try await app.me(String(session.accessToken.dropLast()))
            secrets.append(try await app.refresh(refresh).refreshToken())
            let cookie = try await app.logIn("ada", Registration.password, query: "?cookie=true", headers: headers)
            let pair = try #require(cookie.headers.first(name: "Set-Cookie")?.split(separator: ";").first.map(String.init))
            secrets.append(String(pair.dropFirst("martlet_refresh=".count)))
            _ = try await app.raw(.POST, "/api/v1/auth/refresh", headers: headers + [("Cookie", pair)])
            _ = try await app.raw(.POST, "/api/v1/auth/refresh?refresh_token=\(refresh)")
            _ = try await app.logOut(refresh)
        }
        #expect(log.lines.contains { $0.text.contains("INSERT INTO account") }, "Statements were logged.")
        #expect(log.answers(to: "/api/v1/auth/login") == 3)
        for secret in secrets {
            #expect(secret.count > 15)
            #expect(!log.lines.contains { $0.text.contains(secret.dropLast()) })
        }
    }
}

extension [UInt8] {
    func contains(_ part: [UInt8]) -> Bool { Data(self).range(of: Data(part)) != nil }
}
