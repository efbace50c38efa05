import Foundation
import MartletBookmarksAPI
import MartletContract
import MartletCore
import MartletStorage

extension BookmarkStore {
    /// Best matches first.
    func search(_ search: TextSearch, owner: Identifier<Account>) async throws -> SearchAnswer {
        let query = SearchQuery(search.q, owner: owner)
        guard !query.isEmpty else { return SearchAnswer(query: search.q, items: [], total: 0) }
        let rows = try await database.all(SearchRow.self, query.ranked(limit: search.limit?.raw ?? PageLimit.standard, database.dialect))
        let total = try await database.first(Int.self, query.count(database.dialect))
        return SearchAnswer(query: search.q, items: rows.map(\.hit), total: total ?? rows.count)
    }
}

/// Words as a query of the engine's text search: all of them, the last one also as a beginning. Any text is one; none is an error.
struct SearchQuery: Sendable {
    static let maximumWords = 20
    private let words: [String]
    private let owner: Identifier<Account>

    init(_ text: SearchWords, owner: Identifier<Account>) {
        // Split where the engines' tokenizers do, so that nothing of their query languages is left.
        // By scalars: a mark that combines with a quote, or the variant of an emoji, does not make a word of it.
        words = text.raw.unicodeScalars.split { !$0.isPartOfWord }.filter { word in word.contains { !$0.isMark } }
            .prefix(Self.maximumWords).map { String($0) }
        self.owner = owner
    }

    var isEmpty: Bool { words.isEmpty }

    /// Whether a bookmark of the owner has the words.
    func condition(_ dialect: SQLDialect) -> SQL {
        guard !isEmpty else { return "owner_id = \(owner) AND 1 = 0" }
        return switch dialect {
        case .sqlite: "owner_id = \(owner) AND row IN (SELECT rowid FROM bookmark_search WHERE bookmark_search MATCH \(fts5))"
        case .postgres: "owner_id = \(owner) AND words @@ to_tsquery('simple', \(tsquery))"
        }
    }

    /// How many of the owner's bookmarks have the words. The index alone knows: the owner is one of the words.
    func count(_ dialect: SQLDialect) -> SQL {
        switch dialect {
        case .sqlite: "SELECT count(*) FROM bookmark_search WHERE bookmark_search MATCH \(fts5)"
        case .postgres: "SELECT count(*) FROM bookmark WHERE \(condition(dialect))"
        }
    }

    /// The best matches with their snippets. The marks around found words are characters that no stored text contains.
    func ranked(limit: Int, _ dialect: SQLDialect) -> SQL {
        switch dialect {
        case .sqlite:
            """
            SELECT id, bookmark.url, bookmark.title, bookmark.notes, bookmark.category, bookmark.tags, saved_at, updated_at,
                snippet(bookmark_search, 1, char(2), char(3), '…', 24) AS title_snippet,
                snippet(bookmark_search, 2, char(2), char(3), '…', 24) AS notes_snippet
            FROM bookmark_search CROSS JOIN bookmark ON bookmark.row = bookmark_search.rowid
            WHERE bookmark_search MATCH \(fts5) AND bookmark.owner_id = \(owner)
            ORDER BY bookmark_search.rank LIMIT \(limit)
            """
        case .postgres:
            """
            SELECT \(BookmarkStore.columns),
                ts_headline('simple', title, query, 'StartSel=' || chr(2) || ',StopSel=' || chr(3)) AS title_snippet,
                ts_headline('simple', coalesce(notes, ''), query, 'MaxWords=24,MinWords=8,StartSel=' || chr(2) || ',StopSel=' || chr(3))
                    AS notes_snippet
            FROM bookmark, to_tsquery('simple', \(tsquery)) AS query
            WHERE words @@ query AND owner_id = \(owner)
            ORDER BY ts_rank(words, query) DESC LIMIT \(limit)
            """
        }
    }

    private var fts5: String {
        let quoted = words.map { "\"\($0)\"" }.joined(separator: " AND ")
        return "owner : \"\(owner.description.replacing("-", with: ""))\" AND {title notes url tags category} : (\(quoted) *)"
    }

    private var tsquery: String {
        words.map { "'\($0)'" }.joined(separator: " & ") + ":*"
    }
}

extension Unicode.Scalar {
    fileprivate var isPartOfWord: Bool {
        switch properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter: true
        case .decimalNumber, .letterNumber, .otherNumber: true
        default: isMark
        }
    }

    /// Whether it only changes the letter before it.
    fileprivate var isMark: Bool {
        switch properties.generalCategory {
        case .nonspacingMark, .spacingMark, .enclosingMark: true
        default: false
        }
    }
}

private struct SearchRow: Decodable, Sendable {
    let bookmark: Bookmark
    let titleSnippet: String
    let notesSnippet: String

    enum CodingKeys: String, CodingKey { case titleSnippet, notesSnippet }

    init(from decoder: any Decoder) throws {
        bookmark = try Bookmark(from: decoder)
        let container = try decoder.container(keyedBy: CodingKeys.self)
        titleSnippet = try container.decode(String.self, forKey: .titleSnippet)
        notesSnippet = try container.decode(String.self, forKey: .notesSnippet)
    }

    var hit: SearchHit {
        SearchHit(bookmark: bookmark, snippet: Self.html(notesSnippet.contains("\u{2}") ? notesSnippet : titleSnippet))
    }

    private static func html(_ text: String) -> String {
        text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;").replacing("\"", with: "&quot;")
            .replacing("\u{2}", with: "<mark>").replacing("\u{3}", with: "</mark>")
    }
}
