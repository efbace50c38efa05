public import Foundation
public import MartletCore

/// One page of a longer list.
public struct Page<Item: Codable & Sendable>: Codable, Sendable {
    public var items: [Item]
    /// The cursor of the next page; absent on the last one.
    public var next: Cursor?
    /// How many there are in all, where the endpoint counts them.
    public var total: Int?

    public init(items: [Item], next: Cursor? = nil, total: Int? = nil) {
        self.items = items
        self.next = next
        self.total = total
    }
}

/// How many items a page holds: 1 to 200, 50 unless said otherwise.
public struct PageLimit: Parsed {
    public static let schema = Schema.integer(1...200, default: 50, "The most items a page may hold.")
    public static let example = 50
    public static let standard = 50
    public let raw: Int

    public init(_ raw: Int) throws(Fault) {
        guard (1...200).contains(raw) else { throw Fault(code: "out_of_range", message: "This must be from 1 to 200.") }
        self.raw = raw
    }
}

/// A place in a list, opaque to callers: hand back what `next` said.
///
/// It names the last item seen rather than an offset, so that items inserted or deleted meanwhile neither repeat nor hide others.
/// It grants nothing: the query that uses it names the owner.
public struct Cursor: Parsed {
    public static let schema = Schema.string(length: 1...300, pattern: "^[A-Za-z0-9_-]+$", "The `next` of the page before.")
    public static let example = "MTc2ODQ2OTQwMDAwMC4wMTliYzA1ZS05YTQwLTdjM2QtOGUxMS01ZjBhNGI3ZDIyOTE"
    public let raw: String

    public init(_ raw: String) throws(Fault) {
        guard (1...300).contains(raw.utf8.count), Base64URL.decode(raw) != nil else { throw Self.fault }
        self.raw = raw
    }

    /// A cursor for the item at the given moment with the given identifier, in lists ordered by both.
    public init(after moment: Date, _ identifier: Identifier<some Any>) {
        let milliseconds = Int64((moment.timeIntervalSince1970 * 1000).rounded())
        raw = Base64URL.encode(Array("\(milliseconds).\(identifier)".utf8))
    }

    /// The item this cursor names; throws ``Failure`` (invalid, parameter `cursor`) for one that this server did not make.
    public func position<Entity>(of type: Entity.Type = Entity.self) throws(Failure) -> (moment: Date, identifier: Identifier<Entity>) {
        let parts = Base64URL.decode(raw).flatMap { String(validating: $0, as: UTF8.self) }?.split(separator: ".")
        guard let parts, parts.count == 2, let milliseconds = Int64(parts[0]), abs(Double(milliseconds)) < 253_402_300_800_000,
            let identifier = Identifier<Entity>(parts[1])
        else {
            var fault = Self.fault
            fault.pointer = "cursor"
            throw .invalid([fault])
        }
        return (Date(timeIntervalSince1970: Double(milliseconds) / 1000), identifier)
    }

    private static let fault = Fault(code: "invalid_cursor", message: "This is not a cursor that the server gave out.")
}

/// Base64 for URLs without padding (RFC 4648 §5), strictly: no padding, no white space, no stray bits.
public enum Base64URL {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)

    /// Writes bytes.
    public static func encode(_ bytes: some Sequence<UInt8>) -> String {
        var text: [UInt8] = []
        var (bits, waiting): (UInt32, Int) = (0, 0)
        for byte in bytes {
            bits = bits << 8 | UInt32(byte)
            waiting += 8
            while waiting >= 6 {
                waiting -= 6
                text.append(alphabet[Int(bits >> waiting & 63)])
            }
        }
        if waiting > 0 { text.append(alphabet[Int(bits << (6 - waiting) & 63)]) }
        return String(decoding: text, as: UTF8.self)
    }

    /// Reads what ``encode(_:)`` writes; `nil` for anything else.
    public static func decode(_ text: some StringProtocol) -> [UInt8]? {
        var bytes: [UInt8] = []
        var (bits, waiting): (UInt32, Int) = (0, 0)
        for character in text.utf8 {
            guard let value = value(of: character) else { return nil }
            bits = bits << 6 | value
            waiting += 6
            if waiting >= 8 {
                waiting -= 8
                bytes.append(UInt8(truncatingIfNeeded: bits >> waiting))
            }
        }
        // Six bits are a character too many; fewer fill the last one up and must be zero.
        return waiting < 6 && bits & (1 << waiting - 1) == 0 ? bytes : nil
    }

    private static func value(of character: UInt8) -> UInt32? {
        switch character {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): UInt32(character - UInt8(ascii: "A"))
        case UInt8(ascii: "a")...UInt8(ascii: "z"): UInt32(character - UInt8(ascii: "a") + 26)
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(character - UInt8(ascii: "0") + 52)
        case UInt8(ascii: "-"): 62
        case UInt8(ascii: "_"): 63
        default: nil
        }
    }
}
