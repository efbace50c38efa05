import Crypto
import Foundation
import MartletContract

/// One-time passwords by time (RFC 6238): HMAC-SHA-1, 6 digits, 30 seconds. What every authenticator understands.
enum TOTP {
    /// 160 bits, the length of the HMAC (RFC 4226 §4, R6).
    static let secretLength = 20
    private static let period: TimeInterval = 30
    private static let digits = 6

    static func randomSecret() -> [UInt8] {
        SymmetricKey(size: SymmetricKeySize(bitCount: secretLength * 8)).withUnsafeBytes { Array($0) }
    }

    /// How many periods have passed since 1970.
    static func step(at moment: Date) -> Int {
        Int((moment.timeIntervalSince1970 / period).rounded(.down))
    }

    /// The code of a step (RFC 4226 §5.3).
    static func code(of secret: [UInt8], step: Int) -> String {
        let counter = withUnsafeBytes(of: UInt64(bitPattern: Int64(step)).bigEndian) { Data($0) }
        let mac = Array(HMAC<Insecure.SHA1>.authenticationCode(for: counter, using: SymmetricKey(data: secret)))
        let offset = Int(mac[mac.count - 1] & 15)
        let number = mac[offset..<offset + 4].reduce(UInt32(0)) { $0 << 8 | UInt32($1) } & 0x7FFF_FFFF
        let text = String(number % 1_000_000)
        return String(repeating: "0", count: digits - text.count) + text
    }

    /// The steps around a moment whose code it is: the present one and those beside it, since clocks differ and people type slowly
    /// (RFC 6238 §5.2). Takes the same time for every code.
    static func steps(matching code: String, _ secret: [UInt8], at moment: Date) -> [Int] {
        let present = step(at: moment)
        return (present - 1...present + 1).filter { isSame(code, self.code(of: secret, step: $0)) }
    }

    private static func isSame(_ given: String, _ expected: String) -> Bool {
        let (given, expected) = (Array(given.utf8), Array(expected.utf8))
        return given.count == expected.count && zip(given, expected).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
    }

    /// What authenticators read (the format of Google Authenticator, "Key URI Format").
    static func uri(of secret: [UInt8], account: String, issuer: String) -> String {
        let (issuer, account) = (PercentEncoding.encode(String(issuer.prefix(64))), PercentEncoding.encode(account))
        return "otpauth://totp/\(issuer):\(account)?secret=\(Base32.encode(secret))&issuer=\(issuer)&algorithm=SHA1&digits=6&period=30"
    }
}

/// Base32 without padding (RFC 4648 §6).
enum Base32 {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".utf8)

    static func encode(_ bytes: some Sequence<UInt8>) -> String {
        var text: [UInt8] = []
        var (bits, waiting): (UInt32, Int) = (0, 0)
        for byte in bytes {
            bits = bits << 8 | UInt32(byte)
            waiting += 8
            while waiting >= 5 {
                waiting -= 5
                text.append(alphabet[Int(bits >> UInt32(waiting) & 31)])
            }
        }
        if waiting > 0 { text.append(alphabet[Int(bits << UInt32(5 - waiting) & 31)]) }
        return String(decoding: text, as: UTF8.self)
    }
}
