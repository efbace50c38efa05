// MartletBookmarksAPI: what the Bookmarks service can be asked. Shared by server, client, documentation and tests.

public import MartletContract
import MartletCore
public import MartletJobsAPI

/// Saving links and finding them again.
public struct BookmarksAPI: API {
    public static let shared = BookmarksAPI()
    public static let name = "bookmarks"
    public static let permissions = [PermissionGrant.own("bookmarks:read", to: .member), .own("bookmarks:write", to: .member)]

    public let save = Endpoint<NewBookmark, Bookmark>.post(
        "/api/v1/bookmarks", "Save a link",
        details:
            "A link that is saved already is a conflict; links are compared in a normal form that drops fragments and tracking parameters.",
        allow: .permission("bookmarks:write"), returns: .created, idempotent: true, failures: [.conflict])

    public let list = Endpoint<BookmarkFilter, Page<Bookmark>>.get(
        "/api/v1/bookmarks", "List bookmarks, newest first", allow: .permission("bookmarks:read"))

    public let find = Endpoint<BookmarkReference, Bookmark>.get(
        "/api/v1/bookmarks/{id}", "Read one bookmark", allow: .permission("bookmarks:read"), failures: [.notFound])

    public let change = Endpoint<BookmarkChange, Bookmark>.patch(
        "/api/v1/bookmarks/{id}", "Change a bookmark",
        details: "Fields that are absent stay as they are; `null` clears a field.",
        allow: .permission("bookmarks:write"), failures: [.notFound, .conflict])

    public let delete = Endpoint<BookmarkReference, NoContent>.delete(
        "/api/v1/bookmarks/{id}", "Delete a bookmark", allow: .permission("bookmarks:write"), failures: [.notFound])

    public let `import` = Endpoint<Upload, NowOrLater<ImportReport, AcceptedJob>>.upload(
        "/api/v1/bookmarks/import", "Import bookmarks from a file",
        details: """
            Takes the bookmark file that browsers export (Netscape bookmark HTML) or a JSON array of objects with `url` and, if wanted, `title`, \
            `notes`, `category`, `tags`, `saved_at`; as the body itself, or as the first file of a form. Folders become the category and tags. \
            All rows are stored or none, except those that the answer lists as skipped. A file of more than 1,000 links is imported by a job \
            (202), some links at a time: follow it at `/api/v1/jobs/{id}`; its result is the report.
            """,
        allow: .permission("bookmarks:write"), body: .upload("text/html", "application/json", "multipart/form-data", upTo: 10 << 20),
        limit: .costly, idempotent: true)

    public let export = Endpoint<NoContent, Document>.download(
        "/api/v1/bookmarks/export", "Export all bookmarks as a bookmark file that browsers import",
        allow: .permission("bookmarks:read"), mediaType: "text/html; charset=utf-8")

    public let search = Endpoint<TextSearch, SearchAnswer>.get(
        "/api/v1/search/text", "Search bookmarks by words",
        details: "Finds bookmarks that have all the words, the last one also as a beginning; best matches first. Any text is a query.",
        allow: .permission("bookmarks:read"))
}
