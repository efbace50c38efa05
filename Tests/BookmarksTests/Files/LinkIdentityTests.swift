import MartletTestSupport
import Testing

@testable import MartletBookmarks

@Suite struct TheIdentityOfALink {
    @Test(arguments: [
        ("HTTPS://Example.COM/Path", "https://example.com/Path"),
        ("https://example.com:443/a/", "https://example.com/a"),
        ("http://example.com:80", "http://example.com"),
        ("http://example.com:443/", "http://example.com:443"),
        ("https://example.com:0444/", "https://example.com:444"),
        ("https://example.com/", "https://example.com"),
        ("https://example.com/a//", "https://example.com/a/"),
        ("https://example.com/?", "https://example.com"),
        ("https://example.com/a#part", "https://example.com/a"),
        ("https://example.com/a#!/inbox", "https://example.com/a#!/inbox"),
        ("https://example.com/a#/inbox", "https://example.com/a#/inbox"),
        ("https://example.com/?utm_source=x&b=2&UTM_Medium=y&a=1&fbclid=z&ref=q", "https://example.com?b=2&a=1"),
        ("https://example.com/a?source=x&gclid&campaign=", "https://example.com/a"),
        ("https://example.com/?reference=1&sources=2", "https://example.com?reference=1&sources=2"),
        ("https://example.com/?q=a=b&&c", "https://example.com?q=a=b&&c"),
        ("https://example.com/caf%c3%a9?q=%zz%2f%", "https://example.com/caf%C3%A9?q=%zz%2F%"),
        ("https://Bücher.example/", "https://bücher.example"),
        ("http://[::1]:8080/x", "http://[::1]:8080/x"),
        ("http://[2001:DB8::1]/", "http://[2001:db8::1]"),
        ("  https://example.com/a\n", "https://example.com/a"),
        ("https://example.com/a?\u{301}b#c", "https://example.com/a?\u{301}b"),
    ])
    func isItsNormalForm(of link: String, _ expected: String) {
        #expect(LinkIdentity.normalForm(of: link) == expected)
    }

    @Test func keepsTwoVideosApart() {
        let first = LinkIdentity.normalForm(of: "https://www.youtube.com/watch?v=A&utm_source=share")
        let second = LinkIdentity.normalForm(of: "https://www.youtube.com/watch?v=B")
        #expect(first == "https://www.youtube.com/watch?v=A")
        #expect(first != second)
    }

    @Test func tellsHTTPFromHTTPSAndUpperFromLowerCasePaths() {
        #expect(LinkIdentity.normalForm(of: "http://a.example") != LinkIdentity.normalForm(of: "https://a.example"))
        #expect(LinkIdentity.normalForm(of: "https://a.example/X") != LinkIdentity.normalForm(of: "https://a.example/x"))
    }

    @Test(arguments: [
        ("", LinkFault.emptyURL), (" \n\t", .emptyURL),
        ("javascript:alert(1)", .invalidScheme), ("chrome://settings", .invalidScheme), ("chrome-extension://abc/x", .invalidScheme),
        ("file:///etc/passwd", .invalidScheme), ("about:blank", .invalidScheme), ("data:text/html,x", .invalidScheme),
        ("mailto:a@b.example", .invalidScheme), ("tel:123", .invalidScheme), ("place:type=6", .invalidScheme),
        ("ftp://a.example", .invalidScheme),
        ("?lY47tw", .invalidFormat), ("/relative", .invalidFormat), ("//a.example/x", .invalidFormat), ("example.com", .invalidFormat),
        ("http:/a.example", .invalidFormat), ("https://", .invalidFormat), ("https:///path", .invalidFormat),
        ("https://?q", .invalidFormat),
        ("https://a b.example", .invalidFormat), ("https://a.example/b c", .invalidFormat), ("https://a.example/\0x", .invalidFormat),
        ("https://a.example/\u{202E}x", .invalidFormat), ("https://user:secret@a.example/", .invalidFormat),
        ("https://good\\@evil.example", .invalidFormat),
        ("https://a.example:99999/", .invalidFormat), ("https://a.example:0/", .invalidFormat), ("https://a.example:x/", .invalidFormat),
        ("https://[::1", .invalidFormat), ("https://[]/", .invalidFormat), ("https://[::1]x/", .invalidFormat),
        ("https://a..b/", .invalidFormat),
        ("https://./", .invalidFormat), ("https://%41.example/", .invalidFormat), ("://", .invalidFormat), (":", .invalidFormat),
        ("java\nscript:alert(1)", .invalidFormat), ("https://<a>/", .invalidFormat), ("é:x", .invalidFormat),
    ])
    func isRefused(for link: String, _ fault: LinkFault) {
        #expect(throws: fault) { try LinkIdentity(link) }
        #expect(LinkIdentity.normalForm(of: link) == nil)
    }

    @Test func isBoundedInLength() {
        let start = "https://a.example/"
        let longest = start + String(repeating: "é", count: LinkIdentity.maximumLength - start.count)
        #expect(LinkIdentity.normalForm(of: longest) == longest)
        #expect(throws: LinkFault.tooLong) { try LinkIdentity(longest + "x") }
        #expect(throws: LinkFault.tooLong) { try LinkIdentity(String(repeating: "x", count: 5_000)) }
        #expect(throws: LinkFault.invalidScheme) { try LinkIdentity("javascript:" + String(repeating: "x", count: 5_000)) }
    }

    @Test func survivesAnyText() {
        var generator = SeededNumbers(seed: 7)
        let pieces = [
            "http", "https", ":", "//", "/", "?", "#", "%", "%c", "&", "=", "[", "]", "@", "a.b", "é", "\u{301}", "\0", " ", "1", "utm_x=1",
        ]
        for _ in 0..<5_000 {
            let text = (0..<Int.random(in: 0...8, using: &generator)).map { _ in pieces.randomElement(using: &generator) ?? "" }.joined()
            if let form = LinkIdentity.normalForm(of: text) { #expect(LinkIdentity.normalForm(of: form) != nil, "\(text)") }
        }
    }
}
