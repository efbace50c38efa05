/// Cuts bytes that come in pieces into lines, of which it never holds more than the longest that is allowed.
struct LineReader {
    /// In bytes.
    static let longestLine = 64 << 10

    enum Line: Equatable {
        case whole([UInt8])
        /// It went on for longer than ``longestLine``, and was let go.
        case tooLong
    }

    private var rest: [UInt8] = []
    private var isTooLong = false

    /// The lines that end within the next piece.
    mutating func take(_ piece: [UInt8]) -> [Line] {
        var lines: [Line] = []
        var parts = piece.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)[...]
        while let part = parts.popFirst() {
            add(part)
            if !parts.isEmpty { lines.append(ended()) }
        }
        return lines
    }

    /// The last line, when nothing ends it.
    mutating func finish() -> Line? {
        rest.isEmpty && !isTooLong ? nil : ended()
    }

    private mutating func add(_ part: ArraySlice<UInt8>) {
        isTooLong = isTooLong || rest.count + part.count > Self.longestLine
        if isTooLong { rest = [] } else { rest += part }
    }

    private mutating func ended() -> Line {
        defer { (rest, isTooLong) = ([], false) }
        return isTooLong ? .tooLong : .whole(rest)
    }
}
