import Foundation
import MartletTestSupport
import Testing

@testable import MartletBookmarks

@Suite struct ReadingABookmarkFile {
    @Test func findsLinksNotesTagsDatesAndFolders() throws {
        let entries = try read(
            """
            <!DOCTYPE NETSCAPE-Bookmark-file-1>
            <DL><p>
                <DT><H3 ADD_DATE="1">Dev</H3>
                <DD>About the folder, not about a link
                <DL><p>
                    <DT><A HREF="https://a.example/?x=1&amp;y=2" ADD_DATE="1456433748" TAGS="one,two words"
                        ICON="data:image/png;base64,AAAA">A &lt;b&gt; &#39;c&#x27;</A>
                    <DD>First line
                        second <b>line</b> <a href="https://not.example">kept</a><br>third
                    <HR>
                    <DT><H3>Swift</H3>
                    <DL><p>
                        <dt><a href='https://b.example'>B</a>
                    </DL><p>
                    <DT><A HREF=https://c.example>C</A>
                </DL><p>
                <DT><A HREF="https://d.example">
                    D   on two
                    lines</A></DT>
            </DL><p>
            """)
        #expect(
            entries == [
                .init(
                    url: "https://a.example/?x=1&y=2", title: "A <b> 'c'", notes: "First line\n            second line kept\nthird",
                    tags: ["one", "two words"], addedAt: Date(timeIntervalSince1970: 1_456_433_748), folders: ["Dev"]),
                .init(url: "https://b.example", title: "B", folders: ["Dev", "Swift"]),
                .init(url: "https://c.example", title: "C", folders: ["Dev"]),
                .init(url: "https://d.example", title: "D on two lines"),
            ])
    }

    @Test func makesFoldersACategoryAndTags() throws {
        let entry = NetscapeFile.Entry(url: "", tags: ["x", "Dev"], folders: ["Linux, Unix", "Dev", "Swift"])
        #expect(entry.category == "Swift")
        #expect(entry.allTags == ["x", "Dev", "Linux", "Unix"])
        #expect(NetscapeFile.Entry(url: "").category == nil)
    }

    @Test func takesOnlyTheFirstNotesOfAnEntry() throws {
        #expect(try read("<DD>none<DT><A HREF=a>A</A><DD>first<DD>second").map(\.notes) == ["first"])
    }

    @Test func leavesOutTheBrowsersOwnFolders() throws {
        let entries = try read(
            """
            <DL><DT><H3 PERSONAL_TOOLBAR_FOLDER="true">Lesezeichen-Symbolleiste</H3><DL>
            <DT><A HREF="a">A</A><DT><H3>Work</H3><DL><DT><A HREF="b">B</A></DL></DL>
            <DT><H3>Other Bookmarks</H3><DL><DT><A HREF="c">C</A></DL></DL>
            """)
        #expect(entries.map(\.folders) == [[], ["Work"], []])
    }

    @Test func toleratesListsThatDoNotMatch() throws {
        let entries = try read("</DL></DL><DT><H3>One</H3><DT><H3>Two</H3><DL><DT><A HREF=a>A<DT><A HREF=b>B</DL></DL></DL><DT><A HREF=c>C")
        #expect(entries.map(\.title) == ["A", "B", "C"])
        #expect(entries.map(\.folders) == [["Two"], ["Two"], []])
    }

    @Test func doesNotTakeAHeadingWithoutAListForTheNextOne() throws {
        #expect(try read("<DT><H3>Empty</H3><DT><A HREF=a>A</A><DL><DT><A HREF=b>B</A></DL>").map(\.folders) == [[], []])
    }

    @Test func splitsTagsAtCommasElseAtWhiteSpace() {
        #expect(NetscapeTags.read("public hello  world") == ["public", "hello", "world"])
        #expect(NetscapeTags.read("a, b c ,,a") == ["a", "b c"])
        #expect(NetscapeTags.read("") == [])
        #expect(NetscapeTags.read(String(repeating: "x", count: 500))[0].count == NetscapeFile.maximumNameLength)
        #expect(NetscapeTags.read((0..<5_000).map(String.init).joined(separator: " ")).count == NetscapeFile.maximumTags)
    }

    @Test func skipsCommentsAndKeepsStrayAngleBrackets() throws {
        let entries = try read("<!--><!-- <DT><A HREF=no>no</A> --><DT><!-- x --><A HREF=a>1 < 2 <- <</A><?php no ?>")
        #expect(entries == [.init(url: "a", title: "1 < 2 <- <")])
    }

    @Test func readsAttributesInAnyForm() throws {
        let entries = try read("<DT><A PRIVATE\n HrEf = \"a > b\" href=second add_date='12' =odd/ >t</A>")
        #expect(entries == [.init(url: "a > b", title: "t", addedAt: Date(timeIntervalSince1970: 12))])
    }

    @Test func decodesEntitiesOnlyWhenComplete() {
        let text = HTMLEntities.decoded(
            "&amp;lt; &copy=1 &eacute;&hellip;&nbsp;&#8230;&#x1F600; &#0; &#xD800; &#99999999999; &#146; &; & &unknown;")
        #expect(text == "&lt; &copy=1 é…\u{A0}…😀 \u{FFFD} \u{FFFD} &#99999999999; ’ &; & &unknown;")
    }

    @Test func readsWhatOlderBrowsersEncoded() throws {
        let declared = #"<META CONTENT="text/html; charset=windows-1252"><DT><A HREF=a>"#
        let bytes = Array(declared.utf8) + [0x93, 0x63, 0x61, 0x66, 0xE9, 0x94] + Array("</A><DT><A HREF=b>é</A>".utf8)
        #expect(try NetscapeFile.entries(in: bytes).map(\.title) == ["“café”", "é"])
        #expect(try NetscapeFile.entries(in: Array("<DT><A HREF=a>caf".utf8) + [0xE9] + Array("!</A>".utf8))[0].title == "caf\u{FFFD}!")
    }

    @Test(arguments: [
        "", "\u{FEFF}", "just text", "<!DOCTYPE html><html><body><a href='x'>x</a></body></html>", "<DT><A NAME=x>x</A>",
        "PK\u{3}\u{4}<\u{0}",
    ])
    func refusesWhatIsNoBookmarkFile(_ text: String) {
        #expect(throws: NetscapeFile.ReadFault.notABookmarkFile) { try read(text) }
    }

    @Test func takesAnEmptyExportForABookmarkFile() throws {
        #expect(try read("<!doctype netscape-bookmark-file-1><DL><p></DL>").isEmpty)
    }

    @Test func refusesMoreEntriesThanTheMaximum() throws {
        let entry = "<DT><A HREF=a>"
        let most = String(repeating: entry, count: NetscapeFile.maximumEntries)
        #expect(try read(most).count == NetscapeFile.maximumEntries)
        #expect(throws: NetscapeFile.ReadFault.tooManyEntries) { try read(most + entry) }
    }

    @Test func survivesAFileThatEndsAnywhere() {
        let file = Array(NetscapeWriterTests.sample.utf8)
        for length in 0..<file.count {
            let entries = try? NetscapeFile.entries(in: Array(file.prefix(length)))
            #expect((entries ?? []).count <= 4)
        }
    }

    private func read(_ text: String) throws -> [NetscapeFile.Entry] {
        try NetscapeFile.entries(in: Array(text.utf8))
    }
}

