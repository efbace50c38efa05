import Crypto
import Foundation
import MartletContract
import MartletCore
import MartletIdentityAPI
import MartletSettings
import MartletTestKit

@testable import MartletIdentity

/// A key of an issuer: what it signs, and how it is published.
struct IssuerKey: Sendable {
    let algorithm: String
    let id: String
    let published: JSON
    let sign: @Sendable (Data) throws -> [UInt8]

    static func p256() throws -> IssuerKey {
        let key = P256.Signing.PrivateKey()
        return try IssuerKey("ES256", PublishedKey(key.publicKey)) { Array(try key.signature(for: $0).rawRepresentation) }
    }

    static func ed25519() throws -> IssuerKey {
        let key = Curve25519.Signing.PrivateKey()
        return try IssuerKey("EdDSA", PublishedKey(key.publicKey)) { Array(try key.signature(for: $0)) }
    }

    private init(_ algorithm: String, _ key: PublishedKey, _ sign: @escaping @Sendable (Data) throws -> [UInt8]) throws {
        (self.algorithm, id, self.sign) = (algorithm, key.kid, sign)
        published = try WireJSON.parse(WireJSON.encode(key))
    }
}

/// An issuer with the server that publishes its keys, and an application that takes its tokens.
struct TestIssuer: Sendable {
    static let name = "https://issuer.example/"
    static let audience = "https://api.example"

    let app: TestApp
    let server: KeySetServer
    let clock: MovableClock
    let key: IssuerKey

    /// A token that is accepted: of that subject, issued now.
    func token(_ subject: String = "auth0|ada", key: IssuerKey? = nil) -> ForgedToken {
        let key = key ?? self.key
        var token = ForgedToken(for: subject, at: clock.now, key: [])
        token.header = #"{"alg":"\#(key.algorithm)","typ":"JWT","kid":"\#(key.id)"}"#
        token.sign = key.sign
        token.claim("iss", .string(Self.name))
        token.claim("aud", .string(Self.audience))
        token.claim("scope", nil)
        token.claim("email", .string("\(subject.replacing(/[^a-z0-9]/, with: "."))@example.org"))
        token.claim("email_verified", true)
        token.claim("preferred_username", .string(subject.replacing(/[^a-z0-9]/, with: "-")))
        return token
    }

    /// Runs an application that takes the tokens of an issuer with this key.
    ///
    /// - Parameter members: What else its setting says.
    static func with(
        _ key: IssuerKey? = nil, algorithms: String = #"["ES256", "EdDSA", "RS256"]"#, members: String = "",
        environment: [String: String] = [:],
        _ body: (TestIssuer) async throws -> Void
    ) async throws {
        let key = try key ?? .p256()
        try await KeySetServer.with { server in
            try server.publish(key.published)
            let setting = """
                [{"issuer": "\(name)", "audience": "\(audience)", "algorithms": \(algorithms), "jwks_url": "\(server.url)"\(members)}]
                """
            try await withIssuers(setting, environment) { (app, clock) async throws in
                try await body(TestIssuer(app: app, server: server, clock: clock, key: key))
            }
        }
    }

    /// Runs an application with this setting of issuers.
    static func withIssuers(
        _ setting: String, _ environment: [String: String] = [:], _ body: (TestApp, MovableClock) async throws -> Void
    ) async throws {
        let (folder, clock) = (try TemporaryFolder(), MovableClock())
        defer { folder.remove() }
        let settings = try folder.settings(environment.merging(["AUTH_ISSUERS": setting]) { $1 })
        try await withRunningApp(settings, folder: folder.path, clock: clock.reading) { (app) async throws in try await body(app, clock) }
    }
}
