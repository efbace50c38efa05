import Foundation
import MartletBookmarksAPI
import MartletContract
import MartletCore
import MartletHTTP
import MartletStorage

/// One entry of an imported file, whatever its format.
struct ImportedEntry: Codable, Sendable {
    var url: String
    var title: String
    var notes: String?
    var category: String?
    var tags: [String]
    var savedAt: Date?
    /// What could not be read of it, in words.
    var fault: Fault?
}

/// The formats that can be imported.
enum BookmarkFile {
    /// Throws `invalid` or `malformed` for a body that is no such file.
    static func entries(in upload: Upload) throws(Failure) -> [ImportedEntry] {
        switch MediaType.name(upload.contentType) {
        case "text/html": try netscape(upload.bytes)
        case "application/json": try json(upload.bytes)
        default: try form(upload)
        }
    }

    private static func form(_ upload: Upload) throws(Failure) -> [ImportedEntry] {
        let form: Multipart
        do throws(Multipart.Malformed) {
            form = try Multipart(upload.bytes, contentType: upload.contentType)
        } catch {
            throw .malformed("invalid_multipart", error.message)
        }
        guard let file = form.parts.first(where: { $0.filename != nil }) ?? form.parts.first else {
            throw .malformed("invalid_multipart", "The form has no file.")
        }
        let bytes = Array(file.body)
        let isJSON = file.contentType == "application/json" || file.filename?.lowercased().hasSuffix(".json") == true
        return isJSON ? try json(bytes) : try netscape(bytes)
    }

    private static func netscape(_ bytes: [UInt8]) throws(Failure) -> [ImportedEntry] {
        do throws(NetscapeFile.ReadFault) {
            return try NetscapeFile.entries(in: bytes).map { entry in
                ImportedEntry(
                    url: entry.url, title: entry.title, notes: entry.notes, category: entry.category, tags: entry.allTags,
                    savedAt: entry.addedAt)
            }
        } catch {
            throw .invalid([Fault(code: error == .notABookmarkFile ? "not_a_bookmark_file" : "too_many", message: error.message)])
        }
    }

    private static func json(_ bytes: [UInt8]) throws(Failure) -> [ImportedEntry] {
        guard case .array(let elements) = try WireJSON.parse(bytes) else {
            throw .invalid([Fault(code: "wrong_type", message: "The file must be a JSON array of bookmarks.")])
        }
        guard elements.count <= NetscapeFile.maximumEntries else {
            throw .invalid([Fault(code: "too_many", message: "A file may have at most \(NetscapeFile.maximumEntries) bookmarks.")])
        }
        return elements.map(ImportedEntry.init)
    }
}

extension ImportedEntry {
    /// What `JSONBookmark` cannot read it notes; an element of which nothing can be read has no link, and is skipped for that.
    fileprivate init(_ element: JSON) {
        do {
            let entry = try WireJSON.decode(JSONBookmark.self, from: element)
            self.init(
                url: entry.url, title: entry.title, notes: entry.notes, category: entry.category, tags: entry.tags, savedAt: entry.addedAt,
                fault: entry.faults.first)
        } catch {
            self.init(url: "", title: "", tags: [], fault: Fault(code: "wrong_type", message: "This is no bookmark."))
        }
    }
}

/// Stores the entries of a file: all that can be, in one transaction, with an account of the rest.
struct BookmarkImport {
    static let maximumDetails = 10
    private let store: BookmarkStore
    private let owner: Identifier<Account>
    private let now: Date

    /// - Parameter store: of a transaction.
    init(_ store: BookmarkStore, owner: Identifier<Account>, at now: Date) {
        self.store = store
        self.owner = owner
        self.now = now
    }

    /// Stores all entries.
    func run(_ entries: [ImportedEntry]) async throws -> ImportReport {
        try await run(entries, entries.indices, after: ImportReport(total: entries.count))
    }

    /// Stores some of the entries; returns the report of those before them, continued.
    func run(_ entries: [ImportedEntry], _ part: Range<Int>, after report: ImportReport) async throws -> ImportReport {
        var report = report
        for index in part {
            let entry = entries[index]
            if index % 100 == 0 { try Task.checkCancellation() }
            var reason = entry.fault?.message
            do {
                try await add(try BookmarkDraft(entry), &report)
            } catch let fault as LinkFault {
                report.skip(fault)
                reason = reason ?? fault.message
            }
            if let reason { report.note(reason, index, entry) }
        }
        return report
    }

    private func add(_ draft: BookmarkDraft, _ report: inout ImportReport) async throws {
        if try await store.insertIfNew(draft, owner: owner, at: now) != nil {
            report.added += 1
        } else if let old = try await store.withNormalForm(draft.normalForm, owner: owner), let completed = try old.completed(by: draft) {
            _ = try await store.update(completed, owner: owner, at: now)
            report.updated += 1
        } else {
            report.skipped += 1
            report.skipReasons.duplicate += 1
        }
    }
}

extension Bookmark {
    /// This bookmark with what it lacks and the draft has; `nil` when it lacks nothing.
    fileprivate func completed(by draft: BookmarkDraft) throws -> Bookmark? {
        var completed = self
        completed.notes = notes ?? draft.notes
        completed.category = category ?? draft.category
        let room = Tags.count.upperBound - tags.all.count
        completed.tags = try Tags(tags.all + draft.tags.all.filter { !tags.all.contains($0) }.prefix(room))
        return completed == self ? nil : completed
    }
}

extension ImportReport {
    fileprivate mutating func skip(_ fault: LinkFault) {
        skipped += 1
        switch fault {
        case .emptyURL: skipReasons.emptyUrl += 1
        case .invalidScheme: skipReasons.invalidScheme += 1
        case .invalidFormat: skipReasons.invalidFormat += 1
        case .tooLong: skipReasons.tooLong += 1
        }
    }

    fileprivate mutating func note(_ reason: String, _ index: Int, _ entry: ImportedEntry) {
        errors += 1
        guard errorDetails.count < BookmarkImport.maximumDetails else { return }
        errorDetails.append(ImportError(entry: index + 1, reason: reason, url: String(entry.url.unicodeScalars.prefix(200))))
    }
}
