import Foundation
import Testing

@testable import MartletBookmarks

@Suite struct NetscapeWriterTests {
    static let sample = written([
        .init(url: "https://a.example/?a=1&b=\"2\"", title: "A <b> & 'c'", notes: "One\n\n<DT>two & &amp;", tags: ["x", "two words"]),
        .init(url: "https://b.example", title: "", addedAt: Date(timeIntervalSince1970: 1_456_433_748), folders: ["Dev"]),
        .init(url: "https://c.example", title: "Ünï 😀", tags: ["one tag"], folders: ["Dev", "Swift & <friends>"]),
        .init(url: "https://d.example", title: "D", folders: ["Else"]),
    ])

    static func written(_ entries: [NetscapeFile.Entry]) -> String {
        var writer = NetscapeWriter()
        return NetscapeWriter.header + entries.map { writer.lines(for: $0) }.joined() + writer.footer()
    }

    @Test func whatIsWrittenReadsBackTheSame() throws {
        let entries = try NetscapeFile.entries(in: Array(Self.sample.utf8))
        #expect(entries.count == 4)
        #expect(entries[0].notes == "One\n\n<DT>two & &amp;")
        #expect(entries[2] == .init(url: "https://c.example", title: "Ünï 😀", tags: ["one tag"], folders: ["Dev", "Swift & <friends>"]))
        #expect(Self.written(entries) == Self.sample)
    }

    @Test func looksLikeABrowsersExport() {
        let entry = NetscapeFile.Entry(
            url: "https://a.example", title: "A", notes: "N", tags: ["x", "y"], addedAt: Date(timeIntervalSince1970: 99.9), folders: ["F"])
        #expect(
            Self.written([entry]).hasSuffix(
                """
                <H1>Bookmarks</H1>
                <DL><p>
                    <DT><H3>F</H3>
                    <DL><p>
                        <DT><A HREF="https://a.example" ADD_DATE="99" TAGS="x,y">A</A>
                        <DD>N
                    </DL><p>
                </DL><p>

                """))
    }

    @Test func aCommaInATagBecomesASpaceAndOneTagOfTwoWordsStaysOne() {
        #expect(NetscapeTags.read(NetscapeTags.written(["a,b", "c"])) == ["a b", "c"])
        #expect(NetscapeTags.read(NetscapeTags.written(["machine learning"])) == ["machine learning"])
    }

    @Test func aFolderNamedLikeABrowsersOwnStaysAFolder() throws {
        let entry = NetscapeFile.Entry(url: "a", folders: ["Favorites", "Links"])
        #expect(try NetscapeFile.entries(in: Array(Self.written([entry]).utf8)) == [entry])
    }

    @Test func everyListThatIsOpenedIsClosed() {
        #expect(Self.sample.ranges(of: "<DL><p>").count == Self.sample.ranges(of: "</DL><p>").count)
    }

    @Test func datesThatCannotBeWrittenAreLeftOut() {
        for seconds in [-1, 0, Double.infinity, .nan, 1e300] {
            #expect(!Self.written([.init(url: "a", addedAt: Date(timeIntervalSince1970: seconds))]).contains("ADD_DATE"))
        }
    }
}
