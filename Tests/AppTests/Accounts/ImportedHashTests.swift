import MartletCore
import Testing

@testable import MartletIdentity

/// Hashes that other implementations made: those of bcrypt are the vectors of Openwall's crypt_blowfish, those of scrypt and PBKDF2 were made
/// by Werkzeug, and by Python's hashlib in Django's format.
@Suite("Hashes of imported accounts") struct HashesOfImportedAccounts {
    struct Vector: Sendable, CustomTestStringConvertible {
        let password: String
        let hash: String
        var testDescription: String { String(hash.prefix(30)) }
    }

    static let beyond72Bytes = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

    static let vectors = [
        Vector(password: "U*U", hash: "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"),
        Vector(password: "U*U*", hash: "$2a$05$CCCCCCCCCCCCCCCCCCCCC.VGOzA784oUp/Z0DY336zx7pLYAy0lwK"),
        Vector(password: "U*U*U", hash: "$2a$05$XXXXXXXXXXXXXXXXXXXXXOAcXxm9kjPGEMsLznoKqmqw7tc8WCx4a"),
        Vector(password: "U*U", hash: "$2b$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"),
        Vector(password: "U*U", hash: "$2y$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"),
        Vector(
            password: beyond72Bytes + "chars after 72 are ignored as usual",
            hash: "$2a$05$abcdefghijklmnopqrstuu5s2v8.iXieOjg/.AySBTTZIIVFJeBui"),
        Vector(
            password: "correct horse battery",
            hash:
                "scrypt:32768:8:1$7LpIPti2ih66xJDd$f25040a2b923c0ea1807a29d2613746fd4042ac5b1d150a2da507dc8cfa833bb91606c1d6ef7bb2320a828e6b429a8d53c27c5ea21cc67d866ebbbe09a6f73d8"
        ),
        Vector(
            password: "correct horse battery",
            hash:
                "scrypt:16384:8:2$EULs1JxTgvrbIS5m$a2b0fc0f36a75dd680578704324d0a4d37f3a846adfc04681e8f0220974d1e2cd7b283a085850bbd9ba3fb7987d1a5870e871d3c0cb851389df8243030fbb3d2"
        ),
        Vector(
            password: "pässwörd ☂",
            hash:
                "scrypt:1024:8:1$GXIoHsLBNKtTKolr$610edaea0aaffe38f267ead946bdc99d2daf56ded90e2a209f8da1d5df888b33f0a3751425b226444eae353174ea37826807d73cd6bbf0adc42f7f97d645a673"
        ),
        Vector(
            password: "correct horse battery",
            hash: "pbkdf2:sha256:1000$F0DbNjS28d3BGC4R$c332b843f394984de115a5c2cdf09726264a07032b0dd0e310971aebd5d0d5ca"),
        Vector(
            password: "correct horse battery",
            hash:
                "pbkdf2:sha512:1000$COCKpiuSwSHNoV24$4690d38d5f5fb6902fc39f49c7e49d69a4db4e5615d0fdec893657fa8d1c2be1bda8c654643f2d63884a805d2d87070ca4b4da16cf06c452287805d25798a5b0"
        ),
        Vector(password: "correct horse battery", hash: "pbkdf2:sha1:1000$2LHs6qBr0fFhnPn9$a452477fa7c629720416430c5e0ef82a56aeed13"),
        Vector(password: "correct horse battery", hash: "pbkdf2_sha256$1000$seasalt2$/AgPzJG5e6Yv25JIyxyWfNnB6QXmfp0Y+BEGfC3zoJE="),
        Vector(password: "correct horse battery", hash: "pbkdf2_sha1$1000$seasalt2$ZXKgkKtGgMyeFjSN97n9NWVUzUU="),
    ]

    @Test(arguments: vectors) func areMatchedByTheirPasswordOnly(vector: Vector) throws {
        let hash = try ImportedHash(vector.hash)
        #expect(try hash.matches(vector.password))
        for other in ["", "x" + vector.password, String(vector.password.dropFirst()), vector.password.uppercased() + "!"] {
            #expect(try !hash.matches(other), "\(other)")
        }
    }

