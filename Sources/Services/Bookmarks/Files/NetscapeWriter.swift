import Foundation

/// Writes a bookmark file piece by piece, such that any browser imports it and ``NetscapeReader`` reads the same entries back.
///
/// Start with ``header``, call ``lines(for:)`` for every entry, end with ``footer()``. Entries of one folder should follow each
/// other: a folder that comes again is written again. Not kept: fractions of seconds and dates before 1970, and commas inside a
/// tag.
struct NetscapeWriter {
    /// What comes before the first entry. Chromium wants the encoding on a line of its own.
    static let header = """
        <!DOCTYPE NETSCAPE-Bookmark-file-1>
        <!-- This is an automatically generated file.
             It will be read and overwritten.
             DO NOT EDIT! -->
        <META HTTP-EQUIV="Content-Type" CONTENT="text/html; charset=UTF-8">
        <TITLE>Bookmarks</TITLE>
        <H1>Bookmarks</H1>
        <DL><p>

        """

    private var openFolders: [String] = []

    /// The entry, after whatever closes the folders that it is not in and opens those that it is in.
    mutating func lines(for entry: NetscapeFile.Entry) -> String {
        var lines = move(to: entry.folders)
        lines += indentation + "<DT><A HREF=\"\(escaped(entry.url))\""
        if let seconds = entry.addedAt.flatMap(unixSeconds) { lines += " ADD_DATE=\"\(seconds)\"" }
        if !entry.tags.isEmpty { lines += " TAGS=\"\(escaped(NetscapeTags.written(entry.tags)))\"" }
        lines += ">\(escaped(entry.title))</A>\n"
        if let notes = entry.notes { lines += indentation + "<DD>\(escaped(notes))\n" }
        return lines
    }

    /// Closes what is still open.
    mutating func footer() -> String {
        move(to: []) + "</DL><p>\n"
    }

    private mutating func move(to folders: [String]) -> String {
        let shared = zip(openFolders, folders).prefix { $0 == $1 }.count
        var lines = ""
        while openFolders.count > shared {
            openFolders.removeLast()
            lines += indentation + "</DL><p>\n"
        }
        for folder in folders[shared...] {
            // Else a folder called "Links" would be taken for the browser's own; browsers do not know the attribute and skip it.
            let mark = FolderStack.isBrowserFolder(folder) ? " CATEGORY" : ""
            lines += indentation + "<DT><H3\(mark)>\(escaped(folder))</H3>\n" + indentation + "<DL><p>\n"
            openFolders.append(folder)
        }
        return lines
    }

    private var indentation: String { String(repeating: "    ", count: openFolders.count + 1) }

    private func unixSeconds(_ date: Date) -> Int64? {
        let seconds = date.timeIntervalSince1970
        return seconds >= 1 ? Int64(exactly: seconds.rounded(.down)) : nil
    }
}

/// Text that HTML shows as it is, in an element or a quoted attribute.
private func escaped(_ text: String) -> String {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(text.utf8.count)
    for byte in text.utf8 {
        switch byte {
        case UInt8(ascii: "&"): bytes += "&amp;".utf8
        case UInt8(ascii: "<"): bytes += "&lt;".utf8
        case UInt8(ascii: ">"): bytes += "&gt;".utf8
        case UInt8(ascii: "\""): bytes += "&quot;".utf8
        case UInt8(ascii: "'"): bytes += "&#39;".utf8
        default: bytes.append(byte)
        }
    }
    return String(decoding: bytes, as: UTF8.self)
}
