import Logging
import Testing

@testable import MartletTelemetry

@Suite("Secrets in the log")
struct SecretsInLogs {
    @Test(arguments: [
        "authorization", "Authorization", "proxy-authorization", "Cookie", "Set-Cookie", "password", "new_password", "userPassword",
        "passwd",
        "secret", "client_secret", "token", "refresh_token", "access-token", "accessToken", "api-key", "X-Api-Key", "apikey", "key",
        "private_key", "Idempotency-Key", "credentials", "jwt",
    ])
    func fieldsOfSuchNamesLoseTheirValue(name: String) async {
        let place = MemoryPlace()
        let logs = Logs(into: place)
        logs.logger("a").info("m", metadata: ["\(name)": "canary", "nested": ["\(name)": "canary"]])
        #expect(await logs.flush(within: .seconds(60)))
        #expect(!place.text.contains("canary"))
        #expect(place.text.components("‹redacted›") == 2)
    }

    @Test(arguments: ["code", "route", "monkey", "keys", "kind", "user", "sql", "position", "tokenizer", "author"])
    func otherFieldsKeepIt(name: String) { #expect(!Redaction.isSecret(name)) }

    @Test(arguments: [
        ("Bearer canary.canary.canary", "Bearer ‹redacted›"), ("authorization: bEaReR canarycanary!", "authorization: bEaReR ‹redacted›!"),
        ("Basic Y2FuYXJ5OmNhbmFyeQ==", "Basic ‹redacted›"), ("token eyJhbGciOiJI.canary.canary, bad", "token ‹redacted›, bad"),
        ("postgres://ada:canary@db:5432/x", "postgres://‹redacted›@db:5432/x"), ("redis://:can@ary@h/0", "redis://‹redacted›@h/0"),
        ("host=db password=canary dbname=x", "host=db password=‹redacted› dbname=x"),
        ("/x?a=1&access_token=canary&b=2", "/x?a=1&access_token=‹redacted›&b=2"),
        (#"{"password": "canary","a":1}"#, #"{"password": "‹redacted›","a":1}"#),
        (#"{"refresh_token":"canary"}"#, #"{"refresh_token":"‹redacted›"}"#),
        ("eyJhbGciOiJI.canary.canary eyJhbGciOiJI.canary.canary", "‹redacted› ‹redacted›"),
    ])
    func textsLoseWhatLooksLikeOne(text: String, shown: String) {
        #expect(Redaction.shown(text) == shown)
        #expect(!PlainText.holds(text), "it must be looked at")
    }

    @Test(arguments: ["\n", "\"", "\\", "\u{7f}", "grün", "\u{202e}", "a:b", "a=b", "eyJ", "Bearer abcdefgh", "BASIC abcdefgh"])
    func textsThatMayHoldMoreAreNotPlain(text: String) { #expect(!PlainText.holds(text)) }

    @Test(arguments: ["", "GET /api/v1/bookmarks/{id} 200", "0199a0e4-2c1d-7bbd-8a53-7c0f4b8d6f10", "192.0.2.7", "it's ~ fine"])
    func textsOfNearlyEveryLineArePlain(text: String) { #expect(PlainText.holds(text)) }

    @Test(arguments: [
        "GET /api/v1/bookmarks/{id} 200", "https://example.org/a@b", "a = b", "user=ada", "invalid_token: The token is not valid.", "eyJ",
        "e",
        "Bearer", "Basic x", "a basic thing", "://", "=", ":", "the bearer of this", "SELECT x FROM y WHERE z = $1",
    ])
    func othersStayAsTheyAre(text: String) { #expect(Redaction.shown(text) == text) }
}

extension Redaction {
    fileprivate static func shown(_ text: String) -> String {
        var text = text
        return text.withUTF8 { masked($0).map { String(decoding: $0, as: UTF8.self) } } ?? text
    }
}

extension String {
    fileprivate func components(_ part: String) -> Int { ranges(of: part).count }
}

extension PlainText {
    fileprivate static func holds(_ text: String) -> Bool {
        var text = text
        return text.withUTF8 { holds($0) }
    }
}
