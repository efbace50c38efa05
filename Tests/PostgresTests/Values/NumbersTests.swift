import Foundation
import MartletTestSupport
import Testing

@testable import MartletPostgres
@testable import MartletStorage

/// `numeric` and `Decimal`. The bytes are those of PostgreSQL 15.
struct Numbers {
    static let numbers = [
        ("12345.6789", "0003000100000004000109291a85"),
        ("-0.0001", "0001ffff400000040001"),
        ("12345678901234567890123456789012345678", "000a000900000000000c0d801ed204d2162e23340d801ed204d2162e"),
        ("-99999999999999999999999999999999999999", "000a0009400000000063270f270f270f270f270f270f270f270f270f"),
        ("0", "0000000000000000"),
        ("9999.9999", "0002000000000004270f270f"),
        ("100000000.00000001", "000500020000000800010000000000000001"),
        ("0.1234567890123456789", "0005ffff0000001304d2162e23340d801ed2"),
        ("340282366920938463463374607431768211455", "000a00090000000001540b071a2403aa121a18c111ff10dd1aa505af"),
        ("1e-128", "0001ffe0000000800001"),
        ("1e127", "0001001f0000000003e8"),
        ("100000000000000000000", "00010005000000000001"),
        ("10000", "00010001000000000001"),
    ]

    @Test(arguments: numbers) func numbersAreSentAndReceivedExactly(_ text: String, _ hex: String) throws {
        let number = try #require(Decimal(string: text))
        #expect(try sent(.decimal(number)) == SentParameter(oid: 1700, format: 1, bytes: bytes(hex)))
        #expect(received(hex, as: .numeric) == .decimal(number))
    }

    @Test func decimalsThatAreOnlyShownAreNotPartOfTheNumber() {
        #expect(received("000200000000000200011388", as: .numeric) == .decimal(Decimal(15) / 10))
        #expect(received("0000000000000002", as: .numeric) == .decimal(0))
    }

    /// NaN, both infinities, 2¹²⁸, 10¹²⁸, 10⁻¹²⁹, and 1 followed by 10⁻⁴⁰.
    @Test(arguments: [
        "00000000c0000000", "00000000d0000020", "00000000f0000020", "000a00090000000001540b071a2403aa121a18c111ff10dd1aa505b0",
        "00010020000000000001", "0001ffdf0000008103e8", "000b0000000000280001" + String(repeating: "0000", count: 9) + "0001",
    ])
    func whatDoesNotFitExactlyIsNoValue(_ hex: String) {
        #expect(received(hex, as: .numeric) == nil)
    }

    /// A group of more than four digits, a negative one, an unknown sign, a group too few, a group too many, a count beyond the bytes.
    @Test(arguments: [
        "00010000000000002710", "0001000000000000ffff", "00010000123400000001", "0002000000000000" + "0001",
        "0001000000000000" + "00010001",
        "ffff000000000000" + "0001", "00000000000000",
    ])
    func brokenNumbersAreNoValue(_ hex: String) {
        #expect(received(hex, as: .numeric) == nil)
    }

    @Test func zerosAroundTheDigitsChangeNothing() {
        #expect(received("00040002000000000000000000010000", as: .numeric) == .decimal(1))
        #expect(received("0003ffff4000000000000000" + "0000", as: .numeric) == .decimal(0))
    }

    @Test func whateverADecimalHoldsComesBack() throws {
        var chance = SeededNumbers(seed: 1)
        for _ in 0..<2000 {
            let number = Self.number(&chance)
            let bytes = try #require(try sent(.decimal(number)).bytes)
            #expect(received(bytes, as: 1700) == .decimal(number))
        }
    }

    /// A number with up to 38 digits and any exponent that a `Decimal` can have.
    private static func number(_ chance: inout SeededNumbers) -> Decimal {
        let digits = (0..<Int.random(in: 1...38, using: &chance)).map { _ in String(Int.random(in: 0...9, using: &chance)) }.joined()
        let significand = Decimal(string: digits) ?? 0
        let exponent = Int.random(in: -128...(127 - 38), using: &chance)
        return Decimal(sign: Bool.random(using: &chance) ? .minus : .plus, exponent: exponent, significand: significand)
    }

    @Test func notANumberIsNotSent() {
        #expect(throws: (any Error).self) { _ = try PostgresParameters([.decimal(.nan)]) }
    }
}
