public import Foundation
public import MartletContract
public import MartletCore

/// A saved link.
public struct Bookmark: Codable, Sendable, Equatable {
    public typealias ID = Identifier<Bookmark>

    public var id: ID
    public var url: WebLink
    public var title: BookmarkTitle
    public var notes: BookmarkNotes?
    public var category: Category?
    public var tags: Tags
    /// When the link was saved; for imported ones, the date in the file.
    public var savedAt: Date
    public var updatedAt: Date

    public init(
        id: ID, url: WebLink, title: BookmarkTitle, notes: BookmarkNotes? = nil, category: Category? = nil, tags: Tags = Tags(),
        savedAt: Date, updatedAt: Date
    ) {
        self.id = id
        self.url = url
        self.title = title
        self.notes = notes
        self.category = category
        self.tags = tags
        self.savedAt = savedAt
        self.updatedAt = updatedAt
    }
}

/// A link to save.
public struct NewBookmark: Codable, Sendable {
    public var url: WebLink
    /// The link itself stands in when it is absent.
    public var title: BookmarkTitle?
    public var notes: BookmarkNotes?
    public var category: Category?
    public var tags: Tags?

    public init(url: WebLink, title: BookmarkTitle? = nil, notes: BookmarkNotes? = nil, category: Category? = nil, tags: Tags? = nil) {
        self.url = url
        self.title = title
        self.notes = notes
        self.category = category
        self.tags = tags
    }
}

/// Names one bookmark.
public struct BookmarkReference: Codable, Sendable {
    public var id: Bookmark.ID

    public init(_ id: Bookmark.ID) {
        self.id = id
    }
}

/// What to change of a bookmark.
public struct BookmarkChange: Codable, Sendable {
    public var id: Bookmark.ID
    public var url: WebLink?
    public var title: Change<BookmarkTitle>
    public var notes: Change<BookmarkNotes>
    public var category: Change<Category>
    public var tags: Change<Tags>

    public init(
        _ id: Bookmark.ID, url: WebLink? = nil, title: Change<BookmarkTitle> = .unchanged, notes: Change<BookmarkNotes> = .unchanged,
        category: Change<Category> = .unchanged, tags: Change<Tags> = .unchanged
    ) {
        self.id = id
        self.url = url
        self.title = title
        self.notes = notes
        self.category = category
        self.tags = tags
    }
}

/// Which bookmarks to list.
public struct BookmarkFilter: Codable, Sendable {
    public var category: Category?
    public var tag: Tag?
    /// Words that the bookmark must have, as in the text search.
    public var q: SearchWords?
    public var limit: PageLimit?
    public var cursor: Cursor?

    public init(category: Category? = nil, tag: Tag? = nil, q: SearchWords? = nil, limit: PageLimit? = nil, cursor: Cursor? = nil) {
        self.category = category
        self.tag = tag
        self.q = q
        self.limit = limit
        self.cursor = cursor
    }
}

/// At most 20 different tags, in the order given.
public struct Tags: Codable, Sendable, Equatable, CountBounded {
    public static let count = 0...20
    public let all: [Tag]

    /// Drops repeated tags; throws a ``Fault`` when more than 20 are left.
    public init(_ tags: some Sequence<Tag>) throws(Fault) {
        var different: [Tag] = []
        for tag in tags where !different.contains(tag) {
            guard different.count < Self.count.upperBound else { throw Fault(code: "too_many", message: "There may be at most 20 tags.") }
            different.append(tag)
        }
        all = different
    }

    public init() {
        all = []
    }

    public init(from decoder: any Decoder) throws {
        try self.init([Tag](from: decoder))
    }

    public func encode(to encoder: any Encoder) throws {
        try all.encode(to: encoder)
    }
}

public enum TitleLimits: TextLimits {
    public static let length = 1...200
    public static let example = "Documentation for Swift"
}
public typealias BookmarkTitle = Text<TitleLimits>

public enum NotesLimits: TextLimits {
    public static let length = 1...10_000
    public static let example = "Start with the tour."
}
public typealias BookmarkNotes = Text<NotesLimits>

public enum CategoryLimits: TextLimits {
    public static let length = 1...100
    public static let example = "Programming"
}
public typealias Category = Text<CategoryLimits>

public enum TagLimits: TextLimits {
    public static let length = 1...50
    public static let example = "swift"
}
public typealias Tag = Text<TagLimits>
