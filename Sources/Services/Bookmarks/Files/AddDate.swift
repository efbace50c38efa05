import Foundation

/// When a bookmark was added, in any of the forms that bookmark files and JSON exports use.
enum AddDate {
    /// The first moment not believed, the start of 2100: later ones are a fault of the file.
    private static let end = 4_102_444_800.0
    /// The earliest moment believed of a number that must be milliseconds or microseconds (1973): smaller ones are odd seconds.
    private static let earliestFine = 100_000_000.0

    /// Reads Unix seconds (or milliseconds or microseconds), `10/Oct/2000:13:55:36 +0300`, or RFC 3339.
    ///
    /// `nil` for anything else, and for moments before 1970 or after 2099. Zero is what browsers write when they do not know.
    static func date(_ text: String) -> Date? {
        let text = text.trimmingWhitespace()
        guard !text.isEmpty, text.utf8.count <= 40 else { return nil }
        if text.utf8.allSatisfy(\.isASCIIDigit) { return Double(text).flatMap(date(unixTime:)) }
        guard let seconds = seconds(rfc3339: logTime(text) ?? text), seconds > 0, seconds < end else { return nil }
        return Date(timeIntervalSince1970: seconds)
    }

    /// Seconds since 1970; numbers too large for that are milliseconds or microseconds.
    static func date(unixTime number: Double) -> Date? {
        guard number > 0 else { return nil }
        if number < end { return Date(timeIntervalSince1970: number) }
        let seconds = [number / 1_000, number / 1_000_000].first { $0 < end && $0 >= earliestFine }
        return seconds.map(Date.init(timeIntervalSince1970:))
    }

    /// The form of web server logs (`10/Oct/2000:13:55:36 +0300`) as RFC 3339.
    private static func logTime(_ text: String) -> String? {
        let parts = text.utf8.split { "/: ".utf8.contains($0) }.map { Substring($0) }
        guard parts.count == 7, parts[6].utf8.count == 5, let month = months.firstIndex(of: parts[1].lowercased()) else { return nil }
        let number = month < 9 ? "0\(month + 1)" : "\(month + 1)"
        return "\(parts[2])-\(number)-\(parts[0])T\(parts[3]):\(parts[4]):\(parts[5])\(parts[6].prefix(3)):\(parts[6].suffix(2))"
    }

    private static let months = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
}

// MARK: - RFC 3339

// Foundation's parser is too kind for outside data: it reads 30 February as 2 March, hour 25 as the next day, and ignores what follows.
extension AddDate {
    private static func seconds(rfc3339 text: String) -> Double? {
        let bytes = Array(text.utf8)
        guard matches(bytes.prefix(19), "0000-00-00T00:00:00") else { return nil }
        func field(_ range: Range<Int>) -> Int { number(bytes[range]) }
        guard let days = days(field(0..<4), field(5..<7), field(8..<10)), field(11..<13) < 24, field(14..<16) < 60, field(17..<19) <= 60,
            let (fraction, offset) = fractionAndOffset(bytes[19...])
        else { return nil }
        let second = days * 86_400 + field(11..<13) * 3_600 + field(14..<16) * 60 + field(17..<19) - offset
        return Double(second) + fraction
    }

    private static func fractionAndOffset(_ bytes: ArraySlice<UInt8>) -> (fraction: Double, offset: Int)? {
        guard bytes.first == UInt8(ascii: ".") else { return offset(bytes).map { (0, $0) } }
        let digits = bytes.dropFirst().prefix(while: \.isASCIIDigit)
        guard (1...9).contains(digits.count), let fraction = Double("0." + String(decoding: digits, as: UTF8.self)) else { return nil }
        return offset(bytes[digits.endIndex...]).map { (fraction, $0) }
    }

    /// Seconds east of UTC.
    private static func offset(_ bytes: ArraySlice<UInt8>) -> Int? {
        if bytes.elementsEqual("Z".utf8) || bytes.elementsEqual("z".utf8) { return 0 }
        guard let sign = bytes.first, "+-".utf8.contains(sign), matches(bytes.dropFirst(), "00:00") else { return nil }
        let (hours, minutes) = (number(bytes.dropFirst().prefix(2)), number(bytes.suffix(2)))
        guard hours < 24, minutes < 60 else { return nil }
        return (sign == UInt8(ascii: "-") ? -1 : 1) * (hours * 3_600 + minutes * 60)
    }

    /// Days since 1970-01-01 of a date from then to 9999; `nil` for one that is not in the calendar.
    private static func days(_ year: Int, _ month: Int, _ day: Int) -> Int? {
        let isLeapYear = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
        let lengths = [31, isLeapYear ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
        guard year >= 1970, (1...12).contains(month), (1...lengths[month - 1]).contains(day) else { return nil }
        let before = year - 1
        let leapDays = before / 4 - before / 100 + before / 400 - (1969 / 4 - 1969 / 100 + 1969 / 400)
        return (year - 1970) * 365 + leapDays + lengths.prefix(month - 1).reduce(0, +) + day - 1
    }

    /// Whether there is a digit wherever the pattern has one, and elsewhere what it has, in either case.
    private static func matches(_ bytes: ArraySlice<UInt8>, _ pattern: String) -> Bool {
        bytes.elementsEqual(pattern.utf8) { $1.isASCIIDigit ? $0.isASCIIDigit : $0.asciiUpperCased == $1 }
    }

    private static func number(_ digits: ArraySlice<UInt8>) -> Int {
        digits.reduce(0) { $0 * 10 + Int($1) - 0x30 }
    }
}
