public import Foundation

extension SQLValue {
    /// The one text of a decimal: digits with a point if need be, no exponent, no needless zeros, no `-0`. Not for not-a-number.
    ///
    /// ```swift
    /// SQLValue.text(of: Decimal(sign: .minus, exponent: -2, significand: 150))  // "-1.5"
    /// ```
    public static func text(of number: Decimal) -> String {
        guard !number.isZero else { return "0" }
        // Foundation's own text has no exponent, but its zeros depend on how the number came about.
        var text = number.description
        guard text.utf8.contains(UInt8(ascii: ".")) else { return text }
        while text.utf8.last == UInt8(ascii: "0") { text.removeLast() }
        if text.utf8.last == UInt8(ascii: ".") { text.removeLast() }
        return text
    }

    /// The decimal that a plain number's text stands for (`-12.50`), exactly; `nil` for other text, and for a number that a `Decimal` does
    /// not hold: of more than 38 digits without the zeros at its ends, or more than 127 zeros before the point or 128 digits after it.
    public static func decimal(_ text: String) -> Decimal? {
        guard let number = PlainNumber(text) else { return nil }
        if number.digits.isEmpty { return 0 }
        // Foundation rounds what is too long without a word, so its reading is compared with what was to be read.
        guard (-128...127).contains(number.exponent), let significand = Decimal(string: number.digits),
            significand.description == number.digits
        else { return nil }
        return Decimal(sign: number.isNegative ? .minus : .plus, exponent: number.exponent, significand: significand)
    }
}

/// A number's text taken apart: its digits without zeros at either end, times a power of ten.
private struct PlainNumber {
    let isNegative: Bool
    let digits: String
    let exponent: Int

    init?(_ text: String) {
        isNegative = text.utf8.first == UInt8(ascii: "-")
        let parts = text.utf8.dropFirst(isNegative ? 1 : 0).split(
            separator: UInt8(ascii: "."), maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.allSatisfy({ !$0.isEmpty && $0.allSatisfy((UInt8(ascii: "0")...UInt8(ascii: "9")).contains) }) else { return nil }
        let all = Array(parts.joined().drop { $0 == UInt8(ascii: "0") })
        let zeros = all.reversed().prefix { $0 == UInt8(ascii: "0") }.count
        digits = String(decoding: all.dropLast(zeros), as: UTF8.self)
        exponent = zeros - (parts.count == 2 ? parts[1].count : 0)
    }
}
