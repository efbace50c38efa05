import Foundation
import MartletContract
import Testing

@testable import MartletCore

@Suite struct EmailAddresses {
    @Test(arguments: [
        "a@b.c", "ada@example.org", "Ada.Lovelace+news@sub.example.org", "a!#$%&'*+/=?^_`{|}~-@example.org", "1@2.3",
        "a@xn--bcher-kva.example",
        String(repeating: "a", count: 64) + "@example.org", "a@" + String(repeating: "b", count: 63) + ".org",
    ])
    func areTaken(_ text: String) throws {
        #expect(try EmailAddress(text).raw == text)
    }

    @Test(arguments: [
        "", "@", "a", "a@", "@b.c", "a@b", "a@@b.c", "a@b@c.d", "a b@c.d", " a@b.c", "a@b.c ", "a@b.c\n", ".a@b.c", "a.@b.c", "a..b@c.d",
        "a@.b.c", "a@b..c",
        "a@b.c.", "a@-b.c", "a@b-.c", "a@b_c.d", "\"a\"@b.c", "a(x)@b.c", "a,b@c.d", "a;b@c.d", "<a@b.c>", "ä@b.c", "a@bücher.example",
        "a\0@b.c", "a@b.c\0",
        "a\r\nBcc: x@b.c", "a@\u{FF42}.c", "a\u{301}@b.c", String(repeating: "a", count: 65) + "@example.org",
        "a@" + String(repeating: "b", count: 64) + ".org", "a@" + String(repeating: "bbbbbbbbb.", count: 30) + "org", "a@[127.0.0.1]",
    ])
    func areRefused(_ text: String) {
        #expect(throws: Fault.self) { try EmailAddress(text) }
    }
}

@Suite struct Usernames {
    @Test(arguments: ["ada", "Ada_L-9", "___", "---", "123", String(repeating: "x", count: 50)])
    func areTaken(_ text: String) throws {
        #expect(try Username(text).raw == text)
    }

    @Test(arguments: [
        "", "ab", String(repeating: "x", count: 51), "a b c", " ada", "ada ", "ada\n", "a.d.a", "ada@x", "ädä", "ada\0", "аda",
        "ada\u{301}", "a/../b", "a%20b", "😀😀😀",
    ])
    func areRefused(_ text: String) {
        #expect(throws: Fault.self) { try Username(text) }
    }
}

@Suite struct WebLinks {
    @Test(arguments: [
        "http://a", "https://a.example", "HTTPS://A.example/B", "https://a.example:8443/x?y=z#w", "http://127.0.0.1/", "http://[::1]:80/x",
        "https://a.example:/",
        "https://bücher.example/ä", "https://a.example/?q=a%20b&c[]=1|2", "https://a.example/?u=http://x@y/", "https://a.example#@x",
        "https://a.example/" + String(repeating: "x", count: 2030),
    ])
    func areTaken(_ text: String) throws {
        #expect(try WebLink(text).raw == text)
    }

    @Test func loseTheWhiteSpaceAroundThem() throws {
        #expect(try WebLink(" \n\thttps://a.example/x\u{3000}").raw == "https://a.example/x")
    }

    @Test(arguments: [
        "", " ", "a.example", "//a.example", "/x", "ftp://a.example", "javascript:alert(1)", "data:text/html,x", "file:///etc/passwd",
        "mailto:a@b.c", "https:",
        "https:/a.example", "https://", "https:///x", "https://?q", "https://#f", "https://:80", "https://[", "https://[]",
        "https://user@a.example",
        "https://user:pw@a.example/", "https://user@\u{301}a.example/", "https://a.example:x/", "https://a.example:65536/",
        "https://a.example:-1/",
        "https://a b.example/", "https://a.example/a b", "https://a.example/\u{0}", "https://a.example/\u{7F}", "https://a.example/\u{A0}x",
        "https://a.example/\nx",
        "https://a.example/<script>", "https://a.example/\"x", "https://a\\b/", "https://%61.example/", "https://a^b/", "https://{a}/",
        "https://a.example/" + String(repeating: "x", count: 2031), "https://a.example/" + String(repeating: "é", count: 1020),
    ])
    func areRefused(_ text: String) {
        #expect(throws: Fault.self) { try WebLink(text) }
    }
}

