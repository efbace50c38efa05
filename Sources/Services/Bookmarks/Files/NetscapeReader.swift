/// Reads the entries of a bookmark file one by one, in one pass and in bounded space beyond the file itself.
///
/// Nothing recurses, so no depth of folders is too deep. Markup that is not understood is skipped.
struct NetscapeReader {
    private var tokenizer: HTMLTokenizer
    private var encoding = HTMLText()
    private var folders = FolderStack()
    /// What the text being read belongs to.
    private var capture = Capture.nothing
    private var captured = ""
    private var capturedBytes = 0
    /// The entry whose notes may still follow.
    private var entry: NetscapeFile.Entry?
    /// Only the first notes of an entry count.
    private var awaitsNotes = false
    private var followsTerm = false
    private var isBookmarkFile = false
    private var count = 0

    private enum Capture {
        case nothing, title, notes, folderName

        /// How much of the file's text is kept: a title and a name are cut further by whoever stores them.
        var maximumBytes: Int {
            switch self {
            case .nothing: 0
            case .title, .folderName: 4_096
            case .notes: 65_536
            }
        }
    }

    init(_ bytes: [UInt8]) {
        tokenizer = HTMLTokenizer(bytes)
    }

    /// How many times a byte of the file was looked at.
    var steps: Int { tokenizer.steps }

    /// The next entry; `nil` at the end of the file.
    mutating func next() throws(NetscapeFile.ReadFault) -> NetscapeFile.Entry? {
        while let token = tokenizer.next() {
            if let entry = read(token) { return try counted(entry) }
        }
        if let entry = finishEntry() { return try counted(entry) }
        guard isBookmarkFile else { throw .notABookmarkFile }
        return nil
    }

    private mutating func counted(_ entry: NetscapeFile.Entry) throws(NetscapeFile.ReadFault) -> NetscapeFile.Entry {
        count += 1
        guard count <= NetscapeFile.maximumEntries else { throw .tooManyEntries }
        return entry
    }

    /// Takes one token in; returns the entry that it ends, if it ends one.
    private mutating func read(_ token: HTMLTokenizer.Token) -> NetscapeFile.Entry? {
        switch token {
        case .text(let range): append(range)
        case .declaration(let range): readDeclaration(range)
        case .start(let tag, let attributes): return start(tag, attributes)
        case .end(let tag): return end(tag)
        }
        return nil
    }

    private mutating func start(_ tag: HTMLTokenizer.Tag?, _ attributes: [HTMLTokenizer.Attribute]) -> NetscapeFile.Entry? {
        switch tag {
        case .dt: return startTerm()
        case .a where followsTerm: startEntry(attributes)
        case .h3 where followsTerm || capture != .notes: return startFolderName(attributes)
        case .dd: startNotes()
        case .dl:
            defer { folders.open() }
            return finishEntry()
        case .hr: return finishEntry()
        case .br, .p: if capture == .notes { captured += "\n" }
        case .meta: declareEncoding(attributes)
        case .a, .h3, nil: break
        }
        return nil
    }

    private mutating func end(_ tag: HTMLTokenizer.Tag?) -> NetscapeFile.Entry? {
        switch tag {
        case .a where capture == .title: finishCapture()
        case .h3 where capture == .folderName: finishCapture()
        case .dt: followsTerm = false
        case .dl:
            defer { folders.close() }
            return finishEntry()
        default: break
        }
        return nil
    }
}

// MARK: - Entries, notes and folders

extension NetscapeReader {
    private mutating func startTerm() -> NetscapeFile.Entry? {
        defer { followsTerm = true }
        return finishEntry()
    }

    private mutating func startEntry(_ attributes: [HTMLTokenizer.Attribute]) {
        let url = value("href", of: attributes)
        if url != nil { isBookmarkFile = true }
        let tags = value("tags", of: attributes).map(NetscapeTags.read) ?? []
        let addedAt = value("add_date", of: attributes).flatMap(AddDate.date)
        folders.forgetName()
        entry = NetscapeFile.Entry(
            url: url?.trimmingWhitespace() ?? "", tags: tags, addedAt: addedAt, folders: folders.path)
        awaitsNotes = true
        begin(.title)
    }

