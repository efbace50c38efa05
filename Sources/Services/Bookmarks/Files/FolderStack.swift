/// The folders around the place that is being read.
///
/// Depth is counted without bound and remembered up to ``NetscapeFile/maximumDepth``.
struct FolderStack {
    /// `nil` for a list without a name, and for a folder that is the browser's own.
    private var names: [String?] = []
    private var deeper = 0
    private var announced: (name: String?, isBrowsersOwn: Bool?) = (nil, nil)
    /// Made once for all entries of a folder.
    private var knownPath: [String]?

    /// A heading begins: the next list is a folder. `nil` leaves it to the name whether it is the browser's own.
    mutating func announce(isBrowsersOwn: Bool?) {
        announced = (nil, isBrowsersOwn)
    }

    /// The heading's text.
    mutating func name(_ name: String) {
        announced.name = name.isEmpty ? nil : name
    }

    /// The heading had no list of its own after it.
    mutating func forgetName() {
        announced = (nil, nil)
    }

    /// Whether the names of deeper folders would not be kept.
    var isFull: Bool { names.count >= NetscapeFile.maximumDepth }

    mutating func open() {
        defer { forgetName() }
        guard !isFull else { return deeper += 1 }
        let isBrowsersOwn = announced.isBrowsersOwn ?? announced.name.map(Self.isBrowserFolder) ?? true
        names.append(isBrowsersOwn ? nil : announced.name)
        knownPath = nil
    }

    /// A list ends; one too many is ignored.
    mutating func close() {
        forgetName()
        guard deeper == 0 else { return deeper -= 1 }
        guard names.popLast() != nil else { return }
        knownPath = nil
    }

    /// Names of the folders, outermost first.
    var path: [String] {
        mutating get {
            let path = knownPath ?? names.compactMap(\.self)
            knownPath = path
            return path
        }
    }

    /// The names that browsers give to their own places, in English.
    static func isBrowserFolder(_ name: String) -> Bool {
        browserFolders.contains(name.lowercased())
    }

    private static let browserFolders: Set<String> = [
        "bookmarks", "bookmarks bar", "bookmark bar", "bookmarks menu", "bookmarks toolbar", "bookmarks toolbar folder", "favorites",
        "favorites bar", "favourites", "favourites bar", "imported", "imported bookmarks", "links", "mobile bookmarks", "other bookmarks",
        "other favorites", "other favourites", "personal toolbar", "unfiled", "unfiled bookmarks", "unsorted bookmarks",
    ]
}
