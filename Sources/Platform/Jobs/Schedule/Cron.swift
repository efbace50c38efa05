public import Foundation
import MartletCore

/// A cron expression: minute, hour, day of month, month and day of week, or one of `@hourly`, `@daily` (`@midnight`), `@weekly`,
/// `@monthly` and `@yearly` (`@annually`).
///
/// A field is `*`, a number, a range or a list of them; `*` and ranges take a step (`*/15`, `8-18/2`). Months and days of the week have
/// names (`JAN`, `mon`); 0 and 7 are Sunday. A day matches when both of its fields do, or, when neither begins with `*`, when either does:
/// `0 0 13 * FRI` is every 13th and every Friday, `0 0 */2 * FRI` every Friday with an odd date.
///
/// When the clock changes, an expression whose hour field names every hour follows real time: it fires whenever the clock reads a
/// matching time, thus twice in an hour that comes twice. For any other, including `*/2`, each local time counts once. What a clock put
/// forward leaves out fires at the first moment after the gap, once, however many matching times fall into it; of a time that comes
/// twice only the first counts. So nothing that runs by the day is skipped or repeated.
///
/// Two expressions are equal when their fields are written alike.
///
/// Source: POSIX crontab, and crontab(5) of Paul Vixie's cron. Unlike his, it refuses a step that is longer than its field (`*/90`),
/// because it never means what it seems to, and goes by the hour field alone in what follows real time.
public struct Cron: Sendable, Hashable, CustomStringConvertible {
    /// The five fields, in capitals, with one space between them.
    public let description: String
    private let minute, hour, dayOfMonth, month, dayOfWeek: CronField

    /// - Throws: which field is wrong and why; the text may come from outside.
    public init(_ text: String) throws(CronFault) {
        let texts = try CronField.split(text)
        minute = try CronField(texts[0], .minute)
        hour = try CronField(texts[1], .hour)
        dayOfMonth = try CronField(texts[2], .dayOfMonth)
        month = try CronField(texts[3], .month)
        dayOfWeek = try CronField(texts[4], .dayOfWeek)
        description = texts.joined(separator: " ")
    }

    /// The first moment after `moment` that matches, in whole minutes of the zone's local time (and the ends of its gaps); `nil` when
    /// none comes within 8 years, the longest that 29 February ever stays away, and for moments beyond the year 30000.
    ///
    /// The result depends on the arguments and the zone's rules alone, and no moment is left out between two calls.
    public func next(after moment: Date, in zone: TimeZone) -> Date? {
        let seconds = moment.timeIntervalSince1970.rounded(.down)
        guard abs(seconds) < 9e11 else { return nil }
        let next = next(from: Int(seconds) + 1, in: ZoneClock(zone))
        return next.map { Date(timeIntervalSince1970: TimeInterval($0)) }
    }
}

// MARK: Moments

extension Cron {
    /// 29 February after 28 February 2096 is 2,922 days away.
    private static let horizon = 2_930 * 86_400

    /// Goes through the stretches between the zone's changes: within one, moments and local times differ by a constant.
    private func next(from start: Int, in clock: ZoneClock) -> Int? {
        let end = start + Self.horizon
        var stretch = start - ZoneClock.longestPutBack
        var offset = clock.offset(at: stretch)
        var local = stretch + offset
        while true {
            let match = firstTime(from: max(local, start + offset), before: end + offset).map { $0 - offset }
            guard let change = clock.firstChange(after: stretch, through: match ?? end) else { return match }
            let offsetAfter = clock.offset(at: change)
            if change >= start, leavesOut(change + offset, change + offsetAfter) { return change }
            local = change + (followsRealTime ? offsetAfter : max(offset, offsetAfter))
            (stretch, offset) = (change, offsetAfter)
        }
    }

    private var followsRealTime: Bool { hour.isFull }

    private func leavesOut(_ gap: Int, _ gapEnd: Int) -> Bool {
        !followsRealTime && firstTime(from: gap, before: gapEnd) != nil
    }
}

// MARK: Local times, in seconds since 1970-01-01 00:00 on the clock

extension Cron {
    /// The first local time that matches; `limit` is excluded.
    func firstTime(from local: Int, before limit: Int) -> Int? {
        let minutes = (local + 59).quotientAndRemainder(flooredBy: 60).quotient
        var (day, minute) = minutes.quotientAndRemainder(flooredBy: 1_440)
        while day * 86_400 < limit {
            if matches(day), let found = firstMinute(from: minute) {
                let time = day * 86_400 + found * 60
                return time < limit ? time : nil
            }
            (day, minute) = (dayToTry(after: day), 0)
        }
        return nil
    }

    private func matches(_ day: Int) -> Bool {
        let date = CivilDate.date(onDay: day)
        // 1 January 1970 was a Thursday.
        let weekday = (day + 4).quotientAndRemainder(flooredBy: 7).remainder
        guard month.contains(date.month) else { return false }
        let (byDate, byWeekday) = (dayOfMonth.contains(date.day), dayOfWeek.contains(weekday))
        return dayOfMonth.isStar || dayOfWeek.isStar ? byDate && byWeekday : byDate || byWeekday
    }

    /// The next day, or the first of the next month when this one does not match.
    private func dayToTry(after day: Int) -> Int {
        let date = CivilDate.date(onDay: day)
        if month.contains(date.month) { return day + 1 }
        return date.month == 12 ? CivilDate.day(date.year + 1, 1, 1) : CivilDate.day(date.year, date.month + 1, 1)
    }

    private func firstMinute(from minuteOfDay: Int) -> Int? {
        let (now, sinceHour) = minuteOfDay.quotientAndRemainder(dividingBy: 60)
        if hour.contains(now), let minute = minute.first(from: sinceHour) { return now * 60 + minute }
        guard let later = hour.first(from: now + 1), let minute = minute.first(from: 0) else { return nil }
        return later * 60 + minute
    }
}
