#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// A set of ASCII bytes as two machine words: membership is a shift, not a table look-up.
struct ByteClass {
    private var low: UInt64 = 0
    private var high: UInt64 = 0

    init(_ characters: StaticString, _ ranges: ClosedRange<UInt8>...) {
        characters.withUTF8Buffer { for byte in $0 { insert(byte) } }
        for range in ranges { for byte in range { insert(byte) } }
    }

    @inline(__always)
    func contains(_ byte: UInt8) -> Bool {
        let word = byte < 64 ? low : high
        return byte < 128 && (word &>> UInt64(byte & 63)) & 1 == 1
    }

    @inline(__always)
    func containsAll(_ bytes: UnsafeRawBufferPointer) -> Bool {
        for byte in bytes where !contains(byte) { return false }
        return true
    }

    private mutating func insert(_ byte: UInt8) {
        if byte < 64 { low |= 1 &<< UInt64(byte) } else if byte < 128 { high |= 1 &<< UInt64(byte & 63) }
    }
}

extension ByteClass {
    /// `tchar` (RFC 9110 §5.6.2).
    static let token = ByteClass("!#$%&'*+-.^_`|~", 0x30...0x39, 0x41...0x5A, 0x61...0x7A)
    /// What a request target may hold: visible ASCII but the fragment mark, which never travels (RFC 9112 §3.2).
    static let target = ByteClass("", 0x21...0x22, 0x24...0x7E)
    /// `unreserved` and `sub-delims`: a registered name without its percent-encodings (RFC 3986 §3.2.2).
    static let registeredName = ByteClass("-._~!$&'()*+,;=", 0x30...0x39, 0x41...0x5A, 0x61...0x7A)
    static let digit = ByteClass("", 0x30...0x39)
    static let hexadecimal = ByteClass("", 0x30...0x39, 0x41...0x46, 0x61...0x66)
}

/// The bytes HTTP gives a meaning.
enum Byte {
    static let tab: UInt8 = 0x09, lineFeed: UInt8 = 0x0A, carriageReturn: UInt8 = 0x0D, space: UInt8 = 0x20
    static let percent: UInt8 = 0x25, colon: UInt8 = 0x3A, semicolon: UInt8 = 0x3B, slash: UInt8 = 0x2F
    static let leftBracket: UInt8 = 0x5B, rightBracket: UInt8 = 0x5D, asterisk: UInt8 = 0x2A, question: UInt8 = 0x3F
    static let delete: UInt8 = 0x7F
}

extension UnsafeRawBufferPointer {
    /// The part of these bytes in the given range, indexed from zero.
    @inline(__always)
    func part(_ range: Range<Int>) -> UnsafeRawBufferPointer { .init(rebasing: self[range]) }

    /// Where the byte first occurs, at or after `start`.
    func offset(of byte: UInt8, from start: Int = 0) -> Int? {
        guard start < count, let base = baseAddress else { return nil }
        return memchr(base + start, Int32(byte), count - start).map { UnsafeRawPointer($0) - base }
    }

    /// Without spaces and tabs at both ends (`OWS`, RFC 9110 §5.6.3).
    func trimmed() -> UnsafeRawBufferPointer {
        var (start, end) = (0, count)
        while start < end, self[start] == Byte.space || self[start] == Byte.tab { start += 1 }
        while end > start, self[end - 1] == Byte.space || self[end - 1] == Byte.tab { end -= 1 }
        return part(start..<end)
    }

    /// Compares ASCII letters without their case; `lowercased` must be in lower case.
    func equals(_ lowercased: StaticString) -> Bool {
        guard count == lowercased.utf8CodeUnitCount else { return false }
        return lowercased.withUTF8Buffer { expected in
            for index in 0..<count {
                let byte = self[index]
                let lower = byte >= 0x41 && byte <= 0x5A ? byte | 0x20 : byte
                if lower != expected[index] { return false }
            }
            return true
        }
    }
}
