import Foundation
import MartletContract
import MartletCore
import MartletTestSupport
import Testing

@Suite struct PathTemplates {
    @Test func knowTheirPlaces() {
        let template = PathTemplate("/api/v1/bookmarks/{id}/notes/{note_id}")
        #expect(
            template.segments == [
                .literal("api"), .literal("v1"), .literal("bookmarks"), .parameter("id"), .literal("notes"), .parameter("note_id"),
            ])
        #expect(template.parameterNames == ["id", "note_id"])
        #expect(template.queryNames.isEmpty)
        #expect(template.path == "/api/v1/bookmarks/{id}/notes/{note_id}")
    }

    @Test func knowTheirQueryParameters() {
        let template = PathTemplate("/login{?cookie,remember}")
        #expect(template.queryNames == ["cookie", "remember"])
        #expect(template.path == "/login")
        #expect(template.segments == [.literal("login")])
    }

    @Test func areFilledWithEncodedValues() {
        let template = PathTemplate("/a/{b}/c")
        #expect(template.expanded(with: ["b": "x/y ?é"]) == "/a/x%2Fy%20%3F%C3%A9/c")
        #expect(template.expanded(with: ["b": "1", "other": "2"]) == "/a/1/c")
        #expect(template.expanded(with: [:]) == nil)
        #expect(PathTemplate("/").expanded(with: [:]) == "/")
    }
}

@Suite struct PercentEncodedText {
    @Test(arguments: [
        ("", ""), ("abc-._~019", "abc-._~019"), ("a b", "a%20b"), ("a+b", "a%2Bb"), ("é", "%C3%A9"), ("😀", "%F0%9F%98%80"),
        ("&=?#/%", "%26%3D%3F%23%2F%25"),
        ("\0", "%00"),
    ])
    func isReadBack(_ text: String, _ encoded: String) {
        #expect(PercentEncoding.encode(text) == encoded)
        #expect(PercentEncoding.decode(encoded[...]) == text)
        #expect(PercentEncoding.decode(encoded[...], plusIsSpace: true) == text)
    }

    @Test func hasPlusForASpaceOnlyInQueries() {
        #expect(PercentEncoding.decode("a+b%2b", plusIsSpace: true) == "a b+")
        #expect(PercentEncoding.decode("a+b%2b") == "a+b+")
    }

    @Test(arguments: [
        "%", "a%", "%4", "%4g", "%g4", "%%41", "% 41", "%-1", "%+1", "%C3", "%C3%28", "%FF", "%ED%A0%80", "%C0%AF", "%\u{FF14}1",
    ])
    func isRefusedWhenBrokenOrNotUTF8(_ text: String) {
        #expect(PercentEncoding.decode(text[...]) == nil)
    }

    @Test func isDecodedOnce() {
        #expect(PercentEncoding.decode("%2541") == "%41")
    }
}

@Suite struct Base64URLText {
    @Test(
        arguments: [
            ([], ""), ([0x41], "QQ"), ([0x41, 0x42], "QUI"), ([0x41, 0x42, 0x43], "QUJD"), ([0xFB, 0xFF, 0xFE], "-__-"),
            ([0xFF, 0xFF], "__8"),
        ] as [([UInt8], String)])
    func isReadBack(_ bytes: [UInt8], _ text: String) {
        #expect(Base64URL.encode(bytes) == text)
        #expect(Base64URL.decode(text) == bytes)
    }

    @Test(arguments: ["Q", "QQ==", "QQ=", "QR", "QUJ", "QUJDR", "+//+", "Q Q", " QQ", "QQ\n", "QQ\0", "Q.Q", "ＱＱ", "QUI\u{301}"])
    func isRefusedInAnyOtherForm(_ text: String) {
        #expect(Base64URL.decode(text) == nil)
    }

    @Test func isReadBackForRandomBytes() {
        var random = SeededNumbers(seed: 6)
        for length in 0..<300 {
            let bytes = (0..<length).map { _ in UInt8.random(in: 0...255, using: &random) }
            #expect(Base64URL.decode(Base64URL.encode(bytes)) == bytes)
        }
    }
}

@Suite struct Cursors {
    @Test func nameTheItemTheyWereMadeFor() throws {
        let identifier = Identifier<Account>()
        var random = SeededNumbers(seed: 7)
        for _ in 0..<1_000 {
            let moment = Date(timeIntervalSince1970: Double(Int.random(in: -9_999_999_999_999...9_999_999_999_999, using: &random)) / 1000)
            let cursor = Cursor(after: moment, identifier)
            let position = try Cursor(cursor.raw).position(of: Account.self)
            #expect(abs(position.moment.timeIntervalSince(moment)) < 0.0005)
            #expect(position.identifier == identifier)
        }
    }

    @Test(arguments: ["", "=", "a b", "Q", "QR", "QQ==", "é", "../x", String(repeating: "Q", count: 301), "%51"])
    func areNotMadeOfJustAnyText(_ text: String) {
        #expect(throws: Fault.self) { try Cursor(text) }
    }

    @Test(arguments: [
        "A", "1", "1.", ".1", "1.x", "x.019bc05e-9a40-7c3d-8e11-5f0a4b7d2291", "1.5.019bc05e-9a40-7c3d-8e11-5f0a4b7d2291",
        "1.019bc05e-9a40-7c3d-8e11-5f0a4b7d2291.2", "1.019bc05e-9a40-7c3d-8e11-5f0a4b7d229", "1.019bc05e-9a40-7c3d-8e11-5f0a4b7d2291 ",
        "9223372036854775807.019bc05e-9a40-7c3d-8e11-5f0a4b7d2291", "-9223372036854775808.019bc05e-9a40-7c3d-8e11-5f0a4b7d2291",
        "99999999999999999999.019bc05e-9a40-7c3d-8e11-5f0a4b7d2291", "1e3.019bc05e-9a40-7c3d-8e11-5f0a4b7d2291", "' OR 1=1 --",
    ])
    func thatAreForgedAreAFaultOfTheCursor(_ text: String) throws {
        let forged = try Cursor(Base64URL.encode(text.utf8))
        #expect { try forged.position(of: Account.self) } throws: { error in
            let failure = error as? Failure
            return failure?.kind == .invalid && failure?.faults.map(\.pointer) == ["cursor"]
                && failure?.faults.map(\.code) == ["invalid_cursor"]
        }
    }

    @Test func thatAreNotTextAreForged() throws {
        let forged = try Cursor(Base64URL.encode([0xFF, 0xFE, 0x80]))
        #expect(throws: Failure.self) { try forged.position(of: Account.self) }
    }

    @Test(arguments: [(0, false), (1, true), (200, true), (201, false), (-1, false), (.max, false), (.min, false)])
    func goWithLimitsFromOneToTwoHundred(_ limit: Int, _ isAllowed: Bool) {
        #expect(((try? PageLimit(limit)) != nil) == isAllowed)
    }
}
