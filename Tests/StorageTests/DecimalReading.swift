import Foundation
import MartletStorage
import Testing

@Suite("Decimals as text")
struct DecimalReading {
    @Test(
        arguments: [
            ("0", "0"), ("-0", "0"), ("0.00", "0"), ("-0.0", "0"), ("007", "7"), ("1.50", "1.5"), ("-12.00", "-12"), ("10.010", "10.01"),
            ("0000.1", "0.1"), ("1000", "1000"),
        ])
    func everyPlainNumberHasOneText(text: String, canonical: String) throws {
        #expect(SQLValue.text(of: try #require(SQLValue.decimal(text))) == canonical)
    }

    @Test(arguments: ["", "-", "+1", ".", "1.", ".5", "1..2", "1.2.3", "1e5", "0x1", " 1", "1 ", "١", "NaN", "Infinity", "1,5", "--1"])
    func otherTextIsNoDecimal(text: String) {
        #expect(SQLValue.decimal(text) == nil)
    }

    @Test func theGreatestAndTheLeastAreRead() throws {
        for number in [Decimal.greatestFiniteMagnitude, -.greatestFiniteMagnitude, .leastNonzeroMagnitude, -.leastNonzeroMagnitude] {
            #expect(SQLValue.decimal(SQLValue.text(of: number)) == number)
        }
        let long = "1" + String(repeating: "0", count: 127)
        #expect(SQLValue.text(of: try #require(SQLValue.decimal(long))) == long)
        #expect(SQLValue.decimal(long + "0") == nil)
        #expect(SQLValue.decimal("340282366920938463463374607431768211456") == nil)
        #expect(SQLValue.decimal("1" + String(repeating: "0", count: 10_000)) == nil)
    }

    @Test func howANumberCameAboutDoesNotShow() throws {
        let (one, tenth) = (try #require(SQLValue.decimal("1.10")), try #require(SQLValue.decimal("0.1")))
        #expect(SQLValue.text(of: one - tenth) == "1")
        #expect(SQLValue.text(of: tenth - tenth) == "0")
        #expect(SQLValue.text(of: Decimal(sign: .minus, exponent: 0, significand: 0)) == "0")
        #expect(SQLValue.text(of: Decimal(sign: .plus, exponent: -5, significand: 1_500)) == "0.015")
    }
}
