public import Foundation

// The 36 characters of a UUID (RFC 9562 §4), by arithmetic: they are in almost every row and answer, and Foundation's reader, which
// scans with a format, takes ten times as long on Linux.

extension UUID {
    /// Reads 36 characters in either case; `nil` for anything else.
    public init?(text: some StringProtocol) {
        var text = String(text)
        var value: uuid_t = (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
        let isRead = text.withUTF8 { characters in
            withUnsafeMutableBytes(of: &value) { bytes in Self.read(characters, into: bytes) }
        }
        guard isRead else { return nil }
        self.init(uuid: value)
    }

    private static func read(_ characters: UnsafeBufferPointer<UInt8>, into bytes: UnsafeMutableRawBufferPointer) -> Bool {
        guard characters.count == 36 else { return false }
        var position = 0
        for index in bytes.indices {
            if position == 8 || position == 13 || position == 18 || position == 23 {
                guard characters[position] == UInt8(ascii: "-") else { return false }
                position += 1
            }
            guard let high = characters[position].hexadecimalDigit, let low = characters[position + 1].hexadecimalDigit else {
                return false
            }
            bytes[index] = high << 4 | low
            position += 2
        }
        return true
    }

    /// The 36 characters, in lower case.
    public var text: String {
        withUnsafeBytes(of: uuid) { bytes in
            String(unsafeUninitializedCapacity: 36) { characters in
                var position = 0
                for byte in bytes {
                    if position == 8 || position == 13 || position == 18 || position == 23 {
                        characters[position] = UInt8(ascii: "-")
                        position += 1
                    }
                    characters[position] = UInt8(hexadecimalDigit: byte >> 4)
                    characters[position + 1] = UInt8(hexadecimalDigit: byte & 15)
                    position += 2
                }
                return position
            }
        }
    }
}

extension UInt8 {
    /// The value of the digit that this character is, in either case.
    public var hexadecimalDigit: UInt8? {
        switch self {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): self - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): self - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): self - UInt8(ascii: "A") + 10
        default: nil
        }
    }

    /// The lower-case character of a digit below 16.
    public init(hexadecimalDigit digit: UInt8) {
        self = digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10
    }
}
