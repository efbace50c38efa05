import Foundation
import MartletCore
import MartletStorage

/// `numeric` on the wire: groups of four decimal digits, the power of 10,000 of the first one (its weight), a sign, and how many decimals
/// are shown. Source: `numeric_send` and `numeric_recv`.
///
/// `Decimal` holds a whole number below 2¹²⁸ times a power of ten from -128 to 127. What it cannot hold exactly is never rounded.
enum PostgresNumeric {
    private static let negative: UInt16 = 0x4000
    /// 39 digits cover at most eleven groups, and trailing zeros are not sent.
    static let maximalSize = 8 + 2 * 11

    static func append(_ number: Decimal, to bytes: inout [UInt8]) throws {
        guard !number.isNaN else { throw PostgresParameters.unsendable }
        let (power, shift) = number.exponent.quotientAndRemainder(flooredBy: 4)
        let (groups, weight) = groups(of: number.significand, shiftedBy: shift)
        bytes.append(bigEndian: UInt16(groups.count))
        bytes.append(bigEndian: Int16(groups.isEmpty ? 0 : weight + power))
        bytes.append(bigEndian: number < 0 ? negative : 0)
        bytes.append(bigEndian: UInt16(max(0, -number.exponent)))
        for group in groups { bytes.append(bigEndian: group) }
    }

    /// The groups of a whole number times 10 to the `shift`, without zeros at the end, and the weight of the first.
    private static func groups(of number: Decimal, shiftedBy shift: Int) -> (groups: [UInt16], weight: Int) {
        let digits = number.description.utf8.map { UInt16($0 - UInt8(ascii: "0")) } + Array(repeating: 0, count: shift)
        let padding = (4 - digits.count % 4) % 4
        var groups = [UInt16](repeating: 0, count: (digits.count + padding) / 4)
        for (index, digit) in digits.enumerated() {
            let group = (index + padding) / 4
            groups[group] = groups[group] * 10 + digit
        }
        let weight = groups.count - 1
        while groups.last == 0 { groups.removeLast() }
        return (groups, weight)
    }

    /// The number, or `nil` for NaN, the infinities, and what a `Decimal` cannot hold exactly.
    static func decode(_ bytes: UnsafeRawBufferPointer) -> Decimal? {
        var reader = WireReader(bytes)
        guard let count = reader.next(UInt16.self), let weight = reader.next(Int16.self), let sign = reader.next(UInt16.self),
            sign == 0 || sign == negative, reader.next(UInt16.self) != nil, reader.remaining == 2 * Int(count),
            let (whole, exponent) = whole(&reader, power: Int(weight) * 4)
        else { return nil }
        return decimal(whole, exponent, isNegative: sign == negative)
    }

    /// The digits as a whole number and its power of ten, without zeros at the end; `power` is that of the first group.
    private static func whole(_ reader: inout WireReader, power: Int) -> (UInt128, exponent: Int)? {
        var (whole, exponent, place): (UInt128, Int, Int) = (0, 0, power)
        while let group = reader.next(UInt16.self) {
            guard group < 10_000 else { return nil }
            if group > 0 {
                let (digits, zeros) = trimmed(group)
                // Zeros before the first digit that counts are none of the number's.
                let scaled = whole == 0 ? 0 : scale(whole, by: exponent - place - zeros)
                guard let scaled, case let (sum, overflow) = scaled.addingReportingOverflow(UInt128(digits)), !overflow else { return nil }
                (whole, exponent) = (sum, place + zeros)
            }
            place -= 4
        }
        return (whole, exponent)
    }

    /// A group that is not zero without the zeros at its end, and how many those are.
    private static func trimmed(_ group: UInt16) -> (digits: UInt16, zeros: Int) {
        var (digits, zeros) = (group, 0)
        while digits % 10 == 0 { (digits, zeros) = (digits / 10, zeros + 1) }
        return (digits, zeros)
    }

    private static func scale(_ whole: UInt128, by power: Int) -> UInt128? {
        var scaled = whole
        for _ in 0..<power {
            let (product, overflow) = scaled.multipliedReportingOverflow(by: 10)
            if overflow { return nil }
            scaled = product
        }
        return scaled
    }

    private static func decimal(_ whole: UInt128, _ exponent: Int, isNegative: Bool) -> Decimal? {
        if whole == 0 { return 0 }
        guard -128...127 ~= exponent, let significand = Decimal(exactly: whole) else { return nil }
        return Decimal(sign: isNegative ? .minus : .plus, exponent: exponent, significand: significand)
    }
}
