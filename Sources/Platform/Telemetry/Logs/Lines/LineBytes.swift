import Foundation
import Logging
import MartletCore

/// The bytes of a line in the making: every text in it is harmless, masked and bounded.
struct LineBytes {
    /// The longest line: what most collectors take, and more than any honest line has.
    static let longest = 8 << 10
    private static let longestText = 4 << 10
    /// What is kept for the end of a line, so that it is whole however much was cut from it.
    private static let reserve = 64

    private(set) var bytes: [UInt8] = []
    /// Whether something did not fit.
    private(set) var isCut = false
    private let isQuoting: Bool

    /// - Parameter isQuoting: Whether quotation marks and backslashes of texts are escaped, as within a JSON string.
    init(isQuoting: Bool) {
        self.isQuoting = isQuoting
        bytes.reserveCapacity(512)
    }

    private var room: Int { Self.longest - Self.reserve - bytes.count }

    /// Appends what the program itself wrote.
    mutating func append(_ literal: StaticString) {
        bytes.append(contentsOf: UnsafeBufferPointer(start: literal.utf8Start, count: literal.utf8CodeUnitCount))
    }

    mutating func append(_ moment: LogMoment) { moment.append(to: &bytes) }

    /// Appends a text that anyone may have written.
    mutating func append(text: String) {
        var text = text
        text.withUTF8 { utf8 in
            if utf8.count <= min(room, Self.longestText), PlainText.holds(utf8) { return bytes.append(contentsOf: utf8) }
            guard let masked = Redaction.masked(utf8) else { return append(utf8) }
            masked.withUnsafeBufferPointer { append($0) }
        }
    }

    private mutating func append(_ text: UnsafeBufferPointer<UInt8>) {
        if !HarmlessText.append(text, upTo: min(room, Self.longestText), to: &bytes, quoting: isQuoting) { isCut = true }
    }

    /// Appends a part where there is room for a name of that length and a few characters; else the line tells that it was cut.
    mutating func append(partNamed length: Int, _ append: (inout LineBytes) -> Void) {
        guard room > length + 32 else { return isCut = true }
        append(&self)
    }

    mutating func append(number text: String) { bytes.append(contentsOf: text.utf8) }

    mutating func append(_ number: Int) {
        if number < 0 { bytes.append(UInt8(ascii: "-")) }
        var rest = number.magnitude
        let start = bytes.count
        repeat {
            bytes.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10))
            rest /= 10
        } while rest > 0
        bytes[start...].reverse()
    }

    mutating func append(hundredths number: Int) {
        append(number / 100)
        append(".")
        append(number / 10 % 10)
        append(number % 10)
    }

    /// Appends the 16 hexadecimal digits.
    mutating func append(hexadecimal number: UInt64) {
        for place in 0..<16 { bytes.append(UInt8(hexadecimalDigit: UInt8(truncatingIfNeeded: number >> (60 - 4 * UInt64(place))) & 15)) }
    }
}

/// Texts that are written as they are, as nearly all are: found out in one look at each byte.
enum PlainText {
    /// Whether a text has nothing but ASCII characters that need no escape, and none that ``Redaction`` would look at twice: a `:`, a `=`, the
    /// `J` of a token, the space behind the name of a scheme.
    static func holds(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
        var last: UInt8 = 0
        for byte in text {
            switch byte {
            case 0..<0x20, UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: ":"), UInt8(ascii: "="), UInt8(ascii: "J"), 0x7F...:
                return false
            case UInt8(ascii: " ") where last | 0x20 == UInt8(ascii: "r") || last | 0x20 == UInt8(ascii: "c"): return false
            default: last = byte
            }
        }
        return true
    }
}

/// A number as JSON writes it (RFC 8259 §6), of those that occur here: digits, with a sign or a fraction.
enum NumberText {
    static func holds(_ text: String) -> Bool {
        var digits = text.utf8[...]
        if digits.first == UInt8(ascii: "-") { digits.removeFirst() }
        let parts = digits.split(separator: UInt8(ascii: "."), maxSplits: 1, omittingEmptySubsequences: false)
        return digits.count <= 20 && !hasLeadingZero(parts[0])
            && parts.allSatisfy { !$0.isEmpty && $0.allSatisfy { (0x30...0x39).contains($0) } }
    }

    private static func hasLeadingZero(_ whole: Substring.UTF8View) -> Bool { whole.count > 1 && whole.first == 0x30 }
}
