import CArgon2
import MartletCore
import NIOPosix
import Synchronization

/// Hashes passwords with Argon2id on threads of its own, a few at a time.
final class PasswordHasher: Sendable {
    /// More callers than this wait for no hash: they hear `unavailable` at once.
    static let maximumWaiting = 256

    private let cost: IdentityPolicy.Hashing
    private let threads: NIOThreadPool
    private let waiting = Atomic<Int>(0)
    private let computed = Atomic<Int>(0)
    /// What is verified when there is no account, so that it takes as long as when there is one.
    private let decoy: String

    init(_ cost: IdentityPolicy.Hashing) throws {
        self.cost = cost
        threads = NIOThreadPool(numberOfThreads: max(1, cost.concurrency))
        threads.start()
        decoy = try Argon2id.hash("decoy", cost)
    }

    deinit {
        threads.shutdownGracefully { _ in }
    }

    /// How many hashes were computed since the start, for whatever reason: what an attempt to log in costs must not tell who exists.
    var hashesComputed: Int { computed.load(ordering: .relaxed) }

    /// The hash in PHC string format. Throws `unavailable` when too many wait; a cancelled caller's hash may still be computed.
    func hash(_ password: String) async throws -> String {
        try await onThread { [cost] in try Argon2id.hash(password, cost) }
    }

    /// Whether the password has the hash; always `false`, and as slow, when there is none.
    func verify(_ password: String, against hash: String?) async throws -> Bool {
        try await onThread { [decoy] in try Self.matches(password, hash ?? decoy) && hash != nil }
    }

    private static func matches(_ password: String, _ hash: String) throws -> Bool {
        try hash.hasPrefix(Argon2id.prefix) ? Argon2id.verify(password, against: hash) : ImportedHash(hash).matches(password)
    }

    /// Whether the hash, which the password has just matched, was made by another algorithm or with another cost than the present one.
    ///
    /// One that looked at the beginning of the password only is kept: its rest may be mistyped, and would be asked for from then on.
    func isOutdated(_ hash: String, matchedBy password: String) throws -> Bool {
        if hash.hasPrefix(Argon2id.prefix) {
            return !hash.hasPrefix("\(Argon2id.prefix)v=19$m=\(cost.memoryKiB),t=\(cost.iterations),p=\(cost.lanes)$")
        }
        return try password.utf8.count <= ImportedHash(hash).significantBytes ?? .max
    }

    private func onThread<Result: Sendable>(_ work: @escaping @Sendable () throws -> Result) async throws -> Result {
        let ahead = waiting.add(1, ordering: .relaxed).oldValue
        defer { waiting.subtract(1, ordering: .relaxed) }
        guard ahead < Self.maximumWaiting else {
            throw Failure.unavailable("too_many_logins", "Too many logins at once: try again in a moment.")
        }
        return try await threads.runIfActive {
            self.computed.add(1, ordering: .relaxed)
            return try work()
        }
    }
}

/// libargon2 (RFC 9106), with 16 bytes of salt and 32 of hash.
enum Argon2id {
    static let prefix = "$argon2id$"
    private static let saltLength = 16
    private static let hashLength = 32

    static func hash(_ password: String, _ cost: IdentityPolicy.Hashing) throws -> String {
        let salt = (0..<saltLength).map { _ in UInt8.random(in: .min ... .max) }
        let capacity = argon2_encodedlen(cost.iterations, cost.memoryKiB, cost.lanes, UInt32(saltLength), UInt32(hashLength), Argon2_id)
        var encoded = [CChar](repeating: 0, count: capacity)
        let bytes = Array(password.utf8)
        let code = argon2id_hash_encoded(
            cost.iterations, cost.memoryKiB, cost.lanes, bytes, bytes.count, salt, salt.count, hashLength, &encoded, encoded.count)
        guard code == ARGON2_OK.rawValue else { throw Argon2Failure(code: code) }
        return String(decoding: encoded.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    static func verify(_ password: String, against hash: String) throws -> Bool {
        let bytes = Array(password.utf8)
        switch argon2id_verify(hash, bytes, bytes.count) {
        case ARGON2_OK.rawValue: return true
        case ARGON2_VERIFY_MISMATCH.rawValue: return false
        case let code: throw Argon2Failure(code: code)
        }
    }
}

extension Argon2id {
    /// Throws for what is no hash in PHC string format, and for one whose check takes more than 256 MiB or a hundred times the work of
    /// a hash with the default cost.
    static func checkImportable(_ hash: String) throws(Fault) {
        let form = /\$argon2id\$v=19\$m=([0-9]{1,9}),t=([0-9]{1,9}),p=([0-9]{1,9})\$[A-Za-z0-9+\/]{11,86}\$[A-Za-z0-9+\/]{22,172}/
        guard let parts = hash.wholeMatch(of: form)?.output, let memory = Int(parts.1), let passes = Int(parts.2), let lanes = Int(parts.3),
            passes > 0, lanes > 0, memory >= 8 * lanes
        else { throw ImportedHash.unknown }
        guard memory <= 256 << 10, lanes <= 64, memory * passes <= 100 * 2 * 19_456 else { throw ImportedHash.tooCostly }
    }
}

private struct Argon2Failure: Error, CustomStringConvertible {
    let code: Int32
    var description: String { "Argon2: \(String(cString: argon2_error_message(code)))" }
}
