import Foundation
import MartletSecrets
import Testing

@Suite("Sealing") struct SecretBoxTests {
    private let old = Array("an old key, of thirty-two bytes or more".utf8)
    private let new = Array("the next key, of thirty-two bytes or more".utf8)
    private let secret = Array("an authenticator's secret".utf8)

    @Test func opensWhatItSealed() throws {
        let box = SecretBox(current: new)
        for content in [secret, [], [UInt8](repeating: 7, count: 100_000)] {
            let sealed = try box.seal(content, for: "totp:1")
            #expect(try box.open(sealed, for: "totp:1") == content)
            #expect(sealed.count == content.count + 37)
        }
        let (one, two) = (try box.seal(secret, for: "x"), try box.seal(secret, for: "x"))
        #expect(one != two)
    }

    @Test func nothingOpensForAnotherPurpose() throws {
        let box = SecretBox(current: new)
        let sealed = try box.seal(secret, for: "totp:1")
        for purpose in ["totp:2", "totp:", "", "totp:11"] {
            #expect(throws: SecretBox.Unreadable.damaged) { try box.open(sealed, for: purpose) }
        }
    }

    @Test func anyChangedBitIsNoticed() throws {
        let box = SecretBox(current: new)
        let sealed = try box.seal(secret, for: "totp:1")
        for index in sealed.indices {
            var changed = sealed
            changed[index] ^= 1
            #expect(throws: SecretBox.Unreadable.self, "byte \(index)") { try box.open(changed, for: "totp:1") }
        }
        for length in 0..<sealed.count {
            #expect(throws: SecretBox.Unreadable.self) { try box.open(Array(sealed.prefix(length)), for: "totp:1") }
        }
        #expect(throws: SecretBox.Unreadable.damaged) { try box.open(sealed + [0], for: "totp:1") }
    }

    @Test func previousKeysOpenAndAreNotCurrent() throws {
        let sealed = try SecretBox(current: old).seal(secret, for: "totp:1")
        let box = SecretBox(current: new, previous: [old])
        #expect(try box.open(sealed, for: "totp:1") == secret)
        #expect(!box.isCurrent(sealed))
        let fresh = try box.seal(secret, for: "totp:1")
        #expect(box.isCurrent(fresh))
        #expect(throws: SecretBox.Unreadable.unknownKey) { try SecretBox(current: new).open(sealed, for: "totp:1") }
    }

    /// Stored values are for ever: this one was sealed by another implementation when the format was made.
    @Test func opensWhatWasSealedLongAgo() throws {
        let stored = try #require(Data(base64Encoded: Self.stored))
        #expect(try SecretBox(current: old).open(Array(stored), for: "totp:1") == secret)
    }

    private static let stored = "AYxZwT2JCG6GAAECAwQFBgcICQoLnGLUZSWwW9RGxoe6SaECNINcSOwYV0KFn6EnVh9TlepYzFcSPB9rrxo="

    @Test func showsNothingOfItself() {
        var text = ""
        dump(SecretBox(current: new), to: &text)
        #expect(!text.contains("key") && text.count < 40)
        #expect("\(SecretBox(current: new))" == "SecretBox")
    }
}
