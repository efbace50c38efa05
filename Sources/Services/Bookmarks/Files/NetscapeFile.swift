import Foundation

/// The bookmark file that every browser exports and imports: "Netscape bookmark HTML".
///
/// Folders become a category and tags. The nearest folder around a bookmark is its category, and the folders around that one are
/// tags: a link in `Dev / Swift / Server` has the category `Server` and the tags `Dev` and `Swift`. The places that a browser keeps
/// for itself, such as its bookmarks bar, say nothing about what is in them and count as no folder; they are told by their
/// attribute (`PERSONAL_TOOLBAR_FOLDER` and the like) or by the English name that the browser gives them.
///
/// Source: there is no standard; this follows what Chromium, Firefox, Internet Explorer 11, Safari, Delicious and Shaarli write.
enum NetscapeFile {
    /// One bookmark in a file, as it stands there: nothing is validated.
    struct Entry: Hashable, Sendable {
        /// Empty when the file gives none.
        var url: String
        /// One line; empty when the file gives none.
        var title: String
        var notes: String?
        /// The tags written at the entry itself, each once.
        var tags: [String]
        var addedAt: Date?
        /// Names of the folders around the entry, outermost first, without the browser's own.
        var folders: [String]

        init(url: String, title: String = "", notes: String? = nil, tags: [String] = [], addedAt: Date? = nil, folders: [String] = []) {
            self.url = url
            self.title = title
            self.notes = notes
            self.tags = tags
            self.addedAt = addedAt
            self.folders = folders
        }
    }

    /// Why a file cannot be read.
    enum ReadFault: Error, Equatable, Sendable {
        /// Neither the format's DOCTYPE nor a single entry was found.
        case notABookmarkFile
        case tooManyEntries

        /// One sentence for the user.
        var message: String {
            switch self {
            case .notABookmarkFile: "This is not a bookmark file that a browser exported."
            case .tooManyEntries: "A bookmark file can have at most \(NetscapeFile.maximumEntries) bookmarks."
            }
        }
    }

    static let maximumEntries = 100_000
    /// How many folder names are kept on the way to an entry; what is in a deeper folder counts as in the last one kept.
    static let maximumDepth = 32
    /// The longest name of a folder or tag, in Unicode scalars; the rest is dropped.
    static let maximumNameLength = 100
    static let maximumTags = 100

    /// Reads a whole file; see ``NetscapeReader`` for reading one entry at a time.
    static func entries(in bytes: [UInt8]) throws(ReadFault) -> [Entry] {
        var reader = NetscapeReader(bytes)
        var entries: [Entry] = []
        while let entry = try reader.next() { entries.append(entry) }
        return entries
    }
}

extension NetscapeFile.Entry {
    /// The nearest folder.
    var category: String? { folders.last }

    /// The entry's own tags, then the outer folders; a folder named `Linux, Unix` is two tags, since a comma separates tags in a file.
    var allTags: [String] {
        let outer = folders.dropLast().flatMap { NetscapeTags.names(in: $0, separatedByWhitespace: false) }
        return (tags + outer).uniqued()
    }
}

/// The `TAGS` attribute.
enum NetscapeTags {
    /// Tags are separated by commas; where there is none, by white space, as older exports do.
    static func read(_ text: String) -> [String] {
        names(in: text, separatedByWhitespace: !text.utf8.contains(UInt8(ascii: ",")))
    }

    static func names(in text: String, separatedByWhitespace: Bool) -> [String] {
        clean(text.unicodeScalars.split { separatedByWhitespace ? $0.properties.isWhitespace : $0 == "," }.lazy.map { Substring($0) })
    }

    /// Each tag on one line, of bounded length, once; and not more of them than ``NetscapeFile/maximumTags``.
    static func clean(_ tags: some Sequence<some StringProtocol>) -> [String] {
        let names = tags.lazy.map { $0.onOneLine(maximumScalars: NetscapeFile.maximumNameLength) }.filter { !$0.isEmpty }
        return Array(names.prefix(NetscapeFile.maximumTags)).uniqued()
    }

    /// What ``read(_:)`` reads back as `tags`. A comma inside a tag cannot be written and becomes a space.
    static func written(_ tags: [String]) -> String {
        let text = tags.map { $0.replacing(",", with: " ") }.joined(separator: ",")
        // A single tag of two words would be read as two: a closing comma makes it one.
        return tags.count == 1 && text.unicodeScalars.contains(where: \.properties.isWhitespace) ? text + "," : text
    }
}

extension Sequence<String> {
    /// Each element once, in the order of first appearance.
    fileprivate func uniqued() -> [String] {
        var seen: Set<String> = []
        return filter { seen.insert($0).inserted }
    }
}