@Suite struct HostileBookmarkFiles {
    private static let start = "<!DOCTYPE NETSCAPE-Bookmark-file-1>"

    /// The looks at a byte that a file of this size may cost; a second pass over any part of it for each tag would cost thousands.
    @Test(arguments: [
        "<", "<a ", "<A HREF=\"", "<DT><A HREF='", "&", "&#", "&#x41", "<!--", "<!", "</", "<DL>", "</DL>", "<DT><H3>x<DL>", "<a =", "<a/",
        "<DD>&lt",
        "<a b='c' ", "-", "--><!--", "<?", "\u{0}", "é",
    ])
    func costTimeInProportionToTheirSize(_ unit: String) throws {
        let bytes = Array((Self.start + "<DT><A HREF=x>" + String(repeating: unit, count: 100_000 / unit.utf8.count)).utf8)
        var reader = NetscapeReader(bytes)
        while try reader.next() != nil {}
        #expect(reader.steps <= 4 * bytes.count)
    }

    @Test func areNotTooDeep() throws {
        let deep = Self.start + String(repeating: "<DT><H3>f</H3><DL><p>", count: 200_000) + "<DT><A HREF=a>A</A>"
        let closed = deep + String(repeating: "</DL>", count: 199_999) + "<DT><A HREF=b>B</A></DL><DT><A HREF=c>C</A>"
        let entries = try NetscapeFile.entries(in: Array(closed.utf8))
        #expect(entries.map(\.folders.count) == [NetscapeFile.maximumDepth, 1, 0])
    }

