import Foundation
import MartletBookmarksAPI
import MartletContract
import MartletCore

/// A bookmark about to be stored, with the normal form that tells duplicates.
struct BookmarkDraft: Sendable {
    var url: WebLink
    var normalForm: String
    var title: BookmarkTitle
    var notes: BookmarkNotes?
    var category: Category?
    var tags: Tags
    var savedAt: Date?

    /// Throws `invalid` for a link that cannot be a bookmark.
    init(_ new: NewBookmark) throws {
        url = new.url
        normalForm = try new.url.normalForm
        title = try new.title ?? BookmarkTitle(for: new.url)
        notes = new.notes
        category = new.category
        tags = new.tags ?? Tags()
    }

    /// What can be kept of an entry of a file: texts that are too long are cut, tags beyond the twentieth are left out.
    init(_ entry: ImportedEntry) throws {
        let identity = try LinkIdentity(entry.url)
        do throws(Fault) { url = try WebLink(identity.link) } catch { throw LinkFault.invalidFormat }
        normalForm = identity.normalForm
        title = try BookmarkTitle(fitting: entry.title) ?? BookmarkTitle(for: url)
        notes = entry.notes.flatMap { BookmarkNotes(fitting: $0) }
        category = entry.category.flatMap { Category(fitting: $0) }
        tags = try Tags(Array(entry.tags.compactMap { Tag(fitting: $0) }).unique.prefix(Tags.count.upperBound))
        savedAt = entry.savedAt
    }
}

extension Bookmark {
    func applying(_ change: BookmarkChange) throws -> Bookmark {
        var changed = self
        changed.url = change.url ?? url
        changed.title = try change.title.applied(to: title) ?? BookmarkTitle(for: changed.url)
        changed.notes = change.notes.applied(to: notes)
        changed.category = change.category.applied(to: category)
        changed.tags = change.tags.applied(to: tags) ?? Tags()
        return changed
    }
}

extension WebLink {
    /// The form by which two links are the same bookmark; throws `invalid` for a link that cannot be one.
    var normalForm: String {
        get throws {
            do throws(LinkFault) {
                return try LinkIdentity(raw).normalForm
            } catch {
                throw Failure.invalid([Fault(pointer: "/url", code: error.rawValue, message: error.message)])
            }
        }
    }
}

extension Text where Limits == TitleLimits {
    /// The link without its scheme, for bookmarks that have no title.
    init(for link: WebLink) throws(Fault) {
        let text = link.raw.drop { $0 != "/" }.dropFirst(2)
        try self.init(Title.shortened(String(text.unicodeScalars.prefix(Limits.length.upperBound))))
    }
}

extension Text {
    /// The beginning of a text that fits, on one line for titles; `nil` when nothing is left.
    init?(fitting text: String) {
        let clean = Limits.self == TitleLimits.self ? Title.shortened(text) : text.withoutControlCharacters
        let cut = String(clean.unicodeScalars.prefix(Limits.length.upperBound))
        guard let fitting = try? Text(cut) else { return nil }
        self = fitting
    }
}

extension String {
    fileprivate var withoutControlCharacters: String {
        var text = UnicodeScalarView()
        text.append(contentsOf: unicodeScalars.filter { $0 == "\n" || $0 == "\t" || $0.properties.generalCategory != .control })
        return String(text)
    }
}

extension Array where Element: Hashable {
    fileprivate var unique: [Element] {
        var seen: Set<Element> = []
        return filter { seen.insert($0).inserted }
    }
}
