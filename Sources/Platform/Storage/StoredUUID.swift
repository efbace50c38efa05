import Foundation
import MartletCore

/// A type that is a UUID and nothing else.
protocol UUIDWrapper {
    init(_ uuid: UUID)
}

extension Identifier: UUIDWrapper {}

extension UUID {
    /// Reads 36 characters in either case; `nil` for anything else. Foundation's own reader takes ten times as long on Linux.
    init?(storedText text: String) {
        var text = text
        let bytes: uuid_t? = text.withUTF8 { characters in
            guard characters.count == 36 else { return nil }
            var (bytes, position): (uuid_t, Int) = ((0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0), 0)
            let isRead = withUnsafeMutableBytes(of: &bytes) { bytes in
                for index in bytes.indices {
                    if position == 8 || position == 13 || position == 18 || position == 23 {
                        guard characters[position] == UInt8(ascii: "-") else { return false }
                        position += 1
                    }
                    guard let high = characters[position].hexadecimalDigit, let low = characters[position + 1].hexadecimalDigit else { return false }
                    bytes[index] = high << 4 | low
                    position += 2
                }
                return true
            }
            return isRead ? bytes : nil
        }
        guard let bytes else { return nil }
        self.init(uuid: bytes)
    }
}

extension UInt8 {
    fileprivate var hexadecimalDigit: UInt8? {
        switch self {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): self - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): self - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): self - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
