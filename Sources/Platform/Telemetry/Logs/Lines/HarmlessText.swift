/// Text of others, written so that it can neither end a line nor steer a terminal nor turn the reading direction.
///
/// C0 and C1 controls, DEL, line and paragraph separators, and the marks that turn the direction of writing (Unicode UAX #9) are written as
/// `\u001b`; the result is a part of a JSON string as well (RFC 8259 §7).
enum HarmlessText {
    /// Appends at most `most` bytes, whole characters only, and `…` where something is missing. Returns whether all of it is there.
    @discardableResult
    static func append(_ text: UnsafeBufferPointer<UInt8>, upTo most: Int, to bytes: inout [UInt8], quoting: Bool) -> Bool {
        let end = bytes.count + max(0, most)
        var index = 0
        while index < text.count {
            let run = plainRun(in: text, from: index, quoting: quoting)
            guard bytes.count + run <= end else { return cut(text, from: index, room: end - bytes.count, &bytes) }
            bytes.append(contentsOf: UnsafeBufferPointer(rebasing: text[index..<index + run]))
            index += run
            guard index < text.count else { break }
            let (scalar, length) = special(in: text, at: index)
            guard bytes.count + 6 <= end else { return cut(text, from: index, room: 0, &bytes) }
            escape(scalar, to: &bytes)
            index += length
        }
        return true
    }

    /// How many bytes can be taken as they are.
    private static func plainRun(in text: UnsafeBufferPointer<UInt8>, from start: Int, quoting: Bool) -> Int {
        var index = start
        while index < text.count {
            switch text[index] {
            case 0..<0x20, 0x7F: return index - start
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): if quoting { return index - start }
            case 0xC2, 0xD8, 0xE2: if special(in: text, at: index).length > 0 { return index - start }
            default: break
            }
            index += 1
        }
        return index - start
    }

    /// The character at a place that is not taken as it is, and its length; a length of 0 when it is as harmless as others.
    private static func special(in text: UnsafeBufferPointer<UInt8>, at index: Int) -> (scalar: UInt16, length: Int) {
        func byte(_ offset: Int) -> UInt16 { index + offset < text.count ? UInt16(text[index + offset]) : 0 }
        switch text[index] {
        case 0xC2: return byte(1) < 0xA0 ? (byte(1), 2) : (0, 0)
        case 0xD8: return byte(1) == 0x9C ? (0x061C, 2) : (0, 0)
        case 0xE2:
            let scalar = 0x2000 | (byte(1) & 0x3F) << 6 | byte(2) & 0x3F
            return isDirectionOrBreak(scalar) ? (scalar, 3) : (0, 0)
        default: return (UInt16(text[index]), 1)
        }
    }

    private static func isDirectionOrBreak(_ scalar: UInt16) -> Bool {
        switch scalar {
        case 0x200E, 0x200F, 0x2028...0x202E, 0x2066...0x2069: true
        default: false
        }
    }

    private static func escape(_ scalar: UInt16, to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "\\"))
        switch scalar {
        case 0x22, 0x5C: bytes.append(UInt8(scalar))
        case 0x0A: bytes.append(UInt8(ascii: "n"))
        case 0x0D: bytes.append(UInt8(ascii: "r"))
        case 0x09: bytes.append(UInt8(ascii: "t"))
        default:
            bytes.append(UInt8(ascii: "u"))
            for shift in [12, 8, 4, 0] { bytes.append(digits[Int(scalar >> UInt16(shift) & 0xF)]) }
        }
    }

    private static let digits = Array("0123456789abcdef".utf8)

    /// Takes what there is room for, up to the end of a character.
    private static func cut(_ text: UnsafeBufferPointer<UInt8>, from start: Int, room: Int, _ bytes: inout [UInt8]) -> Bool {
        var end = start + max(0, room)
        while end > start, end < text.count, text[end] & 0xC0 == 0x80 { end -= 1 }
        bytes.append(contentsOf: UnsafeBufferPointer(rebasing: text[start..<end]))
        bytes.append(contentsOf: "…".utf8)
        return false
    }
}
