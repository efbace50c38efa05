/// The one text that stands for a JSON document, whatever engine kept it: properties sorted by their bytes, the last of a repeated name,
/// no spaces, the fewest escapes, numbers without needless digits.
///
/// `jsonb` sorts properties by length and prints spaces; SQLite keeps the text it was given. Equal documents have equal canonical texts.
struct CanonicalJSON {
    /// Deeper documents than engines keep are refused instead of ending the process by its stack.
    static let depthLimit = 1000

    struct Malformed: Error, CustomStringConvertible {
        let description = "a column of JSON holds something else"
    }

    private let bytes: [UInt8]
    private var position = 0
    private var depth = 0

    static func text(of document: String) throws(Malformed) -> String {
        var reader = CanonicalJSON(bytes: Array(document.utf8))
        let canonical = try reader.value()
        reader.skipSpace()
        guard reader.position == reader.bytes.count else { throw Malformed() }
        return String(decoding: canonical, as: UTF8.self)
    }

    private init(bytes: [UInt8]) {
        self.bytes = bytes
    }

    private mutating func value() throws(Malformed) -> [UInt8] {
        skipSpace()
        switch peek {
        case UInt8(ascii: "{"): return try nested { (reader) throws(Malformed) in try reader.object() }
        case UInt8(ascii: "["): return try nested { (reader) throws(Malformed) in try reader.array() }
        case UInt8(ascii: "\""): return try string()
        case UInt8(ascii: "t"): return try word("true")
        case UInt8(ascii: "f"): return try word("false")
        case UInt8(ascii: "n"): return try word("null")
        default: return try number()
        }
    }

    private mutating func nested(_ read: (inout CanonicalJSON) throws(Malformed) -> [UInt8]) throws(Malformed) -> [UInt8] {
        depth += 1
        guard depth <= Self.depthLimit else { throw Malformed() }
        defer { depth -= 1 }
        position += 1
        return try read(&self)
    }

    private mutating func array() throws(Malformed) -> [UInt8] {
        var canonical = [UInt8(ascii: "[")]
        if skip("]") { return canonical + "]".utf8 }
        repeat {
            if canonical.count > 1 { canonical.append(UInt8(ascii: ",")) }
            canonical += try value()
        } while skip(",")
        guard skip("]") else { throw Malformed() }
        return canonical + "]".utf8
    }

    private mutating func object() throws(Malformed) -> [UInt8] {
        var members: [[UInt8]: [UInt8]] = [:]
        if skip("}") { return Array("{}".utf8) }
        repeat {
            skipSpace()
            let name = try string()
            guard skip(":") else { throw Malformed() }
            members[name] = try value()
        } while skip(",")
        guard skip("}") else { throw Malformed() }
        let sorted = members.sorted { $0.key.lexicographicallyPrecedes($1.key) }.map { $0.key + [UInt8(ascii: ":")] + $0.value }
        return [UInt8(ascii: "{")] + sorted.joined(separator: [UInt8(ascii: ",")]) + [UInt8(ascii: "}")]
    }

    private mutating func word(_ word: String) throws(Malformed) -> [UInt8] {
        guard bytes[position...].starts(with: word.utf8) else { throw Malformed() }
        position += word.utf8.count
        return Array(word.utf8)
    }
}

// MARK: Numbers

extension CanonicalJSON {
    /// `1`, `1.0`, `10e-1` are one number, which is `1`. Beyond forty places a number is written as digits and an exponent.
    private mutating func number() throws(Malformed) -> [UInt8] {
        let isNegative = take(UInt8(ascii: "-"))
        let whole = digits()
        let fraction = take(UInt8(ascii: ".")) ? digits() : []
        guard !whole.isEmpty, let exponent = exponent() else { throw Malformed() }
        let significant = (whole + fraction).drop { $0 == UInt8(ascii: "0") }
        guard let last = significant.lastIndex(where: { $0 != UInt8(ascii: "0") }) else { return [UInt8(ascii: "0")] }
        let kept = Array(significant[...last])
        let scale = exponent - fraction.count + (significant.endIndex - 1 - last)
        return (isNegative ? [UInt8(ascii: "-")] : []) + Self.plain(kept, scale)
    }

    /// The digits times ten to the power of `scale`.
    private static func plain(_ digits: [UInt8], _ scale: Int) -> [UInt8] {
        let point = digits.count + scale
        let (zero, dot) = (UInt8(ascii: "0"), UInt8(ascii: "."))
        switch (scale, point) {
        case (0..., ...40): return digits + Array(repeating: zero, count: scale)
        case (..<0, 1...): return Array(digits[..<point]) + [dot] + digits[point...]
        case (..<0, -40...0): return [zero, dot] + Array(repeating: zero, count: -point) + digits
        default: return digits + "e\(scale)".utf8
        }
    }

