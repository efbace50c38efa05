import Foundation

/// The words that a search looks for, folded; the last one also as a beginning.
struct SearchedWords: Sendable {
    static let maximum = 20
    private let words: [[UInt8]]

    init(_ folded: [String]) {
        words = folded.prefix(Self.maximum).map { Array($0.utf8) }
    }

    /// Those that `word` is: the bits of their places.
    func found(in word: Substring) -> UInt32 {
        guard word.utf8.allSatisfy({ $0 < 0x80 }) else { return found(in: Folding.fold(String(word)).utf8) }
        return found(in: word.utf8.lazy.map { (0x41...0x5A).contains($0) ? $0 + 0x20 : $0 })
    }

    private func found(in folded: some Sequence<UInt8>) -> UInt32 {
        words.indices.reduce(into: 0) { found, place in
            let isLast = place == words.count - 1
            let isFound = isLast ? folded.starts(with: words[place]) : folded.elementsEqual(words[place])
            if isFound { found |= 1 << UInt32(place) }
        }
    }
}

/// The part of a text that shows best what a search found in it: a few words around the most of those searched for.
struct Passage {
    /// How many words it has at most.
    static let length = 24
    private let text: String
    private let words: [Substring]
    private let finds: [Find]

    private struct Find {
        let place: Int
        let found: UInt32
    }

    init(_ text: String, of searched: SearchedWords) {
        (self.text, words) = (text, text.words)
        finds = words.enumerated().map { Find(place: $0, found: searched.found(in: $1)) }.filter { $0.found != 0 }
    }

    var hasFinds: Bool { !finds.isEmpty }

    /// Escaped for HTML, each found word between `<mark>` and `</mark>`; `…` stands where the text is cut.
    var html: String {
        let shown = shownWords
        var html = shown.lowerBound == 0 ? "" : "…"
        var end = shown.lowerBound == 0 ? text.startIndex : words[shown.lowerBound].startIndex
        for word in finds where shown.contains(word.place) {
            html += text[end..<words[word.place].startIndex].escaped + "<mark>" + words[word.place].escaped + "</mark>"
            end = words[word.place].endIndex
        }
        guard shown.upperBound < words.count else { return html + text[end...].escaped }
        return html + text[end..<words[shown.upperBound - 1].endIndex].escaped + "…"
    }

    private var shownWords: Range<Int> {
        let best = finds.indices.max { distinct(from: $0) < distinct(from: $1) }
        let first = best.map { finds[$0].place } ?? 0
        let last = best.flatMap { finds[$0...].prefix { $0.place < first + Self.length }.last?.place } ?? first
        let before = (Self.length - (last - first + 1)) / 2
        let start = min(max(0, first - before), max(0, words.count - Self.length))
        return start..<min(words.count, start + Self.length)
    }

    /// How many of the words searched for stand close to this find.
    private func distinct(from index: Int) -> Int {
        finds[index...].prefix { $0.place < finds[index].place + Self.length }.reduce(0) { $0 | $1.found }.nonzeroBitCount
    }
}

extension Substring {
    /// By scalars: a character that combines with a mark is another one, but not for a reader of HTML.
    fileprivate var escaped: String {
        unicodeScalars.reduce(into: "") { html, scalar in
            switch scalar {
            case "&": html += "&amp;"
            case "<": html += "&lt;"
            case ">": html += "&gt;"
            case "\"": html += "&quot;"
            default: html.unicodeScalars.append(scalar)
            }
        }
    }
}
