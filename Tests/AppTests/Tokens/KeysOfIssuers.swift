import Foundation
import MartletContract
import MartletTestKit
import MartletTestSupport
import NIOHTTP1
import Testing

@testable import MartletIdentity

/// Where the keys of another issuer come from, and what happens when they do not come.
@Suite("Keys of issuers", .only(.sqlite)) struct KeysOfIssuers {
    @Test func areFetchedOnceForAllWhoWait() async throws {
        try await TestIssuer.with { (issuer) async throws in
            let statuses = try await manyAtOnce(30) { index in try await issuer.app.me(issuer.token("subject-\(index)").text).status }
            #expect(Set(statuses) == [200])
            #expect(issuer.server.requests == ["/keys"])
        }
    }

    @Test func areFetchedAgainForAnUnknownOneAtMostOnceAMinute() async throws {
        try await TestIssuer.with { (issuer) async throws in
            #expect(try await issuer.app.me(issuer.token().text).status == 200)
            for seconds in [0, 30, 29] {
                issuer.clock.advance(by: .seconds(seconds))
                for _ in 0..<5 { #expect(try await issuer.app.me(issuer.strangerToken()).status == 401) }
                #expect(issuer.server.requests.count == 1, "after \(seconds) s more")
            }
            issuer.clock.advance(by: .seconds(1))
            let statuses = try await manyAtOnce(20) { _ in try await issuer.app.me(issuer.strangerToken()).status }
            #expect(Set(statuses) == [401])
            #expect(issuer.server.requests.count == 2)
        }
    }

    @Test func mayChangeWhileTheyAreInUse() async throws {
        try await TestIssuer.with { (issuer) async throws in
            #expect(try await issuer.app.me(issuer.token().text).status == 200)
            let next = try IssuerKey.ed25519()
            try issuer.server.publish(issuer.key.published, next.published)
            issuer.clock.advance(by: .seconds(60))
            #expect(try await issuer.app.me(issuer.token(key: next).text).status == 200)
            #expect(try await issuer.app.me(issuer.token("later").text).status == 200)
        }
    }

    @Test func areGoodNoLongerThanAQuarterOfAnHourAfterTheyWereWithdrawn() async throws {
        try await TestIssuer.with { (issuer) async throws in
            let token = try issuer.token().text
            #expect(try await issuer.app.me(token).status == 200)
            try issuer.server.publish(try IssuerKey.p256().published)
            issuer.clock.advance(by: .seconds(899))
            // This one is let in, and has the keys looked at.
            #expect(try await issuer.app.me(token).status == 200)
            try await eventually { issuer.server.requests.count == 2 }
            issuer.clock.advance(by: .seconds(300))
            try await eventually {
                issuer.clock.advance(by: .seconds(1))
                return try await issuer.app.me(token).status == 401
            }
        }
    }

    @Test func stayWhileTheIssuerIsAway() async throws {
        try await TestIssuer.with { (issuer) async throws in
            #expect(try await issuer.app.me(issuer.token().text).status == 200)
            issuer.server.behaviour = .answer(500, [])
            issuer.clock.advance(by: .seconds(3600))
            #expect(try await issuer.app.me(issuer.token("later").text).status == 200)
            try await eventually { issuer.server.requests.count == 2 }
            #expect(try await issuer.app.me(issuer.token("last").text).status == 200)
            #expect(try await issuer.app.me(issuer.strangerToken()).status == 401)
        }
    }

    static let troubles: [(String, KeySetServer.Behaviour)] = [
        ("500", .answer(500, Array(#"{"keys":[]}"#.utf8))), ("404", .answer(404, [])), ("nothing", .answer(200, [])),
        ("HTML", .answer(200, Array("<html>Please log in.</html>".utf8))), ("no list", .answer(200, Array(#"{"keys":{}}"#.utf8))),
        ("a list alone", .answer(200, Array("[]".utf8))), ("half a document", .answer(200, Array(#"{"keys":["#.utf8))),
        ("deep JSON", .answer(200, Array(repeating: UInt8(ascii: "["), count: 200_000))),
        ("a huge document", .answer(200, Array(#"{"keys":[]}"#.utf8) + Array(repeating: UInt8(ascii: " "), count: 300 << 10))),
        ("too many keys", .answer(200, Array(#"{"keys":[\#(Array(repeating: "{}", count: 101).joined(separator: ","))]}"#.utf8))),
        ("bytes", .answer(200, (0..<200).map { UInt8($0) })),
        ("a redirect", .redirect(to: "/elsewhere")), ("silence", .silent), ("drops", .dripping),
    ]

    @Test(arguments: troubles)
    func areMissedInTimeWhenTheAnswerIs(_ trouble: String, _ behaviour: KeySetServer.Behaviour) async throws {
        try await TestIssuer.with { (issuer) async throws in
            let good = issuer.server.behaviour
            issuer.server.behaviour = behaviour
            let (own, start) = (try await issuer.app.token("grace"), ContinuousClock.now)
            async let waiting = issuer.app.me(issuer.token().text)
            try await eventually { !issuer.server.requests.isEmpty }
            #expect(try await issuer.app.me(own).status == 200, "our own tokens wait for nobody")
            let answer = try await waiting
            #expect(answer.status == 503)
            #expect(try answer.problem().code == "issuer_keys_unavailable")
            #expect(start.duration(to: .now) < .seconds(30))
            // For some seconds nobody asks again, and nobody waits.
            #expect(try await issuer.app.me(issuer.token().text).status == 503)
            #expect(issuer.server.requests == ["/keys"])
            issuer.server.behaviour = good
            issuer.clock.advance(by: .seconds(10))
            #expect(try await issuer.app.me(issuer.token().text).status == 200)
        }
    }

    @Test func areMissedAtOnceWhereNobodyListens() async throws {
        let setting = """
            [{"issuer": "\(TestIssuer.name)", "audience": "\(TestIssuer.audience)", "algorithms": ["ES256"], "jwks_url": "http://127.0.0.1:1/keys"}]
            """
        try await TestIssuer.withIssuers(setting) { (app, clock) async throws in
            try await KeySetServer.with { server in
                let issuer = TestIssuer(app: app, server: server, clock: clock, key: try .p256())
                #expect(try await app.me(issuer.token().text).status == 503)
                #expect(try await app.me(app.token("grace")).status == 200)
            }
        }
    }

    @Test func ofOtherKindsAreNoneForUs() async throws {
        try await TestIssuer.with { (issuer) async throws in
            let key = issuer.key.published
            let changes: [(String, JSON?)] = [
                ("use", "enc"), ("alg", "ES384"), ("alg", "RS256"), ("kty", "RSA"), ("kty", "oct"), ("crv", "P-384"), ("crv", nil),
                ("x", nil),
                ("x", .string(key["y"]?.text ?? "")), ("y", "AAAA"), ("y", 1), ("kid", nil), ("kid", 7),
            ]
            for (name, value) in changes {
                issuer.clock.advance(by: .seconds(60))
                try issuer.server.publish(key.with(name, value), "no key", 5, .null)
                #expect(try await issuer.app.me(issuer.token().text).status == 401, "\(name)")
            }
            issuer.clock.advance(by: .seconds(60))
            try issuer.server.publish(key.with("use", nil).with("alg", nil).with("further", [1, 2]))
            #expect(try await issuer.app.me(issuer.token().text).status == 200)
        }
    }

    @Test func ofOneNameAreRefused() async throws {
        try await TestIssuer.with { (issuer) async throws in
            let other = try IssuerKey.p256().published.with("kid", .string(issuer.key.id))
            try issuer.server.publish(issuer.key.published, other)
            #expect(try await issuer.app.me(issuer.token().text).status == 503)
        }
    }
}

extension TestIssuer {
    /// A token that names a key that nobody has.
    fileprivate func strangerToken() throws -> String {
        var token = token()
        token.header = #"{"alg":"ES256","typ":"JWT","kid":"\#(UUID().uuidString)"}"#
        return try token.text
    }
}

extension JSON {
    fileprivate func with(_ name: String, _ value: JSON?) -> JSON {
        guard case .object(let members) = self else { return self }
        return .object(members.filter { $0.name != name } + (value.map { [Member(name, $0)] } ?? []))
    }
}

@Suite("When keys are fetched") struct FetchingKeys {
    private let start = Date(timeIntervalSince1970: 1_900_000_000)

    @Test func theFirstWaitAndTheOthersWithThem() {
        var refresh = KeyRefresh()
        #expect(refresh.step(isKnown: false, at: start) == .fetchAndWait)
        for _ in 0..<KeyRefresh.mostWaiting { #expect(refresh.step(isKnown: false, at: start) == .wait) }
        #expect(refresh.step(isKnown: false, at: start) == .unavailable)
        refresh.ended(withKeys: true, at: start)
        #expect(refresh.step(isKnown: true, at: start) == .goOn)
        #expect(refresh.step(isKnown: false, at: start + 59) == .goOn)
        #expect(refresh.step(isKnown: false, at: start + 60) == .fetchAndWait)
    }

    @Test func withoutKeysItIsTriedSooner() {
        var refresh = KeyRefresh()
        _ = refresh.step(isKnown: false, at: start)
        refresh.ended(withKeys: false, at: start + 3)
        #expect(refresh.step(isKnown: false, at: start + 9) == .unavailable)
        #expect(refresh.step(isKnown: false, at: start + 10) == .fetchAndWait)
    }

    @Test func oldKeysAreUsedWhileNewOnesAreFetched() {
        var refresh = KeyRefresh()
        _ = refresh.step(isKnown: false, at: start)
        refresh.ended(withKeys: true, at: start)
        #expect(refresh.step(isKnown: true, at: start + 599) == .goOn)
        #expect(refresh.step(isKnown: true, at: start + 600) == .fetchBehind)
        #expect(refresh.step(isKnown: true, at: start + 600) == .goOn)
        #expect(refresh.step(isKnown: false, at: start + 600) == .wait)
        refresh.ended(withKeys: false, at: start + 603)
        #expect(refresh.step(isKnown: true, at: start + 659) == .goOn)
        #expect(refresh.step(isKnown: true, at: start + 660) == .fetchBehind)
    }
}