    @Test(arguments: vectors) func areNotMatchedWhenOneOfTheirDigitsIsAnother(vector: Vector) throws {
        // Before the end, where base64 has bits that mean nothing.
        var digits = Array(vector.hash)
        let place = digits.count - 6
        digits[place] = digits[place] == "a" ? "b" : "a"
        #expect(try !ImportedHash(String(digits)).matches(vector.password))
    }

    @Test func bcryptDoesNotEndAtANUL() throws {
        let hash = try ImportedHash("$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW")
        #expect(try !hash.matches("U*U\u{0}anything"))
    }

    @Test(arguments: [
        "$2b$16$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", "$2b$31$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
        "scrypt:262144:8:1$salt$" + zeros(64), "scrypt:32768:8:8$salt$" + zeros(64), "scrypt:4611686018427387904:16:1$salt$" + zeros(64),
        "scrypt:2:8:9223372036854775807$salt$" + zeros(64), "pbkdf2:sha256:10000001$salt$" + zeros(32),
        "pbkdf2_sha256$10000001$salt$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", "pbkdf2:sha1:9223372036854775807$salt$" + zeros(20),
        "$argon2id$v=19$m=262145,t=1,p=1$c2FsdHNhbHRzYWx0$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        "$argon2id$v=19$m=65536,t=1000,p=1$c2FsdHNhbHRzYWx0$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    ]) func areRefusedWhenTheyCostTooMuch(hash: String) {
        let fault = #expect(throws: Fault.self) { try ImportableHash(hash) }
        #expect(fault?.code == "hash_too_costly", "\(hash)")
    }

    @Test(arguments: [
        "", "$", "$$$", "$2b$", "password", "$1$salt$hash", "$2x$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
        "$2b$03$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", "$2b$+5$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
        "$2b$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOe", "$2b$05$CCCCCCCCCCCCCCCCCCCCC!E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
        "scrypt:32768:8:1$salt$00", "scrypt:32767:8:1$salt$" + zeros(64), "scrypt:32768:0:1$salt$" + zeros(64),
        "scrypt:32768:8:-1$salt$" + zeros(64), "scrypt:32768:8$salt$" + zeros(64), "scrypt:32768:8:1$$" + zeros(64),
        "scrypt:32768:8:1$salt$" + String(repeating: "zz", count: 64), "scrypt:32768:8:1$salt$" + zeros(64) + "$",
        "pbkdf2:sha256$salt$" + zeros(32), "pbkdf2:md5:1000$salt$" + zeros(16), "pbkdf2:sha256:0$salt$" + zeros(32),
        "pbkdf2:sha256:1000$salt$" + zeros(31), "pbkdf2_sha256$1000$salt$AAAA", "pbkdf2_sha256$x$salt$AAAA", "$argon2id$", "$argon2i$v=19$",
        "$argon2id$v=19$m=64,t=0,p=1$c2FsdHNhbHRzYWx0$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    ]) func areRefusedInFormsThatAreNotKnown(hash: String) {
        let fault = #expect(throws: Fault.self) { try ImportableHash(hash) }
        #expect(fault?.code == "unknown_hash", "\(hash)")
    }

    @Test func oursMayBeImportedToo() async throws {
        let hasher = try PasswordHasher(IdentityPolicy.Hashing(memoryKiB: 64, iterations: 1, concurrency: 1))
        let hash = try await hasher.hash("correct horse battery")
        #expect(try ImportableHash(hash).raw == hash)
        #expect("\(try ImportableHash(hash))" == "•••")
    }

    @Test func areOutdatedUnlessTheyKnowTheBeginningOnly() throws {
        let hasher = try PasswordHasher(IdentityPolicy.Hashing(memoryKiB: 64, iterations: 1, concurrency: 1))
        let bcrypt = "$2a$05$abcdefghijklmnopqrstuu5s2v8.iXieOjg/.AySBTTZIIVFJeBui"
        #expect(try hasher.isOutdated(bcrypt, matchedBy: Self.beyond72Bytes))
        #expect(try !hasher.isOutdated(bcrypt, matchedBy: Self.beyond72Bytes + "x"))
        #expect(try hasher.isOutdated(Self.vectors[6].hash, matchedBy: Self.beyond72Bytes + "x"))
    }
}

private func zeros(_ bytes: Int) -> String { String(repeating: "00", count: bytes) }
