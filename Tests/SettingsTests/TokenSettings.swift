import MartletSettings
import Testing

@Suite struct SettingsOfTokens {
    private static let secret = "q0Zr7-tYb3Kx9WmLp5Vd2HnJs8Gf4CeAu1Qi"
    private static let hs = #"{"issuer":"a","audience":"b","algorithms":["HS256"],"secret":"\#(secret)"}"#
    private static let es = #"{"issuer":"c","audience":"b","algorithms":["ES256","RS256"],"jwks_url":"https://c.example/keys.json"}"#

    @Test func issuersAreAListInJSON() throws {
        let issuers = try #require(try WorkFolder().load(["AUTH_ISSUERS": " [\(Self.hs), \(Self.es)]\n"]).authIssuers)
        #expect(issuers.map(\.issuer) == ["a", "c"])
        #expect(issuers[0].emailClaim == ["email"] && issuers[0].rolesClaim == nil && !issuers[0].linksVerifiedEmail)
        #expect(issuers[1].algorithms == [.es256, .rs256])
        guard case .secret(let secret, nil) = issuers[0].keys, case .published(let url) = issuers[1].keys else {
            Issue.record("other keys")
            return
        }
        #expect(secret.unsafeReveal() == Self.secret && url == "https://c.example/keys.json")
        #expect(try WorkFolder().load().authIssuers == nil)
    }

    @Test func everyMemberIsRead() throws {
        let text = """
            [{"issuer":"https://id.example/realms/x","audience":"api","algorithms":["EdDSA"],"jwks_url":"http://127.0.0.1:8080/keys",
              "claims":{"email":"mail","username":["user","name"],"name":"display","roles":["realm_access","roles"]},
              "roles":{"realm-admin":"admin"},"link_verified_email":true}]
            """
        let issuer = try #require(try WorkFolder(["issuers.json": text]).load(["AUTH_ISSUERS": "issuers.json"]).authIssuers?.first)
        #expect(issuer.emailClaim == ["mail"] && issuer.usernameClaim == ["user", "name"] && issuer.nameClaim == ["display"])
        #expect(issuer.rolesClaim == ["realm_access", "roles"] && issuer.roles == ["realm-admin": "admin"] && issuer.linksVerifiedEmail)
    }

    static let wrong: [(String, String)] = [
        ("[]", "1 to 16"), ("[1]", "Make issuer 1 a JSON object"), ("[{", "valid JSON"), ("missing.json", "a file that exists"),
        (#"[{"issuer":"a","issuer":"b"}]"#, "repeats a name"), (#"[{"audience":"b"}]"#, "Give `issuer`"),
        (#"[\#(hs),\#(hs)]"#, "Name each issuer once"), ("[\(hs.with(#","audiense":"x""#))]", "no member `audiense`"),
        ("[\(hs.with(#","claims":{"mail":"x"}"#))]", "no member `mail`"), ("[\(hs.with(#","claims":{"email":[]}"#))]", "`email`"),
        ("[\(hs.with(#","roles":{"a":"admin"}"#))]", "where the `roles` are"),
        ("[\(hs.with(#","link_verified_email":"yes""#))]", "true or false"),
        ("[\(hs.with(#","jwks_url":"https://c.example/keys""#))]", "either `secret` or `jwks_url`"),
        ("[\(hs.replacing("HS256", with: "RS256"))]", "only algorithm is HS256"),
        ("[\(hs.replacing("HS256", with: "none"))]", "out of HS256, RS256"),
        ("[\(hs.replacing(#"["HS256"]"#, with: "[]"))]", "out of HS256, RS256"),
        ("[\(hs.replacing(secret, with: "short"))]", "at least 32 bytes"),
        ("[\(es.replacing("ES256", with: "HS256"))]", "HS256 needs a `secret`"), ("[\(es.replacing("https", with: "http"))]", "https://"),
        ("[\(es.replacing("https://", with: "https://user:word@"))]", "without login"),
        ("[\(es.replacing("https://", with: "file://"))]", "https://"),
    ]

    @Test(arguments: wrong)
    func whatIsWrongWithAnIssuerIsSaidWithoutItsSecret(_ text: String, _ repair: String) throws {
        let faults = try WorkFolder().faults(["AUTH_ISSUERS": text])
        #expect(faults.map(\.name) == ["AUTH_ISSUERS"])
        #expect(faults.first?.repair.contains(repair) == true, "\(faults)")
        #expect(!"\(faults)".contains(Self.secret))
    }

    @Test func anIssuerIsNotOurselves() throws {
        let faults = try WorkFolder().faults(["AUTH_ISSUERS": "[\(Self.hs)]", "JWT_ISSUER": "a"])
        #expect(faults.map(\.name) == ["AUTH_ISSUERS"])
    }

    @Test func secretsOfOthersAndOfBeforeAreAsGoodAsOurs() throws {
        let weak = Self.hs.replacing(Self.secret, with: "changeme changeme changeme changeme")
        #expect(try WorkFolder().faults(production.with("AUTH_ISSUERS", "[\(weak)]")).map(\.name) == ["AUTH_ISSUERS"])
        #expect(try WorkFolder().faults(production.with("AUTH_ISSUERS", "[\(Self.hs)]")).isEmpty)
        let previous = try WorkFolder().faults(production.with("JWT_PREVIOUS_SECRET_KEYS", "\(Self.secret), short"))
        #expect(previous.map(\.name) == ["JWT_PREVIOUS_SECRET_KEYS"])
        #expect(previous.first?.repair.hasPrefix("Number 2: Give at least 32 bytes") == true)
        #expect(!"\(previous)".contains(Self.secret))
    }

    @Test func previousSecretsStandBetweenCommas() throws {
        let settings = try WorkFolder().load(["JWT_PREVIOUS_SECRET_KEYS": " one , two"])
        #expect(settings.jwtPreviousSecretKeys?.map { $0.unsafeReveal() } == ["one", "two"])
        #expect(try WorkFolder().faults(["JWT_PREVIOUS_SECRET_KEYS": "one,,two"]).map(\.name) == ["JWT_PREVIOUS_SECRET_KEYS"])
        #expect(!"\(settings.lines)".contains("two"))
    }

    @Test func keyFilesAreThereAndNamedOnce() throws {
        let folder = try WorkFolder(["a.pem": "x", "b.pem": "y"])
        #expect(try folder.load(["JWT_KEY_FILES": "b.pem, a.pem"]).jwtKeyFiles == ["\(folder.path)/b.pem", "\(folder.path)/a.pem"])
        #expect(try folder.load().jwtKeyFiles.isEmpty)
        for text in ["c.pem", "a.pem,a.pem"] {
            #expect(folder.faults(["JWT_KEY_FILES": text]).map(\.name) == ["JWT_KEY_FILES"], "\(text)")
        }
    }
}

extension String {
    /// An object with further members.
    fileprivate func with(_ members: String) -> String { dropLast() + members + "}" }
}