    private mutating func digits() -> [UInt8] {
        let start = position
        while let byte = peek, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) { position += 1 }
        return Array(bytes[start..<position])
    }

    /// 0 without one; `nil` when it is no number, or a larger one than any engine keeps.
    private mutating func exponent() -> Int? {
        guard take(UInt8(ascii: "e")) || take(UInt8(ascii: "E")) else { return 0 }
        let isNegative = take(UInt8(ascii: "-"))
        if !isNegative { _ = take(UInt8(ascii: "+")) }
        guard let value = Int(String(decoding: digits(), as: UTF8.self)), value <= 1_000_000 else { return nil }
        return isNegative ? -value : value
    }
}

// MARK: Strings

extension CanonicalJSON {
    private mutating func string() throws(Malformed) -> [UInt8] {
        guard take(UInt8(ascii: "\"")) else { throw Malformed() }
        var canonical = [UInt8(ascii: "\"")]
        while let byte = peek {
            position += 1
            switch byte {
            case UInt8(ascii: "\""): return canonical + "\"".utf8
            case UInt8(ascii: "\\"): try escape(into: &canonical)
            default: Self.write(Unicode.Scalar(byte), byte, into: &canonical)
            }
        }
        throw Malformed()
    }

    private mutating func escape(into canonical: inout [UInt8]) throws(Malformed) {
        guard let letter = peek else { throw Malformed() }
        position += 1
        if letter == UInt8(ascii: "u") { return try unicodeEscape(into: &canonical) }
        guard let byte = Self.escapes[letter] else { throw Malformed() }
        Self.write(Unicode.Scalar(byte), byte, into: &canonical)
    }

    private mutating func unicodeEscape(into canonical: inout [UInt8]) throws(Malformed) {
        let unit = try codeUnit()
        if UTF16.isLeadSurrogate(unit), bytes[position...].starts(with: "\\u".utf8) {
            let start = position
            position += 2
            let trail = try codeUnit()
            if UTF16.isTrailSurrogate(trail) {
                let value = 0x10000 + (UInt32(unit & 0x3FF) << 10 | UInt32(trail & 0x3FF))
                return canonical += String(Unicode.Scalar(value) ?? "\u{FFFD}").utf8
            }
            position = start
        }
        // Half of a pair is no character: it stays an escape.
        guard let scalar = Unicode.Scalar(unit) else { return canonical += Self.unicodeEscape(unit) }
        if let byte = UInt8(exactly: unit), byte < 0x80 { return Self.write(scalar, byte, into: &canonical) }
        canonical += String(scalar).utf8
    }

    private mutating func codeUnit() throws(Malformed) -> UInt16 {
        guard bytes.count - position >= 4, let unit = UInt16(String(decoding: bytes[position..<position + 4], as: UTF8.self), radix: 16)
        else { throw Malformed() }
        position += 4
        return unit
    }

    /// One byte of a string, escaped where it must be.
    private static func write(_ scalar: Unicode.Scalar, _ byte: UInt8, into canonical: inout [UInt8]) {
        if let letter = letters[byte] {
            canonical += [UInt8(ascii: "\\"), letter]
        } else if byte < 0x20 {
            canonical += unicodeEscape(UInt16(byte))
        } else {
            canonical.append(byte)
        }
    }

    private static func unicodeEscape(_ unit: UInt16) -> [UInt8] {
        let digits = String(unit, radix: 16)
        return Array("\\u\(String(repeating: "0", count: 4 - digits.count))\(digits)".utf8)
    }

    private static let escapes: [UInt8: UInt8] = Dictionary(
        uniqueKeysWithValues: zip("\"\\/bfnrt".utf8, "\"\\/\u{8}\u{C}\n\r\t".utf8))
    /// The characters that are escaped by a letter, with it.
    private static let letters: [UInt8: UInt8] = Dictionary(
        uniqueKeysWithValues: escapes.filter { $0.key != UInt8(ascii: "/") }.map { ($0.value, $0.key) })
}

// MARK: Reading

extension CanonicalJSON {
    private var peek: UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func skipSpace() {
        while let byte = peek, byte == 0x20 || (0x09...0x0D).contains(byte) { position += 1 }
    }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard peek == byte else { return false }
        position += 1
        return true
    }

    private mutating func skip(_ character: Unicode.Scalar) -> Bool {
        skipSpace()
        return take(UInt8(ascii: character))
    }
}