    @Test func keepOnlyAPartOfEndlessTexts() throws {
        let endless = String(repeating: "n ", count: 500_000)
        let entries = try NetscapeFile.entries(in: Array("<DT><A HREF=a>\(endless)</A><DD>\(endless)".utf8))
        #expect(entries[0].title.utf8.count <= 4_096)
        #expect((entries[0].notes ?? "").utf8.count <= 65_536)
    }

    @Test func areReadWhateverBytesTheyHave() {
        var generator = SeededNumbers(seed: 11)
        let pieces = [
            "<DT>", "<A HREF=\"", "\"", ">", "</A>", "<DL>", "</DL>", "<H3>", "</H3>", "<DD>", "<!--", "-->", "&amp;", "&#", "x", "\n", "=",
            "'", "<",
        ]
        for _ in 0..<300 {
            var bytes = Array(Self.start.utf8)
            for _ in 0..<200 {
                bytes += Array((pieces.randomElement(using: &generator) ?? "").utf8) + [UInt8.random(in: 0...255, using: &generator)]
            }
            #expect(throws: Never.self) { try NetscapeFile.entries(in: bytes) }
        }
    }
}

@Suite struct TheDateOfABookmark {
    @Test(arguments: [
        ("1456433748", 1_456_433_748.0), ("1456433748123", 1_456_433_748.123), ("1456433748123456", 1_456_433_748.123456),
        ("10/Oct/2000:13:55:36 +0300", 971_175_336), ("10/oct/2000:13:55:36 -0000", 971_186_136), (" 12 ", 12),
        ("2026-01-31T09:30:00Z", 1_769_851_800), ("2026-01-31T09:30:00.500+01:00", 1_769_848_200.5),
    ])
    func isRead(from text: String, _ seconds: Double) throws {
        #expect(abs(try #require(AddDate.date(text)).timeIntervalSince1970 - seconds) < 0.000_5)
    }

    @Test(arguments: [
        "", "0", "-5", "4102444800", "99999999999999999999", "yesterday", "1e9", "nan", "12/Foo/2000:13:55:36 +0300",
        "32/Oct/2000:13:55:36 +0300",
        "30/Feb/2000:13:55:36 +0300", "10/Oct/2000:25:55:36 +0300", "2026-13-01T00:00:00Z", "2026-02-30T00:00:00Z", "2026-01-31",
        "2200-01-01T00:00:00Z", "1900-01-01T00:00:00Z", "10/Oct/2000:13:55:36 é0300",
        "2026-01-31T09:30:00Z trailing",
    ])
    func isNotBelieved(_ text: String) {
        #expect(AddDate.date(text) == nil)
    }
}
