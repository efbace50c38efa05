import Crypto
import CryptoExtras
import Foundation
import MartletCore

/// scrypt (RFC 7914) as Werkzeug writes it: `scrypt:32768:8:1$salt$hash`, the salt as text and 64 bytes of hash in hexadecimal.
struct ScryptHash: Sendable, Equatable {
    /// The most that all blocks of one check may take together, in bytes; it is what its work grows with, too.
    static let mostMemory = 128 << 20
    private static let blockSizes = 8...16
    private static let length = 64

    private let rounds: Int
    private let blockSize: Int
    private let parallelism: Int
    private let salt: [UInt8]
    private let key: [UInt8]

    /// - Parameter parts: Those of the text between the `$`.
    init(_ parts: [Substring]) throws(Fault) {
        let costs = parts[0].split(separator: ":", omittingEmptySubsequences: false).dropFirst().map { HashText.number($0) ?? 0 }
        guard parts.count == 3, costs.count == 3, let key = HashText.bytes(hexadecimal: parts[2]), key.count == Self.length,
            let salt = HashText.salt(parts[1])
        else { throw ImportedHash.unknown }
        (rounds, blockSize, parallelism) = (costs[0], costs[1], costs[2])
        (self.salt, self.key) = (salt, key)
        guard rounds > 1, rounds.nonzeroBitCount == 1, parallelism > 0, Self.blockSizes.contains(blockSize) else {
            throw ImportedHash.unknown
        }
        guard rounds <= Self.mostMemory, parallelism <= Self.mostMemory, 128 * rounds * blockSize <= Self.mostMemory / parallelism else {
            throw ImportedHash.tooCostly
        }
    }

    func matches(_ password: String) throws -> Bool {
        let derived = try KDF.Scrypt.deriveKey(
            from: Data(password.utf8), salt: Data(salt), outputByteCount: key.count, rounds: rounds, blockSize: blockSize,
            parallelism: parallelism)
        return derived == SymmetricKey(data: key)
    }
}
