import Foundation
import Testing

@testable import MartletBookmarks

/// Real exports, counted by hand in the files.
@Suite(.enabled(if: Fixtures.areThere)) struct ExportsOfRealBrowsers {
    @Test(arguments: [
        Counts("chromium_nested.htm", entries: 18, links: 18, notes: 0, tags: 0, dates: 18),
        Counts("delicious.htm", entries: 5, links: 5, notes: 4, tags: 18, dates: 5),
        Counts("firefox_nested.htm", entries: 24, links: 21, notes: 8, tags: 101, dates: 24),
        Counts("internet_explorer_11_nested.htm", entries: 27, links: 27, notes: 0, tags: 0, dates: 27),
        Counts("netscape_basic.htm", entries: 2, links: 2, notes: 1, tags: 5, dates: 2),
        Counts("netscape_extended.htm", entries: 1, links: 1, notes: 1, tags: 2, dates: 1),
        Counts("safari_folded.htm", entries: 3, links: 3, notes: 0, tags: 0, dates: 0),
        Counts("shaarli.htm", entries: 6, links: 5, notes: 4, tags: 25, dates: 6),
    ])
    func areReadInFull(_ expected: Counts) throws {
        let entries = try read(expected.file)
        #expect(entries.count == expected.entries)
        #expect(entries.count { LinkIdentity.normalForm(of: $0.url) != nil } == expected.links)
        #expect(entries.count { $0.notes != nil } == expected.notes)
        #expect(entries.map(\.tags.count).reduce(0, +) == expected.tags)
        #expect(entries.count { $0.addedAt != nil } == expected.dates)
        #expect(entries.allSatisfy { !$0.title.isEmpty })
    }

    @Test(arguments: [
        (
            "chromium_nested.htm",
            ["": 4, "PHP": 2, "Python": 3, "Dev": 2, "MOOC": 2, "Linux, Unix OS,Other stuff": 1, "Self-hosting": 4]
        ),
        ("firefox_nested.htm", ["": 5, "Comics": 4, "Dev": 7, "PHP": 2, "FLOSS": 5, "Games": 1]),
        (
            "internet_explorer_11_nested.htm",
            ["": 2, "Comics": 2, "PHP": 1, "Python": 2, "SCM": 3, "Dev": 6, "Microsoft Websites": 5, "Music": 2, "Windows Live": 4]
        ),
        ("safari_folded.htm", ["Favoris": 1, "Github - Shaarli": 1, "doc": 1]),
    ])
    func keepTheirFoldersAsCategories(_ file: String, _ expected: [String: Int]) throws {
        let categories = try read(file).map { $0.category ?? "" }
        #expect(Dictionary(categories.map { ($0, 1) }, uniquingKeysWith: +) == expected)
    }

    @Test func keepOuterFoldersAsTags() throws {
        #expect(try read("safari_folded.htm").last?.allTags == ["Autre Divers"])
        #expect(try read("firefox_nested.htm").first { $0.category == "PHP" }?.allTags == ["github", "netscape", "parser", "Dev"])
    }

    @Test func keepDatesOfBothForms() throws {
        #expect(try read("netscape_basic.htm").map { $0.addedAt?.timeIntervalSince1970 } == [971_175_336, 1_456_433_748])
    }

    @Test func keepTheTextOfNotesWithMarkup() throws {
        let notes = try #require(try read("netscape_extended.htm").first?.notes)
        #expect(notes.hasPrefix("For 10 years, a rogue fishing vessel and its crew plundered the world’s oceans"))
        #expect(notes.hasSuffix("netted the one that got away."))
        let recipe = try #require(try read("shaarli.htm").first?.notes)
        #expect(
            recipe.hasPrefix("\"Is there anything more fabulous") && recipe.hasSuffix("Kouign Amann\"")
                && recipe.split(separator: "\n").count == 4)
    }

    @Test func skipWhatIsNoWebLink() throws {
        #expect(throws: LinkFault.invalidScheme) { try LinkIdentity(read("firefox_nested.htm")[0].url) }
        #expect(throws: LinkFault.invalidFormat) { try LinkIdentity(read("shaarli.htm")[0].url) }
        #expect(throws: NetscapeFile.ReadFault.notABookmarkFile) { try read("empty.htm") }
    }

    @Test(arguments: Fixtures.files.filter { $0 != "empty.htm" })
    func areTheSameAfterWritingAndReading(_ file: String) throws {
        let entries = try read(file)
        #expect(try NetscapeFile.entries(in: Array(NetscapeWriterTests.written(entries).utf8)) == entries)
    }

    private func read(_ file: String) throws -> [NetscapeFile.Entry] {
        try NetscapeFile.entries(in: Array(Data(contentsOf: Fixtures.folder.appending(path: file))))
    }

    struct Counts: Sendable, CustomTestStringConvertible {
        var file: String
        var entries, links, notes, tags, dates: Int

        init(_ file: String, entries: Int, links: Int, notes: Int, tags: Int, dates: Int) {
            (self.file, self.entries, self.links, self.notes, self.tags, self.dates) = (file, entries, links, notes, tags, dates)
        }

        var testDescription: String { file }
    }
}

@Suite struct TheExampleExport {
    @Test(.enabled(if: FileManager.default.fileExists(atPath: file.path))) func hasTwelveLinksInThreeFolders() throws {
        let entries = try NetscapeFile.entries(in: Array(Data(contentsOf: Self.file)))
        #expect(entries.count == 12)
        #expect(Set(entries.flatMap(\.folders)) == ["Swift", "Databases", "Reading"])
        #expect(Set(entries.compactMap { LinkIdentity.normalForm(of: $0.url) }).count == 12)
        #expect(entries.contains { $0.notes != nil } && entries.contains { !$0.tags.isEmpty } && entries.allSatisfy { $0.addedAt != nil })
    }

    private static let file = Fixtures.packageRoot.appending(path: "Examples/bookmarks.html")
}

/// Exports that are not part of the package: `MARTLET_FIXTURES`, else `../shared/data`.
private enum Fixtures {
    static let packageRoot = URL(filePath: #filePath).appending(path: "../../../..").standardizedFileURL

    static let folder: URL = {
        let configured = ProcessInfo.processInfo.environment["MARTLET_FIXTURES"].map { URL(filePath: $0) }
        return (configured ?? packageRoot.appending(path: "../shared/data").standardizedFileURL).appending(path: "bookmarks")
    }()

    static var files: [String] {
        let names = try? FileManager.default.contentsOfDirectory(atPath: folder.path)
        return (names ?? []).filter { $0.hasSuffix(".htm") }.sorted()
    }

    static var areThere: Bool { !files.isEmpty }
}
