import Foundation
import MartletCore
import MartletStorage

/// Times of the wire: microseconds, or days, since 2000-01-01. The least and the greatest stand for the infinities.
enum PostgresMoment {
    private static let daysBefore2000 = 10_957
    private static let millisecondsBefore2000: Int64 = 946_684_800_000

    static func microseconds(_ moment: Date) throws -> Int64 {
        guard let milliseconds = SQLValue.milliseconds(moment) else { throw PostgresParameters.unsendable }
        return (milliseconds - millisecondsBefore2000) * 1000
    }

    /// The moment, rounded down to milliseconds like those that are stored; `nil` for the infinities and outside the years 1–9999.
    static func date(microseconds: Int64) -> Date? {
        let milliseconds = Int(microseconds).quotientAndRemainder(flooredBy: 1000).quotient
        return SQLValue.moment(milliseconds: Int64(milliseconds) + millisecondsBefore2000)
    }

    /// The day as `2026-02-28`; `nil` for the infinities and outside the years 1–9999.
    static func day(_ day: Int32) -> String? {
        let date = CivilDate.date(onDay: Int(day) + daysBefore2000)
        guard 1...9999 ~= date.year else { return nil }
        return "\(digits(date.year, 4))-\(digits(date.month, 2))-\(digits(date.day, 2))"
    }

    private static func digits(_ number: Int, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}
