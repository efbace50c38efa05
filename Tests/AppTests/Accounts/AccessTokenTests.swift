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

@Suite struct ForgedTokens {
    static let headers: [Forgery] = [
        .header(#"{"alg":"none","typ":"JWT"}"#, signed: .none), .header(#"{"alg":"none","typ":"JWT"}"#, signed: .sha256),
        .header(#"{"alg":"None","typ":"JWT"}"#, signed: .none), .header(#"{"alg":"HS384","typ":"JWT"}"#, signed: .sha384),
        .header(#"{"alg":"HS512","typ":"JWT"}"#, signed: .sha512), .header(#"{"alg":"HS384","typ":"JWT"}"#, signed: .sha256),
        .header(#"{"alg":"HS256","typ":"JWT"}"#, signed: .sha384), .header(#"{"alg":"RS256","typ":"JWT"}"#),
        .header(#"{"alg":"hs256","typ":"JWT"}"#), .header(#"{"alg":["HS256"],"typ":"JWT"}"#), .header(#"{"typ":"JWT"}"#),
        .header(#"{"alg":"HS256","typ":"JWT","crit":["exp"]}"#), .header(#"{"alg":"HS256","typ":"JWT","crit":["b64"],"b64":false}"#),
        .header(#"{"alg":"HS256","typ":"JWT","kid":"other"}"#), .header(#"{"alg":"HS256","typ":"JWT","kid":"../../dev/null"}"#),
        .header(#"{"alg":"HS256","typ":"JWT","jku":"https://evil.example"}"#), .header(#"{"alg":"HS256","typ":"JWT","jwk":{}}"#),
        .header(#"{"alg":"HS256","typ":"JWT","x5u":"https://evil.example"}"#), .header(#"{"alg":"HS256","typ":"JWT","zip":"DEF"}"#),
        .header(#"{"alg":"HS256","typ":"JWT","cty":"JWT"}"#), .header(#"{"alg":"HS256","typ":"JWE"}"#),
        .header(#"{"alg":"HS256","typ":1}"#),
        .header(#"{"alg":"none","alg":"HS256","typ":"JWT"}"#), .header(#"{"alg":"HS256","alg":"none","typ":"JWT"}"#),
        .header(#"{"alg":"HS256","typ":\#(String(repeating: "[", count: 1000) + String(repeating: "]", count: 1000))}"#),
        .header(String(repeating: "[", count: 2500)), .header("[]"), .header(#""HS256""#), .header("null"), .header("{"), .header(""),
    ]

    static let claims: [Forgery] = [
        .without("sub"), .without("iat"), .without("exp"), .without("iss"), .without("aud"), .without("jti"), .without("scope"),
        .claim("aud", "other"), .claim("aud", "Martlet"), .claim("aud", ""), .claim("aud", ["other"]), .claim("iss", "other"),
        .claim("iss", .null),
        .claim("sub", ""), .claim("sub", "1"), .claim("sub", "' OR 1=1"), .claim("sub", 1), .claim("sub", .null), .claim("jti", ""),
        .claim("exp", "tomorrow"), .claim("exp", .null), .claim("exp", 0), .claim("exp", -1), .claim("exp", .bool(true)),
        .claim("iat", "now"), .claim("scope", ["bookmarks:read"]), .claim("nbf", .number("1900000061")), .claim("nbf", "soon"),
        .claim("extra", .nested(100)), .claim("extra", .string(String(repeating: "x", count: 4000))),
    ]

    static let shapes: [Forgery] = [
        Forgery("another key") { $0.key = Array("another key, also of 32 or more bytes".utf8) }, Forgery("an empty key") { $0.key = [] },
        Forgery("padded segments") { $0.segment = { Data($0.utf8).base64EncodedString().paddedAtLeastOnce } },
        Forgery("the alphabet of plain base64") { $0.segment = { Base64URL.encode(Array(($0 + "   ").utf8)) + "+/" } },
        Forgery("white space in the segments") { $0.segment = { " " + Base64URL.encode(Array($0.utf8)) } },
        Forgery("a segment that is not UTF-8") { $0.segment = { Base64URL.encode(Array($0.utf8) + [0xFF]) } },
        .sent("a padded signature") { "\($0).\($1).\($2)=" }, .sent("no signature") { header, payload, _ in "\(header).\(payload)." },
        .sent("no signature and no dot") { header, payload, _ in "\(header).\(payload)" },
        .sent("a dot at the end") { "\($0).\($1).\($2)." }, .sent("a dot at the start") { ".\($0).\($1).\($2)" },
        .sent("four dots") { "\($0).\($1).\($2).\($2).\($2)" }, .sent("no payload") { header, _, signature in "\(header)..\(signature)" },
        .sent("only dots") { _, _, _ in ".." }, .sent("white space within") { "\($0) .\($1).\($2)" },
        .sent("a tab within") { "\($0).\t\($1).\($2)" },
        .sent("a short signature") { "\($0).\($1).\($2.dropLast(4))" }, .sent("a long signature") { "\($0).\($1).\($2)AAAA" },
        .sent("the unused bits of the signature set") { "\($0).\($1).\($2.withAnotherLastCharacter)" },
        .sent("nothing") { _, _, _ in "x" }, .sent("two of them") { "\($0).\($1).\($2), \($0).\($1).\($2)" },
        .sent("deep JSON, unsigned") { _, _, _ in [deep, deep, ""].joined(separator: ".") },
    ]

    private static let deep = Base64URL.encode([UInt8](repeating: UInt8(ascii: "["), count: 5000))

    @Test(arguments: headers + claims + shapes)
    func aForgedTokenIsRefused(_ forgery: Forgery) async throws {
        try await withForger { app, proper in
            var token = proper
            forgery.apply(&token)
            #expect(try await app.me(proper.text).status == 200, "The token without the fault is good.")
            let answer = try await app.me(token.text)
            #expect(answer.status == 401)
            #expect(["invalid_token", "token_expired"].contains(try answer.problem().code))
            #expect(answer.headers.first(name: "WWW-Authenticate")?.hasPrefix("Bearer") == true)
        }
    }

    @Test func anyChangedBitOfThePayloadIsNoticed() async throws {
        try await withForger { app, proper in
            let parts = try proper.text.split(separator: ".").map(String.init)
            let payload = try #require(Base64URL.decode(parts[1]))
            for index in payload.indices {
                var changed = payload
                changed[index] ^= 1
                #expect(try await app.me("\(parts[0]).\(Base64URL.encode(changed)).\(parts[2])").status == 401, "byte \(index)")
            }
        }
    }

    @Test func claimsBeyondOursDoNoHarm() async throws {
        try await withForger { app, proper in
            for (index, value) in [JSON.nested(20), .string(String(repeating: "x", count: 1500)), 1].enumerated() {
                var token = proper
                token.claim("jti", .string("token \(index)"))
                token.claim("extra", value)
                let answer = try await app.me(token.text)
                #expect(answer.status == 200)
            }
        }
    }

    @Test func aTokenWithoutThePermissionIsForbidden() async throws {
        try await withForger { app, proper in
            var token = proper
            token.claim("scope", "profile:read bookmarks:reading")
            let answer = try await app.raw(.GET, "/api/v1/bookmarks", token: token.text)
            #expect(answer.status == 403)
        }
    }

    private func withForger(_ body: (TestApp, ForgedToken) async throws -> Void) async throws {
        let clock = MovableClock()
        try await withApp(clock: clock.reading) { app in
            let account = try await app.client.register(.of("ada")).user.id.description
            try await body(app, ForgedToken(for: account, at: clock.now, key: app.app.settings.jwtSecretKey.unsafeRevealBytes()))
        }
    }
}

extension String {
    fileprivate var paddedAtLeastOnce: String { hasSuffix("=") ? self : self + "=" }

    /// 43 characters of base64url hold 258 bits, of which a signature has 256.
    fileprivate var withAnotherLastCharacter: String {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
        let index = last.flatMap { alphabet.firstIndex(of: $0) } ?? 0
        return String(dropLast()) + String(alphabet[index ^ 1])
    }
}
