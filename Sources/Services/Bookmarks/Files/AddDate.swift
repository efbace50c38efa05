import Foundation
import MartletContract

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
        guard let date = Timestamp.date(logTime(text) ?? text), (0..<end).contains(date.timeIntervalSince1970) else { return nil }
        return date.timeIntervalSince1970 > 0 ? date : nil
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
