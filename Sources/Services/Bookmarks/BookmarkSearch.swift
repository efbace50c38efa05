import MartletBookmarksAPI
import MartletContract
import MartletCore
import MartletStorage

extension BookmarkStore {
    /// Best matches first, the newest of equal ones.
    func search(_ search: TextSearch, owner: Identifier<Account>) async throws -> SearchAnswer {
        let query = SearchQuery(search.q, owner: owner)
        guard !query.isEmpty else { return SearchAnswer(query: search.q, items: [], total: 0) }
        let limit = search.limit?.raw ?? PageLimit.standard
        let best = try await database.all(Bookmark.self, query.ranked(limit: limit, database.dialect))
        // Fewer than asked for are all that there are.
        let total = best.count < limit ? best.count : try await database.first(Int.self, query.count(database.dialect))
        return SearchAnswer(query: search.q, items: best.map(query.hit), total: total ?? best.count)
    }
}

/// Words as a query of the engine's text search: all of them, the last one also as a beginning. Any text is one; none is an error.
struct SearchQuery: Sendable {
    /// As they were written. Split where the engines' indexes do, so that nothing of their query languages is left.
    private let words: [String]
    private let folded: [String]
    private let searched: SearchedWords
    private let owner: Identifier<Account>

    init(_ text: SearchWords, owner: Identifier<Account>) {
        words = text.raw.words.prefix(SearchedWords.maximum).map { String($0) }
        folded = words.map(Folding.fold).filter { !$0.isEmpty }
        searched = SearchedWords(folded)
        self.owner = owner
    }

    var isEmpty: Bool { folded.isEmpty }

    /// Whether a bookmark of the owner has the words.
    func condition(_ dialect: SQLDialect) -> SQL {
        guard !isEmpty else { return "owner_id = \(owner) AND 1 = 0" }
        return switch dialect {
        case .sqlite: "owner_id = \(owner) AND row IN (SELECT rowid FROM bookmark_search WHERE bookmark_search MATCH \(fts5))"
        case .postgres: "owner_id = \(owner) AND words @@ \(tsquery)::tsquery"
        }
    }

    /// How many of the owner's bookmarks have the words. SQLite's index alone knows: the owner is one of the words.
    func count(_ dialect: SQLDialect) -> SQL {
        switch dialect {
        case .sqlite: "SELECT count(*) FROM bookmark_search WHERE bookmark_search MATCH \(fts5)"
        case .postgres: "SELECT count(*) FROM bookmark WHERE \(condition(dialect))"
        }
    }

    /// The best matches. A title counts most, then a tag, then notes and category, then the link.
    func ranked(limit: Int, _ dialect: SQLDialect) -> SQL {
        switch dialect {
        case .sqlite:
            // Only the best are looked up. Of equal ones those that came last are taken, which the index knows by itself.
            """
            SELECT \(BookmarkStore.columns)
            FROM (
                SELECT rowid AS found, rank AS place FROM bookmark_search WHERE bookmark_search MATCH \(fts5)
                ORDER BY rank, rowid DESC LIMIT \(limit)
            ) CROSS JOIN bookmark ON row = found
            WHERE owner_id = \(owner)
            ORDER BY place, saved_at DESC, id DESC
            """
        case .postgres:
            """
            SELECT \(BookmarkStore.columns)
            FROM bookmark, CAST(\(tsquery) AS tsquery) AS query
            WHERE words @@ query AND owner_id = \(owner)
            ORDER BY ts_rank('{0.1, 0.3, 0.5, 1.0}', words, query, 1) DESC, saved_at DESC, id DESC LIMIT \(limit)
            """
        }
    }

    func hit(_ bookmark: Bookmark) -> SearchHit {
        SearchHit(bookmark: bookmark, snippet: snippet(of: bookmark))
    }

    /// From the notes where they have a word, or else the title.
    private func snippet(of bookmark: Bookmark) -> String {
        if let notes = bookmark.notes {
            let passage = Passage(notes.raw, of: searched)
            if passage.hasFinds { return passage.html }
        }
        return Passage(bookmark.title.raw, of: searched).html
    }

    private var fts5: String {
        let quoted = words.map { "\"\($0)\"" }.joined(separator: " AND ")
        return "owner : \"\(owner.description.replacing("-", with: ""))\" AND {title notes url tags category} : (\(quoted) *)"
    }

    /// Of each word what ``Folding/longestWord`` keeps, as in the index.
    private var tsquery: String {
        folded.map { "'\(String(String.UnicodeScalarView($0.unicodeScalars.prefix(Folding.longestWord))))'" }.joined(separator: " & ")
            + ":*"
    }
}
