/// Cuts HTML into tags and text, in one pass and without copying.
///
/// It is tolerant: any bytes are some sequence of tokens. The position only moves forward and no byte is looked at more than a
/// few times, so the time is linear in the size of the input whatever is in it; ``steps`` counts those looks.
struct HTMLTokenizer {
    enum Token: Equatable {
        /// Raw bytes: entities are not decoded.
        case text(Range<Int>)
        case start(Tag?, [Attribute])
        case end(Tag?)
        /// `<!DOCTYPE …>`, from after the `<!`.
        case declaration(Range<Int>)
    }

    /// The tags that mean something in a bookmark file. A raw value is the tag's name: its ASCII bytes as one big-endian number.
    enum Tag: UInt32 {
        case a = 0x61
        case br = 0x6272
        case dd = 0x6464
        case dl = 0x646C
        case dt = 0x6474
        case h3 = 0x6833
        case hr = 0x6872
        case meta = 0x6D65_7461
        case p = 0x70
    }

    struct Attribute: Equatable {
        var name: Range<Int>
        var value: Range<Int>
    }

    /// Attributes of one tag beyond this number are skipped.
    static let maximumAttributes = 32

    let bytes: [UInt8]
    private(set) var position = 0
    /// How many times a byte was looked at.
    private(set) var steps = 0

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { position = 3 }
    }

    /// The next token; `nil` at the end. Comments and a tag that the end of the file cuts off are left out.
    mutating func next() -> Token? {
        while position < bytes.count {
            guard startsMarkup(at: position) else { return .text(text()) }
            position += 1
            if let token = markup() { return token }
        }
        return nil
    }

    private mutating func text() -> Range<Int> {
        let start = position
        repeat { position += 1 } while position < bytes.count && !startsMarkup(at: position)
        return start..<position
    }

    /// A `<` opens markup only before a letter, `/`, `!` or `?`; else it is text.
    private mutating func startsMarkup(at index: Int) -> Bool {
        steps += 1
        guard bytes[index] == UInt8(ascii: "<"), index + 1 < bytes.count else { return false }
        let next = bytes[index + 1]
        return next.isASCIILetter || next == UInt8(ascii: "/") || next == UInt8(ascii: "!") || next == UInt8(ascii: "?")
    }

    private mutating func markup() -> Token? {
        switch bytes[position] {
        case UInt8(ascii: "!"): return declaration()
        case UInt8(ascii: "?"):
            skip(through: UInt8(ascii: ">"))
            return nil
        case UInt8(ascii: "/"):
            position += 1
            let tag = tagName()
            skip(through: UInt8(ascii: ">"))
            return .end(tag)
        default:
            let tag = tagName()
            return attributes().map { .start(tag, $0) }
        }
    }

    private mutating func declaration() -> Token? {
        position += 1
        if bytes[position...].starts(with: [UInt8(ascii: "-"), UInt8(ascii: "-")]) {
            skipComment()
            return nil
        }
        let start = position
        skip(through: UInt8(ascii: ">"))
        return .declaration(start..<position)
    }

    /// To the end of `-->`; a comment that is never closed goes to the end of the file, as in browsers.
    private mutating func skipComment() {
        position += 2
        // `<!-->` is a whole comment: the dashes that open it may close it.
        var dashes = 2
        while position < bytes.count {
            let byte = look()
            position += 1
            if byte == UInt8(ascii: ">") && dashes >= 2 { return }
            dashes = byte == UInt8(ascii: "-") ? dashes + 1 : 0
        }
    }
}

// MARK: - Inside a tag

extension HTMLTokenizer {
    private mutating func tagName() -> Tag? {
        let name = take { !$0.isASCIIWhitespace && $0 != UInt8(ascii: "/") && $0 != UInt8(ascii: ">") }
        guard name.count <= 4 else { return nil }
        return Tag(rawValue: bytes[name].reduce(0) { $0 << 8 | UInt32($1.asciiLowerCased) })
    }

    /// Up to and with the tag's `>`; `nil` when the file ends before it.
    private mutating func attributes() -> [Attribute]? {
        var attributes: [Attribute] = []
        while true {
            _ = take { $0.isASCIIWhitespace || $0 == UInt8(ascii: "/") }
            guard position < bytes.count else { return nil }
            if look() == UInt8(ascii: ">") {
                position += 1
                return attributes
            }
            let attribute = attribute()
            if attributes.count < Self.maximumAttributes { attributes.append(attribute) }
        }
    }

    private mutating func attribute() -> Attribute {
        let start = position
        // A name may start with "=", so that every attribute takes at least one byte.
        position += 1
        let name = take { !$0.isASCIIWhitespace && $0 != UInt8(ascii: "=") && $0 != UInt8(ascii: ">") && $0 != UInt8(ascii: "/") }
        let afterName = position
        _ = take(while: \.isASCIIWhitespace)
        guard position < bytes.count, look() == UInt8(ascii: "=") else {
            return Attribute(name: start..<name.upperBound, value: afterName..<afterName)
        }
        position += 1
        _ = take(while: \.isASCIIWhitespace)
        return Attribute(name: start..<name.upperBound, value: attributeValue())
    }

    private mutating func attributeValue() -> Range<Int> {
        guard position < bytes.count else { return position..<position }
        let quote = look()
        guard quote == UInt8(ascii: "\"") || quote == UInt8(ascii: "'") else {
            return take { !$0.isASCIIWhitespace && $0 != UInt8(ascii: ">") }
        }
        position += 1
        let start = position
        skip(through: quote)
        let isClosed = position > start && bytes[position - 1] == quote
        return start..<(isClosed ? position - 1 : position)
    }

    private mutating func take(while isIncluded: (UInt8) -> Bool) -> Range<Int> {
        let start = position
        while position < bytes.count, isIncluded(look()) { position += 1 }
        return start..<position
    }

    private mutating func skip(through end: UInt8) {
        while position < bytes.count {
            let byte = look()
            position += 1
            if byte == end { return }
        }
    }

    private mutating func look() -> UInt8 {
        steps += 1
        return bytes[position]
    }
}
