import CCrypt
import Crypto
import MartletCore

/// bcrypt, by libxcrypt: `$2b$`, the cost, 22 characters of salt and 31 of hash. `$2a$` and `$2y$` are the same algorithm; `$2x$` is that of
/// a mistaken implementation, and is not known here.
struct BcryptHash: Sendable, Equatable {
    /// Each step doubles the work; 15 takes some seconds.
    static let highestCost = 15
    /// The algorithm does not look at what follows.
    static let significantBytes = 72

    private let text: String

    /// - Parameter parts: Those of the text between the `$`.
    init(_ text: String, _ parts: [Substring]) throws(Fault) {
        guard parts.count == 4, ["2a", "2b", "2y"].contains(parts[1]), parts[2].utf8.count == 2, let cost = HashText.number(parts[2]),
            cost >= 4,
            parts[3].utf8.count == 53, parts[3].utf8.allSatisfy(Self.isDigit)
        else { throw ImportedHash.unknown }
        guard cost <= Self.highestCost else { throw ImportedHash.tooCostly }
        self.text = text
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "."), UInt8(ascii: "/"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "a")...UInt8(ascii: "z"):
            true
        default: false
        }
    }

    func matches(_ password: String) throws -> Bool {
        // C's strings end at a NUL: what is behind it would not count.
        guard !password.utf8.contains(0) else { return false }
        return SymmetricKey(data: Array(try computed(password).utf8)) == SymmetricKey(data: Array(text.utf8))
    }

    private func computed(_ password: String) throws -> String {
        let size = MemoryLayout<crypt_data>.size
        let scratch = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: MemoryLayout<crypt_data>.alignment)
        defer {
            // It has held the password.
            scratch.initializeMemory(as: UInt8.self, repeating: 0, count: size)
            scratch.deallocate()
        }
        scratch.initializeMemory(as: UInt8.self, repeating: 0, count: size)
        guard let found = crypt_rn(password, text, scratch, Int32(size)) else { throw BcryptFailure() }
        return String(cString: found)
    }
}

private struct BcryptFailure: Error, CustomStringConvertible {
    var description: String { "libxcrypt computes no bcrypt hash" }
}
