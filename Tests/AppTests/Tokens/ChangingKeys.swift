import Foundation
import MartletApp
import MartletClient
import MartletContract
import MartletCore
import MartletIdentityAPI
import MartletSettings
import MartletTestKit
import MartletWire
import NIOHTTP1
import Testing

@testable import MartletIdentity

/// Keys change while tokens are about: what was signed before stays good for as long as the settings say.
@Suite("Changing the keys of tokens", .everyDatabase) struct ChangingKeys {
    private static let secrets = ["the first secret of thirty-two bytes", "the second secret of thirty-two bytes"].map { Secret($0) }

    @Test func fromOneSecretToAnother() async throws {
        try await withApp(change: { $0.jwtSecretKey = Self.secrets[0] }) { app in
            let token = try await app.token()
            try await app.restarted { settings in
                settings.jwtSecretKey = Self.secrets[1]
                settings.jwtPreviousSecretKeys = [Self.secrets[0]]
            } _: { (app) async throws in
                #expect(try await app.me(token).status == 200)
                let next = try await app.logIn()
                #expect(try await app.me(next).status == 200)
                try await app.restarted {
                    $0.jwtPreviousSecretKeys = nil
                } _: { (app) async throws in
                    #expect(try await app.me(token).status == 401)
                    #expect(try await app.me(next).status == 200)
                }
            }
        }
    }

    @Test func fromASecretToAFileAndToTheNext() async throws {
        try await withApp(change: { $0.jwtSecretKey = Self.secrets[0] }) { app in
            let files = [try PEM.p256().write(to: app.folder, "first.pem"), try PEM.ed25519().write(to: app.folder, "second.pem")]
            let bySecret = try await app.token()
            #expect(try await app.publishedKeys().keys.isEmpty)
            try await app.restarted { settings in
                settings.jwtKeyFiles = files
                settings.jwtPreviousSecretKeys = [Self.secrets[0]]
            } _: { (app) async throws in
                let byFirst = try await app.logIn()
                #expect(try await app.publishedKeys().keys.map(\.alg) == ["ES256", "EdDSA"])
                let kid = try await app.publishedKeys().keys[0].kid
                #expect(try Self.header(of: byFirst)["kid"]?.text == kid)
                #expect(try Self.header(of: byFirst)["alg"] == "ES256")
                for token in [bySecret, byFirst] { #expect(try await app.me(token).status == 200) }
                try await app.restarted { settings in
                    settings.jwtKeyFiles = files.reversed()
                    settings.jwtPreviousSecretKeys = nil
                } _: { (app) async throws in
                    let bySecond = try await app.logIn()
                    #expect(try Self.header(of: bySecond)["alg"] == "EdDSA")
                    for token in [byFirst, bySecond] { #expect(try await app.me(token).status == 200) }
                    #expect(try await app.me(bySecret).status == 401, "the secret signs nothing any more where files do")
                    try await app.restarted {
                        $0.jwtKeyFiles = [files[1]]
                    } _: { (app) async throws in
                        #expect(try await app.me(byFirst).status == 401)
                        #expect(try await app.me(bySecond).status == 200)
                    }
                }
            }
        }
    }

    @Test func byReadingTheFilesAnew() async throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        let path = try PEM.p256().write(to: folder.path, "key.pem")
        try await withApp(change: { $0.jwtKeyFiles = [path] }) { app in
            let (old, before) = (try await app.token(), try await app.publishedKeys())
            #expect(try await app.me(old).status == 200)
            try Data("nonsense".utf8).write(to: URL(filePath: path))
            for instance in app.instances { #expect(instance.reloads.run().map(\.what) == ["token keys"]) }
            #expect(try await app.me(old).status == 200)
            #expect(try await app.publishedKeys() == before)
            _ = try PEM.ed25519().write(to: folder.path, "key.pem")
            for instance in app.instances { #expect(instance.reloads.run().isEmpty) }
            #expect(try await app.publishedKeys() != before)
            #expect(try await app.me(old).status == 401, "it was remembered, and its key is gone")
            #expect(try await app.me(try await app.logIn()).status == 200)
        }
    }

    @Test func andOthersCheckTokensWithWhatIsPublished() async throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        let path = try PEM.ed25519().write(to: folder.path, "key.pem")
        try await withApp(change: { $0.jwtKeyFiles = [path] }) { app in
            let answer = try await app.raw(.GET, "/.well-known/jwks.json")
            #expect(answer.headers.first(name: "Cache-Control") == "public, max-age=300")
            #expect(answer.headers.first(name: "Content-Type") == "application/json")
            let keys = try await KeySet.keys(in: answer.bytes, allowing: [.edDSA])
            let token = try CompactToken(try await app.token())
            #expect(keys[try #require(token.keyID)]?.signed(token) == true)
            for part in ["\"d\"", "PRIVATE"] { #expect(!answer.text.contains(part)) }
        }
    }

    /// What anybody can read, taken for a secret (RFC 8725 §2.1), and keys that a token brings along.
    @Test func andNothingElseSigns() async throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        let path = try PEM.p256().write(to: folder.path, "key.pem")
        let clock = MovableClock()
        try await withApp(clock: clock.reading, change: { $0.jwtKeyFiles = [path] }) { app in
            let account = try await app.client.register(.of("ada")).user.id.description
            let kid = try await app.publishedKeys().keys[0].kid
            let published = try await app.raw(.GET, "/.well-known/jwks.json").bytes
            let pem = try String(contentsOfFile: path, encoding: .utf8)
            let secrets = [app.app.settings.jwtSecretKey.unsafeRevealBytes(), published, Array(pem.utf8), Array(kid.utf8), []]
            for secret in secrets {
                for header in [#"{"alg":"HS256","typ":"JWT"}"#, #"{"alg":"HS256","typ":"JWT","kid":"\#(kid)"}"#] {
                    var token = ForgedToken(for: account, at: clock.now, key: secret)
                    token.header = header
                    #expect(try await app.me(token.text).status == 401, "\(header)")
                }
            }
            let own = try IssuerKey.p256()
            let embedded = String(decoding: try WireJSON.encode(own.published), as: UTF8.self)
            for header in [#""kid":"\#(own.id)""#, #""kid":"\#(kid)""#, #""kid":"\#(kid)","jwk":\#(embedded)"#] {
                var token = ForgedToken(for: account, at: clock.now, key: [])
                (token.header, token.sign) = (#"{"alg":"ES256","typ":"JWT",\#(header)}"#, own.sign)
                #expect(try await app.me(token.text).status == 401, "\(header)")
            }
        }
    }

    private static func header(of token: String) throws -> JSON {
        try WireJSON.parse(try #require(token.split(separator: ".").first.flatMap { Base64URL.decode($0) }))
    }
}

extension TestApp {
    /// Another application with this one's data, as after a restart with other settings.
    fileprivate func restarted(_ change: (inout Settings) -> Void, _ body: (TestApp) async throws -> Void) async throws {
        var settings = app.settings
        change(&settings)
        try await withRunningApp(settings, folder: folder) { (app) async throws in try await body(app) }
    }

    fileprivate func publishedKeys() async throws -> PublishedKeys {
        try WireJSON.decode(PublishedKeys.self, from: try await raw(.GET, "/.well-known/jwks.json").bytes)
    }

    /// The access token of a new session of `ada`.
    fileprivate func logIn() async throws -> String {
        try #require(try await logIn("ada", Registration.password).json()["access_token"]?.text)
    }
}
