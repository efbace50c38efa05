import Foundation
import MartletCore
import Testing

@testable import MartletMail

@Suite("A message on the wire") struct MessageFormats {
    private func lines(_ subject: HeaderText, _ text: String) throws -> [String] {
        let (ada, sender) = (try #require(Mailbox("ada@example.org")), try #require(Mailbox("no-reply@example.com")))
        let clock = WallClock { Date(timeIntervalSince1970: 1_795_311_615) }
        let bytes = MessageFormat(sender: sender, clock: clock).bytes(of: MailMessage(to: ada, subject: subject, text: text))
        #expect(bytes.allSatisfy { $0 < 0x80 })
        let parts = String(decoding: bytes, as: UTF8.self).components(separatedBy: "\r\n")
        #expect(parts.allSatisfy { !$0.contains("\n") && !$0.contains("\r") && $0.utf8.count <= 998 })
        return parts
    }

    @Test func hasTheFieldsOfAMail() throws {
        let lines = try lines("Hello", "One\nTwo")
        #expect(lines.contains("From: <no-reply@example.com>") && lines.contains("To: <ada@example.org>"))
        #expect(lines.contains("Subject: Hello") && lines.contains("Date: Sun, 22 Nov 2026 01:40:15 +0000"))
        #expect(lines.count { $0.hasPrefix("Message-ID: <") && $0.hasSuffix("@example.com>") } == 1)
        #expect(lines.suffix(4) == ["", "One", "Two", ""])
    }

    @Test func carriesOtherCharactersInASCII() throws {
        let subject = try #require(HeaderText(String(repeating: "Grüße 🐦 ", count: 12)))
        let lines = try lines(subject, "Grüße\nzwei")
        let words = lines.drop { !$0.hasPrefix("Subject: ") }.prefix { $0.hasPrefix("Subject: ") || $0.hasPrefix(" ") }
        #expect(words.allSatisfy { $0.utf8.count <= 76 + "Subject: ".utf8.count })
        let decoded = words.compactMap { $0.split(separator: "?").dropFirst(3).first }.compactMap { Data(base64Encoded: String($0)) }
        #expect(String(decoding: decoded.joined(), as: UTF8.self) == subject.raw)
        let body = lines.drop { $0 != "" }
        #expect(Data(base64Encoded: body.joined()).map { String(decoding: $0, as: UTF8.self) } == "Grüße\r\nzwei")
    }

    @Test(arguments: ["=?utf-8?B?SGk=?=", "plain =? here"])
    func saysWhatLooksLikeAnEncodedWordLiterally(subject: String) throws {
        let lines = try lines(try #require(HeaderText(subject)), "text")
        #expect(!lines.contains { $0.contains(subject) })
    }

    @Test(arguments: [
        "", "a\r\nBcc: eve@example.org", "a\nb", "a\rb", "a\u{0}", "a\u{2028}b", "a\u{85}b", String(repeating: "a", count: 201),
    ])
    func aSubjectCannotHoldWhatBreaksLines(text: String) {
        #expect(HeaderText(text) == nil)
    }

    @Test(arguments: [
        "", "ada", "ada@", "@example.org", "ada@example", "ada@example.org\r\nRCPT TO:<eve@example.org>", "ada@example.org>",
        "<ada@example.org",
        "a da@example.org", "ada@exam\u{0}ple.org", "ada@example.org,eve@example.org", "\"ada\"@example.org", "ädä@example.org",
        "a@b@example.org",
    ])
    func anAddressCannotHoldMoreThanOne(text: String) {
        #expect(Mailbox(text) == nil)
    }

    @Test func isNotPrinted() throws {
        let message = MailMessage(to: try #require(Mailbox("ada@example.org")), subject: "Hello", text: "canary-7c1b")
        var dumped = ""
        dump(message, to: &dumped)
        #expect(!"\(message) \(String(reflecting: message)) \(dumped)".contains("canary"))
    }
}