@Suite struct BoundedTexts {
    enum Limits: TextLimits {
        static let length = 2...5
        static let example = "text"
    }

    @Test(arguments: [
        ("ab", "ab"), ("abcde", "abcde"), ("  ab \n", "ab"), ("a b", "a b"), ("a\tb\nc", "a\tb\nc"), ("😀😀", "😀😀"), ("e\u{301}", "e\u{301}"),
        ("\u{3000}日本\u{2003}", "日本"),
    ])
    func areTrimmed(_ text: String, _ kept: String) throws {
        #expect(try Text<Limits>(text).raw == kept)
    }

    @Test(arguments: [
        ("", "empty"), ("   ", "empty"), ("\n\u{3000}", "empty"), ("a", "too_short"), (" a ", "too_short"), ("abcdef", "too_long"),
        ("👩‍👩‍👧‍👧", "too_long"),
        ("e\u{301}\u{301}\u{301}\u{301}\u{301}", "too_long"), ("a\0b", "control_character"), ("a\u{7}b", "control_character"),
        ("a\u{1B}[0m", "control_character"),
        ("a\u{7F}b", "control_character"), ("a\u{85}b", "control_character"), ("a\u{9F}b", "control_character"),
    ])
    func areRefusedWithTheReason(_ text: String, _ code: String) {
        #expect { try Text<Limits>(text) } throws: { ($0 as? Fault)?.code == code }
    }
}

@Suite struct Identifiers {
    @Test func areVersionSevenUUIDs() {
        for _ in 0..<1_000 {
            let characters = Array(Identifier<Account>().description)
            #expect(characters.count == 36 && characters[14] == "7" && "89ab".contains(characters[19]))
        }
    }

    @Test func sortByTheMomentTheyWereMade() {
        let moments = [0, 0.001, 1, 255, 256, 65_536, 1_768_469_400, 1_768_469_400.001, 4_102_444_800, 200_000_000_000.0]
        let identifiers = moments.map { Identifier<Account>(UUID.version7(at: Date(timeIntervalSince1970: $0))) }
        #expect(identifiers == identifiers.shuffled().sorted())
        #expect(identifiers.map(\.description) == identifiers.map(\.description).shuffled().sorted())
    }

    @Test func holdTheMillisecondsInTheirFirstSixBytes() {
        #expect(Identifier<Account>(UUID.version7(at: Date(timeIntervalSince1970: 1))).description.hasPrefix("00000000-03e8-7"))
        #expect(Identifier<Account>(UUID.version7(at: Date(timeIntervalSince1970: -1))).description.hasPrefix("00000000-0000-7"))
    }

    @Test func areAllDifferent() {
        #expect(Set((0..<10_000).map { _ in Identifier<Account>() }).count == 10_000)
    }

    @Test func areReadInEitherCaseAndWrittenInLower() throws {
        let text = "019BC05E-9a40-7C3D-8e11-5F0A4B7D2291"
        #expect(try Identifier<Account>(text).raw == text.lowercased())
        #expect(try Identifier<Account>("00000000-0000-0000-0000-000000000000").raw == "00000000-0000-0000-0000-000000000000")
    }

    @Test(arguments: [
        "", "1", "019bc05e9a407c3d8e115f0a4b7d2291", "{019bc05e-9a40-7c3d-8e11-5f0a4b7d2291}", "019bc05e-9a40-7c3d-8e11-5f0a4b7d229",
        "019bc05e-9a40-7c3d-8e11-5f0a4b7d22911",
        "019bc05e-9a40-7c3d-8e11-5f0a4b7d229g", "019bc05e_9a40_7c3d_8e11_5f0a4b7d2291", " 019bc05e-9a40-7c3d-8e11-5f0a4b7d229",
        "019bc05-e9a40-7c3d-8e11-5f0a4b7d2291",
        "019bc05e-9a40-7c3d-8e11-5f0a4b7d22é", "+19bc05e-9a40-7c3d-8e11-5f0a4b7d2291", "0x9bc05e-9a40-7c3d-8e11-5f0a4b7d2291",
    ])
    func areNotReadFromAnythingElse(_ text: String) {
        #expect(throws: Fault.self) { try Identifier<Account>(text) as Identifier<Account> }
        #expect(UUID(text: text) == nil)
    }
}
