public import Foundation
import MartletCore

/// Times on the wire: RFC 3339 in UTC, with milliseconds only where there are any.
public enum Timestamp {
    /// The earliest and latest moments that have four-digit years.
    static let range = -62_135_596_800.0...253_402_300_799.999

    /// Writes a moment, rounded down to milliseconds; moments outside the years 1–9999 are clamped to them.
    public static func text(_ date: Date) -> String {
        var bytes: [UInt8] = []
        append(date, to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    static func append(_ date: Date, to bytes: inout [UInt8]) {
        let seconds = min(max(date.timeIntervalSince1970, range.lowerBound), range.upperBound)
        let milliseconds = wholeMilliseconds(seconds)
        let (days, millisecondOfDay) = milliseconds.quotientAndRemainder(flooredBy: 86_400_000)
        let (year, month, day) = CivilDate.date(onDay: days)
        append(year, 4, to: &bytes, then: "-")
        append(month, 2, to: &bytes, then: "-")
        append(day, 2, to: &bytes, then: "T")
        append(millisecondOfDay / 3_600_000, 2, to: &bytes, then: ":")
        append(millisecondOfDay / 60_000 % 60, 2, to: &bytes, then: ":")
        append(millisecondOfDay / 1000 % 60, 2, to: &bytes, then: millisecondOfDay % 1000 == 0 ? "Z" : ".")
        if millisecondOfDay % 1000 != 0 { append(millisecondOfDay % 1000, 3, to: &bytes, then: "Z") }
    }

    /// Rounded down, except that a moment held as the binary fraction just below a millisecond is that millisecond.
    private static func wholeMilliseconds(_ seconds: Double) -> Int {
        let exact = seconds * 1000
        let nearest = exact.rounded()
        return Int(abs(exact - nearest) < 0.1 ? nearest : exact.rounded(.down))
    }

    private static func append(_ value: Int, _ width: Int, to bytes: inout [UInt8], then separator: Unicode.Scalar) {
        var divisor = width == 4 ? 1000 : width == 3 ? 100 : 10
        while divisor > 0 {
            bytes.append(UInt8(ascii: "0") + UInt8(value / divisor % 10))
            divisor /= 10
        }
        bytes.append(UInt8(ascii: separator))
    }

    /// Reads RFC 3339 (`2026-01-31T09:30:00Z`, with a fraction or an offset if need be); `nil` for anything else.
    ///
    /// A leap second (`:60`) is read as the second that follows.
    public static func date(_ text: String) -> Date? {
        var reader = DigitReader(text)
        guard let year = reader.number(4), reader.take("-"), let month = reader.number(2), reader.take("-"), let day = reader.number(2),
            reader.take("T") || reader.take("t") || reader.take(" "),
            let hour = reader.number(2), reader.take(":"), let minute = reader.number(2), reader.take(":"), let second = reader.number(2),
            year >= 1, (1...12).contains(month), (1...daysIn(month, year)).contains(day), hour < 24, minute < 60, second <= 60,
            let fraction = reader.fraction(), let offset = reader.offset(), reader.isAtEnd
        else { return nil }
        let seconds = CivilDate.day(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second - offset
        return Date(timeIntervalSince1970: (Double(seconds * 1000) + min((fraction * 1000).rounded(.down), 999)) / 1000)
    }

    private static func daysIn(_ month: Int, _ year: Int) -> Int {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }
}

private struct DigitReader {
    private var rest: Substring.UTF8View

    init(_ text: String) {
        rest = text[...].utf8
    }

    var isAtEnd: Bool { rest.isEmpty }

    mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard rest.first == UInt8(ascii: character) else { return false }
        rest.removeFirst()
        return true
    }

    mutating func number(_ width: Int) -> Int? {
        guard rest.count >= width, rest.prefix(width).allSatisfy(\.isDigit) else { return nil }
        defer { rest.removeFirst(width) }
        return rest.prefix(width).reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) }
    }

    mutating func fraction() -> Double? {
        guard take(".") else { return 0 }
        var (value, scale, any) = (0.0, 0.1, false)
        while let digit = rest.first, digit.isDigit {
            value += Double(digit - UInt8(ascii: "0")) * scale
            (scale, any) = (scale / 10, true)
            rest.removeFirst()
        }
        return any ? value + 1e-9 : nil
    }

    /// Seconds east of UTC.
    mutating func offset() -> Int? {
        if take("Z") || take("z") { return 0 }
        let sign = take("+") ? 1 : take("-") ? -1 : 0
        guard sign != 0, let hour = number(2), take(":"), let minute = number(2), hour < 24, minute < 60 else { return nil }
        return sign * (hour * 3600 + minute * 60)
    }
}
