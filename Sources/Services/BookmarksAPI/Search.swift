public import MartletContract

/// Words to search for.
public struct TextSearch: Codable, Sendable {
    public var q: SearchWords
    public var limit: PageLimit?

    public init(_ words: SearchWords, limit: PageLimit? = nil) {
        q = words
        self.limit = limit
    }
}

/// What a search found, best first.
public struct SearchAnswer: Codable, Sendable {
    public var query: SearchWords
    public var items: [SearchHit]
    /// How many bookmarks match in all.
    public var total: Int

    public init(query: SearchWords, items: [SearchHit], total: Int) {
        self.query = query
        self.items = items
        self.total = total
    }
}

public struct SearchHit: Codable, Sendable {
    public var bookmark: Bookmark
    /// Where the words stand: plain text, escaped for HTML, with each found word between `<mark>` and `</mark>`.
    public var snippet: String

    public init(bookmark: Bookmark, snippet: String) {
        self.bookmark = bookmark
        self.snippet = snippet
    }
}

public enum SearchWordsLimits: TextLimits {
    public static let length = 1...1000
    public static let example = "swift conc"
}
public typealias SearchWords = Text<SearchWordsLimits>
