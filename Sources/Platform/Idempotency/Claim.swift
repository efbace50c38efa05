import Crypto
import HTTPTypes
import MartletContract
import MartletCore
import MartletHTTP

/// A caller's word that this request is the one of a key.
struct Claim: Sendable {
    /// What is claimed: a key belongs to who uses it.
    struct Name: Hashable, Sendable {
        let caller: Identifier<Account>
        let key: String
    }

    let name: Name
    /// Method and path as declared: `POST /api/v1/bookmarks`.
    let endpoint: String
    /// SHA-256 of what makes the request this one.
    let fingerprint: [UInt8]

    /// `nil` without a key; throws `invalid_idempotency_key` for one that is none.
    init?(of call: Call, by caller: Caller, to operation: APIOperation, query: [(name: String, value: String)]) throws(Failure) {
        guard let key = call.request.headerFields[.idempotencyKey] else { return nil }
        guard (1...255).contains(key.utf8.count), key.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else { throw Self.invalidKey }
        let path = (call.request.path ?? "/").prefix { $0 != "?" }
        var fingerprint = Fingerprint()
        fingerprint.add(operation.method.rawValue)
        fingerprint.add(String(path))
        for (name, value) in query.sorted(by: { ($0.name, $0.value) < ($1.name, $1.value) }) { fingerprint.add(name, value) }
        fingerprint.add(call.request.headerFields[.contentType] ?? "")
        fingerprint.add(call.bodyDigest ?? [])
        self.init(
            name: Name(caller: caller.id, key: key), endpoint: "\(operation.method) \(operation.path)", fingerprint: fingerprint.bytes)
    }

    init(name: Name, endpoint: String, fingerprint: [UInt8]) {
        (self.name, self.endpoint, self.fingerprint) = (name, endpoint, fingerprint)
    }

    private static let invalidKey = Failure.malformed(
        "invalid_idempotency_key", "The Idempotency-Key must be 1 to 255 visible ASCII characters.")
}

/// A hash of parts, each with its length: no two lists of parts have the same bytes.
private struct Fingerprint {
    private var hash = SHA256()

    mutating func add(_ parts: String...) {
        for part in parts { add(Array(part.utf8)) }
    }

    mutating func add(_ part: [UInt8]) {
        withUnsafeBytes(of: UInt64(part.count).bigEndian) { hash.update(bufferPointer: $0) }
        hash.update(data: part)
    }

    var bytes: [UInt8] { Array(hash.finalize()) }
}
