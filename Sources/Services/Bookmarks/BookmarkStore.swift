import Foundation
import MartletBookmarksAPI
import MartletContract
import MartletCore
import MartletStorage

/// The SQL of bookmarks. Every statement names the owner: what is another's is not found.
struct BookmarkStore: Sendable {
    let database: any Queries

    init(_ database: any Queries) {
        self.database = database
    }

    static let columns: SQL = "id, url, title, notes, category, tags, saved_at, updated_at"

    func find(_ id: Bookmark.ID, owner: Identifier<Account>) async throws -> Bookmark {
        try await database.one(
            Bookmark.self, "SELECT \(Self.columns) FROM bookmark WHERE id = \(id) AND owner_id = \(owner)", else: Self.notFound)
    }

    func insert(_ draft: BookmarkDraft, owner: Identifier<Account>, at now: Date) async throws -> Bookmark {
        guard let bookmark = try await insertIfNew(draft, owner: owner, at: now) else { throw Self.exists }
        return bookmark
    }

    /// `nil` when the link is saved already.
    func insertIfNew(_ draft: BookmarkDraft, owner: Identifier<Account>, at now: Date) async throws -> Bookmark? {
        do {
            return try await database.first(
                Bookmark.self,
                """
                INSERT INTO bookmark (id, owner_id, url, normal_form, title, notes, category, tags, saved_at, updated_at)
                VALUES (\(Bookmark.ID()), \(owner), \(draft.url.raw), \(draft.normalForm), \(draft.title.raw), \(draft.notes?.raw),
                    \(draft.category?.raw), \(json: draft.tags), \(draft.savedAt ?? now), \(now))
                ON CONFLICT DO NOTHING
                RETURNING \(Self.columns)
                """)
        } catch let failure as SQLFailure where failure.kind == .foreignKey {
            // A token outlives its account by up to its lifetime.
            throw Failure.unauthenticated("account_gone", "The account of this token does not exist any more.")
        }
    }

    func update(_ bookmark: Bookmark, owner: Identifier<Account>, at now: Date) async throws -> Bookmark {
        do {
            return try await database.one(
                Bookmark.self,
                """
                UPDATE bookmark
                SET url = \(bookmark.url.raw), normal_form = \(bookmark.url.normalForm), title = \(bookmark.title.raw),
                    notes = \(bookmark.notes?.raw), category = \(bookmark.category?.raw), tags = \(json: bookmark.tags), updated_at = \(now)
                WHERE id = \(bookmark.id) AND owner_id = \(owner)
                RETURNING \(Self.columns)
                """, else: Self.notFound)
        } catch let failure as SQLFailure where failure.kind == .unique {
            throw Self.exists
        }
    }

    func delete(_ id: Bookmark.ID, owner: Identifier<Account>) async throws {
        try await database.change("DELETE FROM bookmark WHERE id = \(id) AND owner_id = \(owner)", else: Self.notFound)
    }

    func withNormalForm(_ normalForm: String, owner: Identifier<Account>) async throws -> Bookmark? {
        try await database.first(
            Bookmark.self, "SELECT \(Self.columns) FROM bookmark WHERE owner_id = \(owner) AND normal_form = \(normalForm)")
    }

    private static let notFound = Failure.notFound("bookmark_not_found", "There is no such bookmark.")
    private static let exists = Failure.conflict("bookmark_exists", "This link is already saved.")
}

// MARK: Lists

extension BookmarkStore {
    /// Newest first; `total` counts all that match, on the first page only, since it is the same for all of them.
    func page(_ filter: BookmarkFilter, owner: Identifier<Account>) async throws -> Page<Bookmark> {
        let limit = filter.limit?.raw ?? PageLimit.standard
        let matching = condition(filter, owner: owner)
        let after: SQL = try filter.cursor.map { try Self.after($0) } ?? ""
        let total: SQL = filter.cursor == nil ? "(SELECT count(*) FROM bookmark WHERE \(matching))" : "NULL"
        let rows = try await database.all(
            Listed.self,
            """
            SELECT \(Self.columns), \(total) AS total FROM bookmark WHERE \(matching)\(after)
            ORDER BY saved_at DESC, id DESC LIMIT \(limit + 1)
            """)
        let bookmarks = rows.prefix(limit).map(\.bookmark)
        let next = rows.count > limit ? bookmarks.last : nil
        return Page(
            items: bookmarks, next: next.map { Cursor(after: $0.savedAt, $0.id) },
            total: filter.cursor == nil ? rows.first?.total ?? 0 : nil)
    }

    /// A bookmark of a page, and how many there are on all pages.
    private struct Listed: Decodable, Sendable {
        let bookmark: Bookmark
        let total: Int?

        enum CodingKeys: String, CodingKey { case total }

        init(from decoder: any Decoder) throws {
            bookmark = try Bookmark(from: decoder)
            total = try decoder.container(keyedBy: CodingKeys.self).decodeIfPresent(Int.self, forKey: .total)
        }
    }

    private func condition(_ filter: BookmarkFilter, owner: Identifier<Account>) -> SQL {
        var condition: SQL = "owner_id = \(owner)"
        if let category = filter.category { condition = "\(condition) AND category = \(category.raw)" }
        if let tag = filter.tag { condition = "\(condition) AND \(SQL.jsonArray("tags", contains: tag.raw))" }
        if let words = filter.q { condition = "\(condition) AND \(SearchQuery(words, owner: owner).condition(database.dialect))" }
        return condition
    }

    private static func after(_ cursor: Cursor) throws -> SQL {
        let position = try cursor.position(of: Bookmark.self)
        return " AND (saved_at, id) < (\(position.moment), \(position.identifier))"
    }

    /// All of the owner's that follow one, newest first.
    func all(after last: Bookmark?, limit: Int, owner: Identifier<Account>) async throws -> [Bookmark] {
        let after: SQL = last.map { " AND (saved_at, id) < (\($0.savedAt), \($0.id))" } ?? ""
        return try await database.all(
            Bookmark.self,
            "SELECT \(Self.columns) FROM bookmark WHERE owner_id = \(owner)\(after) ORDER BY saved_at DESC, id DESC LIMIT \(limit)")
    }

    /// The owner's categories, those without one first.
    func categories(owner: Identifier<Account>) async throws -> [String?] {
        struct Row: Decodable, Sendable { var category: String? }
        let rows = try await database.all(Row.self, "SELECT DISTINCT category FROM bookmark WHERE owner_id = \(owner) ORDER BY category")
        return rows.map(\.category).filter { $0 == nil } + rows.map(\.category).filter { $0 != nil }
    }

    /// The bookmarks of one category (`nil`: of none) that follow `last`, newest first.
    func export(_ category: String?, after last: Bookmark?, limit: Int, owner: Identifier<Account>) async throws -> [Bookmark] {
        let belongs: SQL = category.map { "category = \($0)" } ?? "category IS NULL"
        let after: SQL = last.map { " AND (saved_at, id) < (\($0.savedAt), \($0.id))" } ?? ""
        return try await database.all(
            Bookmark.self,
            "SELECT \(Self.columns) FROM bookmark WHERE owner_id = \(owner) AND \(belongs)\(after) ORDER BY saved_at DESC, id DESC LIMIT \(limit)"
        )
    }
}