    private mutating func startFolderName(_ attributes: [HTMLTokenizer.Attribute]) -> NetscapeFile.Entry? {
        let finished = finishEntry()
        folders.announce(isBrowsersOwn: isBrowsersOwn(attributes))
        begin(folders.isFull ? .nothing : .folderName)
        return finished
    }

    /// ``NetscapeWriter`` marks a user's folder that has the name of a browser's own.
    private func isBrowsersOwn(_ folder: [HTMLTokenizer.Attribute]) -> Bool? {
        if folder.contains(where: { isBrowserFolderMark(tokenizer.bytes[$0.name]) }) { return true }
        return value("category", of: folder) == nil ? nil : false
    }

    /// `PERSONAL_TOOLBAR_FOLDER`, `UNFILED_BOOKMARKS_FOLDER`, `TOOLBAR_FOLDER`, `MOBILE_FOLDER`, …: no other attribute ends like that.
    private func isBrowserFolderMark(_ name: ArraySlice<UInt8>) -> Bool {
        name.suffix(7).elementsEqual("_folder".utf8) { $0.asciiLowerCased == $1 }
    }

    /// Notes stand after their entry; those after a folder's name are about the folder and are left out.
    private mutating func startNotes() {
        finishCapture()
        followsTerm = false
        if awaitsNotes { begin(.notes) }
        awaitsNotes = false
    }

    private mutating func finishEntry() -> NetscapeFile.Entry? {
        finishCapture()
        followsTerm = false
        awaitsNotes = false
        defer { entry = nil }
        return entry
    }

    private mutating func finishCapture() {
        switch capture {
        case .nothing: break
        case .title: entry?.title = captured.onOneLine(maximumScalars: capture.maximumBytes)
        case .notes: entry?.notes = captured.asNotes()
        case .folderName: folders.name(captured.onOneLine(maximumScalars: NetscapeFile.maximumNameLength))
        }
        begin(.nothing)
    }

    private mutating func begin(_ capture: Capture) {
        self.capture = capture
        captured = ""
        capturedBytes = 0
        if capture != .nothing { followsTerm = false }
    }

    private mutating func append(_ range: Range<Int>) {
        let kept = range.prefix(max(0, capture.maximumBytes - capturedBytes))
        guard !kept.isEmpty else { return }
        captured += encoding.decoded(tokenizer.bytes[kept])
        capturedBytes += kept.count
    }
}

// MARK: - Attributes and declarations

extension NetscapeReader {
    /// The decoded value of an attribute; the first one counts, as in HTML.
    private func value(_ name: String, of attributes: [HTMLTokenizer.Attribute]) -> String? {
        attributes.first { tokenizer.bytes[$0.name].elementsEqual(name.utf8) { $0.asciiLowerCased == $1 } }
            .map { encoding.decoded(tokenizer.bytes[$0.value]) }
    }

    private mutating func declareEncoding(_ attributes: [HTMLTokenizer.Attribute]) {
        if let declared = value("charset", of: attributes) ?? value("content", of: attributes) { encoding.declare(declared) }
    }

    private mutating func readDeclaration(_ range: Range<Int>) {
        let text = String(decoding: tokenizer.bytes[range.prefix(64)], as: UTF8.self).lowercased()
        if text.hasPrefix("doctype netscape-bookmark-file") { isBookmarkFile = true }
    }
}

extension String {
    /// Line ends as `\n`, no other control characters but tabs, nothing blank at the ends; `nil` when nothing is left.
    fileprivate func asNotes() -> String? {
        var kept = String.UnicodeScalarView()
        var previous: Unicode.Scalar = " "
        for scalar in unicodeScalars {
            if scalar == "\r" || (scalar == "\n" && previous != "\r") {
                kept.append("\n")
            } else if scalar == "\t" || !scalar.isControl {
                kept.append(scalar)
            }
            previous = scalar
        }
        let notes = String(kept).trimmingWhitespace()
        return notes.isEmpty ? nil : notes
    }
}
