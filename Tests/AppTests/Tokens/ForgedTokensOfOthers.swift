import Crypto
import Foundation
import MartletApp
import MartletClient
import MartletContract
import MartletCore
import MartletIdentityAPI
import MartletSettings
import MartletTestKit
import NIOHTTP1
import Testing

@testable import MartletIdentity

/// Tokens that pretend to be another issuer's; each has one fault (RFC 8725 §3).
@Suite("Forged tokens of others") struct ForgedTokensOfOthers {
    static let headers: [Forgery] = [
        .named("alg none", #"{"alg":"none","typ":"JWT","kid":"KID"}"#) { $0.sign = { _ in [] } },
        .named("alg none, signed", #"{"alg":"none","typ":"JWT","kid":"KID"}"#),
        .named("another alg than the key's", #"{"alg":"RS256","typ":"JWT","kid":"KID"}"#),
        .named("EdDSA with the key of ES256", #"{"alg":"EdDSA","typ":"JWT","kid":"KID"}"#),
        .named("ES384", #"{"alg":"ES384","typ":"JWT","kid":"KID"}"#), .named("lower case", #"{"alg":"es256","typ":"JWT","kid":"KID"}"#),
        .named("no alg", #"{"typ":"JWT","kid":"KID"}"#), .named("no kid", #"{"alg":"ES256","typ":"JWT"}"#),
        .named("an unknown kid", #"{"alg":"ES256","typ":"JWT","kid":"other"}"#),
        .named("a path as kid", #"{"alg":"ES256","typ":"JWT","kid":"../../../../dev/null"}"#),
        .named("SQL as kid", #"{"alg":"ES256","typ":"JWT","kid":"' UNION SELECT 'key"}"#),
        .named("a command as kid", #"{"alg":"ES256","typ":"JWT","kid":"KID|sleep 9"}"#),
        .named("an empty kid", #"{"alg":"ES256","typ":"JWT","kid":""}"#),
        .named("a number as kid", #"{"alg":"ES256","typ":"JWT","kid":1}"#),
        .named("an endless kid", #"{"alg":"ES256","typ":"JWT","kid":"\#(String(repeating: "k", count: 256))"}"#),
        .named("jku", #"{"alg":"ES256","typ":"JWT","kid":"KID","jku":"https://evil.example/keys"}"#),
        .named("x5u", #"{"alg":"ES256","typ":"JWT","kid":"KID","x5u":"https://evil.example/cert"}"#),
        .named("x5c", #"{"alg":"ES256","typ":"JWT","kid":"KID","x5c":["MIIB"]}"#),
        .named("crit", #"{"alg":"ES256","typ":"JWT","kid":"KID","crit":["exp"]}"#),
        .named("b64", #"{"alg":"ES256","typ":"JWT","kid":"KID","b64":false,"crit":["b64"]}"#),
        .named("zip", #"{"alg":"ES256","typ":"JWT","kid":"KID","zip":"DEF"}"#),
        .named("typ of another kind", #"{"alg":"ES256","typ":"logout+jwt","kid":"KID"}"#),
        .named("typ of an ID token's proof", #"{"alg":"ES256","typ":"dpop+jwt","kid":"KID"}"#),
        .named("alg twice", #"{"alg":"none","alg":"ES256","typ":"JWT","kid":"KID"}"#),
        .named("kid twice", #"{"alg":"ES256","typ":"JWT","kid":"other","kid":"KID"}"#),
        Forgery("an embedded key, which signed it") { token in
            let key = P256.Signing.PrivateKey()
            let published = PublishedKey(key.publicKey)
            token.header =
                #"{"alg":"ES256","typ":"JWT","kid":"KID","jwk":{"kty":"EC","crv":"P-256","x":"\#(published.x)","y":"\#(published.y ?? "")"}}"#
            token.sign = { Array(try key.signature(for: $0).rawRepresentation) }
        },
    ]

    static let claims: [Forgery] = [
        .without("sub"), .without("iat"), .without("exp"), .without("iss"), .without("aud"), .claim("sub", ""), .claim("sub", 1),
        .claim("sub", "a\u{0}b"), .claim("sub", .string(String(repeating: "s", count: 256))),
        .claim("iss", "https://issuer.example"), .claim("iss", "https://issuer.example/x"), .claim("iss", "https://evil.example/"),
        .claim("iss", "martlet"), .claim("iss", ["https://issuer.example/"]),
        .claim("aud", "https://api.example/"), .claim("aud", "martlet"),
        .claim("aud", []), .claim("aud", ["other", "martlet"]), .claim("aud", ["https://api.example": true]), .claim("exp", "1900001800"),
        .claim("exp", .null), .claim("exp", 1_899_999_940), .claim("exp", .number("1e300")), .claim("exp", 1_900_086_401),
        .claim("iat", 1_900_000_061), .claim("iat", "now"), .claim("iat", .number("-1e300")), .claim("nbf", 1_900_000_061),
        .claim("nbf", .null), .claim("nbf", "soon"), .claim("extra", .nested(100)),
        .claim("extra", .string(String(repeating: "x", count: 8000))),
        Forgery("a claim twice") { $0.claims.append(.init("sub", "somebody else")) },
    ]

    static let signatures: [Forgery] = [
        Forgery("another key") { token in
            let key = P256.Signing.PrivateKey()
            token.sign = { Array(try key.signature(for: $0).rawRepresentation) }
        },
        .signed("DER") { try P256.Signing.ECDSASignature(rawRepresentation: $0).derRepresentation },
        .signed("no signature") { _ in Data() }, .signed("a byte less") { $0.dropLast() }, .signed("half of it") { $0.prefix(32) },
        .signed("a byte more") { $0 + [0] }, .signed("nothing but zeros") { _ in Data(repeating: 0, count: 64) },
        .signed("r and s exchanged") { $0.suffix(32) + $0.prefix(32) }, .signed("r zero") { Data(repeating: 0, count: 32) + $0.suffix(32) },
        .signed("s beyond the order") { $0.prefix(32) + Data(repeating: 0xFF, count: 32) },
        .sent("a padded signature") { "\($0).\($1).\($2)==" }, .sent("a padded payload") { "\($0).\($1)=.\($2)" },
        .sent("the unused bits of the signature set") { "\($0).\($1).\($2.dropLast())\($2.hasSuffix("Q") ? "R" : "B")" },
        .sent("the alphabet of plain base64") { "\($0).\($1).+/\($2.dropFirst(2))" }, .sent("white space") { "\($0).\($1). \($2)" },
        .sent("no dots") { "\($0)\($1)\($2)" },
        .sent("JSON instead of compact form") { #"{"protected":"\#($0)","payload":"\#($1)","signature":"\#($2)"}"# },
        .sent("five parts") { "\($0).\($1).\($2).." },
    ]

    @Test(arguments: headers + claims + signatures)
    func isRefused(_ forgery: Forgery) async throws {
        try await TestIssuer.with { (issuer) async throws in
            var token = issuer.token()
            #expect(try await issuer.app.me(token.text).status == 200, "The token without the fault is good.")
            // Another than the one that is remembered.
            token.claim("jti", "forged")
            forgery.apply(&token)
            token.header = token.header.replacing("KID", with: issuer.key.id)
            let answer = try await issuer.app.me(token.text)
            #expect(answer.status == 401)
            #expect(["invalid_token", "token_expired"].contains(try answer.problem().code))
            #expect(!issuer.server.requests.contains { $0 != "/keys" })
        }
    }

    /// The classic of RFC 8725 §2.1: what anybody can read, taken for a secret.
    @Test func isRefusedWithAPublicKeyAsTheSecret() async throws {
        try await TestIssuer.with { (issuer) async throws in
            let key = try #require(P256.Signing.PublicKey(issuer.key.published))
            let secrets = [
                Array(key.pemRepresentation.utf8), Array((key.pemRepresentation + "\n").utf8), Array(key.derRepresentation),
                Array(key.x963Representation), Array(key.rawRepresentation), try WireJSON.encode(issuer.key.published),
            ]
            for secret in secrets {
                for header in [#"{"alg":"HS256","typ":"JWT","kid":"\#(issuer.key.id)"}"#, #"{"alg":"HS256","typ":"JWT"}"#] {
                    var token = issuer.token()
                    (token.sign, token.key, token.header) = (nil, secret, header)
                    #expect(try await issuer.app.me(token.text).status == 401)
                }
            }
        }
    }

    @Test func isRefusedWithAnAlgorithmThatIsNotPinned() async throws {
        try await TestIssuer.with(.ed25519(), algorithms: #"["ES256"]"#) { (issuer) async throws in
            #expect(try await issuer.app.me(issuer.token().text).status == 401)
        }
        try await TestIssuer.with(.ed25519(), algorithms: #"["EdDSA"]"#) { (issuer) async throws in
            #expect(try await issuer.app.me(issuer.token().text).status == 200)
        }
    }

    @Test func isRefusedWithOneIssuersKeyAndAnothersName() async throws {
        try await KeySetServer.with { (server) async throws in
            let (ours, theirs) = (try IssuerKey.p256(), try IssuerKey.p256())
            try server.publish(theirs.published)
            let other = #"{"issuer":"other","audience":"api","algorithms":["ES256"],"jwks_url":"\#(server.url)"}"#
            try await KeySetServer.with { (mine) async throws in
                try mine.publish(ours.published)
                let first =
                    #"{"issuer":"\#(TestIssuer.name)","audience":"\#(TestIssuer.audience)","algorithms":["ES256"],"jwks_url":"\#(mine.url)"}"#
                try await TestIssuer.withIssuers("[\(first),\(other)]") { (app, clock) async throws in
                    let issuer = TestIssuer(app: app, server: mine, clock: clock, key: ours)
                    #expect(try await app.me(issuer.token().text).status == 200)
                    #expect(try await app.me(issuer.token("x", key: theirs).text).status == 401)
                    var token = issuer.token("x", key: theirs)
                    token.claim("iss", "other")
                    token.claim("aud", "api")
                    #expect(try await app.me(token.text).status == 200)
                }
            }
        }
    }

    /// An issuer says who somebody is to it, not who somebody is to us.
    @Test func isRefusedWithOurNameAndOnlyThenOurSecret() async throws {
        try await TestIssuer.with { (issuer) async throws in
            let account = try await issuer.app.client.register(.of("grace")).user.id.description
            var token = issuer.token(account)
            token.claim("iss", "martlet")
            token.claim("aud", "martlet")
            token.claim("scope", "bookmarks:read")
            #expect(try await issuer.app.me(token.text).status == 401)
            let secret = issuer.app.app.settings.jwtSecretKey.unsafeRevealBytes()
            var ours = issuer.token(account)
            (ours.sign, ours.key, ours.header) = (nil, secret, #"{"alg":"HS256","typ":"JWT"}"#)
            #expect(try await issuer.app.me(ours.text).status == 401, "our secret signs nothing in another's name")
        }
    }

    /// Ed25519 signatures must not be malleable (RFC 8032 §5.1.7): s and s + L are not the same.
    @Test func isRefusedWithTheOrderAddedToAnEd25519Signature() async throws {
        try await TestIssuer.with(.ed25519()) { (issuer) async throws in
            var token = issuer.token()
            let sign = issuer.key.sign
            token.sign = { data in
                let signature = try sign(data)
                return Array(signature.prefix(32)) + Self.sum(Array(signature.suffix(32)), Self.order)
            }
            #expect(try await issuer.app.me(token.text).status == 401)
        }
    }

    /// 2^252 + 27742317777372353535851937790883648493, little-endian.
    private static let order: [UInt8] = [
        0xED, 0xD3, 0xF5, 0x5C, 0x1A, 0x63, 0x12, 0x58, 0xD6, 0x9C, 0xF7, 0xA2, 0xDE, 0xF9, 0xDE, 0x14, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        0, 0,
        0, 0x10,
    ]

    private static func sum(_ left: [UInt8], _ right: [UInt8]) -> [UInt8] {
        var carry = 0
        return zip(left, right).map { left, right in
            let sum = Int(left) + Int(right) + carry
            carry = sum >> 8
            return UInt8(sum & 255)
        }
    }
}

extension P256.Signing.PublicKey {
    fileprivate init?(_ json: JSON) {
        guard let x = json["x"]?.text.flatMap({ Base64URL.decode($0) }), let y = json["y"]?.text.flatMap({ Base64URL.decode($0) }) else {
            return nil
        }
        try? self.init(rawRepresentation: x + y)
    }
}

extension Forgery {
    /// With another header, in which KID stands for the key's.
    fileprivate static func named(
        _ description: String, _ header: String, _ further: @escaping @Sendable (inout ForgedToken) -> Void = { _ in }
    ) -> Forgery {
        Forgery(description) {
            $0.header = header
            further(&$0)
        }
    }

    /// With the signature changed.
    fileprivate static func signed(_ description: String, _ change: @escaping @Sendable (Data) throws -> Data) -> Forgery {
        Forgery("signature: \(description)") { token in
            guard let sign = token.sign else { return }
            token.sign = { Array(try change(Data(try sign($0)))) }
        }
    }
}
