public import MartletContract
public import MartletCore

/// What a program shows: `mk_`, 256 random bits in base64url, and a checksum. Never printed.
///
/// The checksum (CRC-32 in six digits of base 62) is no secret and protects nothing: it tells a mistyped key, or what only looks like one to a
/// scanner of leaked secrets, from a real one without anybody being asked.
public struct APIKeySecret: Parsed, Concealed {
    public static let mark = "mk_"
    public static let schema = Schema.string(length: 52...52, pattern: "^mk_[A-Za-z0-9_-]{43}[A-Za-z0-9]{6}$", "An API key.")
    public static let example = text(of: "q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA")
    public let raw: String

    /// Throws a ``Fault`` for what was never a key of anybody's.
    public init(_ raw: String) throws(Fault) {
        let secret = raw.dropFirst(Self.mark.count).prefix(43)
        guard raw.utf8.count == 52, raw.hasPrefix(Self.mark), Base64URL.decode(secret)?.count == 32, Self.text(of: secret) == raw else {
            throw Fault(code: "invalid_format", message: "This is not an API key.")
        }
        self.raw = raw
    }

    /// The key of 32 bytes.
    public init(bytes: some Sequence<UInt8>) throws(Fault) {
        try self.init(Self.text(of: Base64URL.encode(bytes)))
    }

    /// What a key can be known by without being told: the first 8 characters after the mark.
    public var prefix: String { String(raw.dropFirst(Self.mark.count).prefix(8)) }

    private static func text(of secret: some StringProtocol) -> String {
        mark + secret + base62(CRC32.checksum(of: "\(mark)\(secret)".utf8))
    }

    private static func base62(_ number: UInt32) -> String {
        let digits = Array("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz".utf8)
        var (rest, text) = (Int(number), [UInt8](repeating: digits[0], count: 6))
        for place in text.indices.reversed() {
            text[place] = digits[rest % 62]
            rest /= 62
        }
        return String(decoding: text, as: UTF8.self)
    }
}

/// The checksum of Ethernet and of ZIP files (ISO 3309, RFC 1952 §8).
enum CRC32 {
    static func checksum(of bytes: some Sequence<UInt8>) -> UInt32 {
        ~bytes.reduce(~0) { table[Int(UInt8(truncatingIfNeeded: $0) ^ $1)] ^ ($0 >> 8) }
    }

    private static let table: [UInt32] = (0..<256).map { byte in
        (0..<8).reduce(UInt32(byte)) { rest, _ in rest & 1 == 0 ? rest >> 1 : 0xEDB8_8320 ^ (rest >> 1) }
    }
}
