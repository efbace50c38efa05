import Foundation
import Testing

@testable import MartletJobs

struct CronTests {
    /// 1 January 2026 is a Thursday.
    @Test(arguments: [
        ("* * * * *", "2026-01-01T00:00", "2026-01-01T00:01"),
        ("* * * * *", "2026-01-01T00:00:59", "2026-01-01T00:01"),
        ("*/15 * * * *", "2026-01-01T00:31", "2026-01-01T00:45"),
        ("10-50/20 * * * *", "2026-01-01T00:11", "2026-01-01T00:30"),
        ("5,10,59 23 * * *", "2026-01-01T23:10", "2026-01-01T23:59"),
        ("0 9-17/4 * * *", "2026-01-01T13:00", "2026-01-01T17:00"),
        ("0 0 1 * *", "2026-01-01T00:00", "2026-02-01T00:00"),
        ("0 0 31 * *", "2026-01-31T00:00", "2026-03-31T00:00"),
        ("0 0 1 jan *", "2026-01-01T00:00", "2027-01-01T00:00"),
        ("0 0 1 FEB-Apr *", "2026-04-01T00:00", "2027-02-01T00:00"),
        ("0 0 * * 0", "2026-01-01T00:00", "2026-01-04T00:00"),
        ("0 0 * * 7", "2026-01-01T00:00", "2026-01-04T00:00"),
        ("0 0 * * 5-7", "2026-01-03T00:00", "2026-01-04T00:00"),
        ("0 0 * * Mon,wed", "2026-01-01T00:00", "2026-01-05T00:00"),
        ("59 23 31 12 *", "2026-12-31T23:58", "2026-12-31T23:59"),
        ("  0\t12  * * * ", "2026-01-01T00:00", "2026-01-01T12:00"),
        ("@hourly", "2026-01-01T00:00", "2026-01-01T01:00"),
        ("@daily", "2026-01-01T00:00", "2026-01-02T00:00"),
        ("@midnight", "2026-01-01T00:00", "2026-01-02T00:00"),
        ("@Weekly", "2026-01-01T00:00", "2026-01-04T00:00"),
        ("@monthly", "2026-01-01T00:00", "2026-02-01T00:00"),
        ("@yearly", "2026-01-01T00:00", "2027-01-01T00:00"),
        ("@annually", "2026-01-01T00:00", "2027-01-01T00:00"),
    ]) func theNextMomentIsTheFirstThatMatches(text: String, after: String, next: String) throws {
        #expect(try Cron(text).next(after: moment(after), in: zone("UTC")) == moment(next))
    }

    /// January 2026: Fridays are 2, 9, 16, 23, 30.
    @Test(arguments: [
        ("0 0 13 * FRI", [2, 9, 13, 16]),
        ("0 0 13 * *", [13]),
        ("0 0 * * FRI", [2, 9, 16, 23]),
        ("0 0 */2 * FRI", [9, 23]),
        ("0 0 1-31/2 * FRI", [1, 2, 3, 5]),
        ("0 0 9 * */5", [9]),
        ("0 0 10 * */5", []),
        ("0 0 10 * 0-6/5", [2, 4, 9, 10]),
    ]) func aRestrictedDayMatchesByEitherFieldUnlessOneBeginsWithAStar(text: String, days: [Int]) throws {
        let cron = try Cron(text)
        let (start, end) = (try moment("2025-12-31T00:00"), try moment("2026-02-01T00:00"))
        var (found, now) = ([Int](), start)
        while found.count < max(days.count, 1), let next = cron.next(after: now, in: try zone("UTC")), next < end {
            found.append(Int(next.timeIntervalSince(start)) / 86_400)
            now = next
        }
        #expect(found == days)
    }

    @Test(arguments: [
        ("", "five fields"), ("* * * *", "this has 4"), ("* * * * * *", "this has 6"), ("@reboot", "none of @hourly"),
        ("60 * * * *", "for the minute is wrong: “60” is no number from 0 to 59"), ("-1 * * * *", "for the minute"),
        ("+1 * * * *", "for the minute"), ("1, * * * *", "for the minute"), ("*5 * * * *", "for the minute"),
        ("99999999999999999999 * * * *", "for the minute"), ("* 24 * * *", "for the hour is wrong: “24”"),
        ("* MON * * *", "for the hour"), ("* * 0 * *", "for the day of month is wrong: “0” is no number from 1 to 31."),
        ("* * 32 * *", "for the day of month"), ("* * L * *", "for the day of month"), ("* * ? * *", "for the day of month"),
        ("* * * 13 *", "for the month is wrong: “13” is no number from 1 to 12, nor a name like JAN"),
        ("* * * JANUARY *", "for the month"),
        ("* * * * 8", "for the day of week is wrong: “8” is no number from 0 to 7, nor a name like SUN"),
        ("* * * * MON#2", "for the day of week"),
        ("* * * * FRI-MON", "for the day of week is wrong: “FRI-MON” runs backwards"), ("5/10 * * * *", "“5” takes no step"),
        ("*/0 * * * *", "the step “0” is no number from 1 to 60"), ("*/90 * * * *", "the step “90”"), ("*/ * * * *", "the step “”"),
        ("1-2-3 * * * *", "“2-3” is no number"), ("*/2/3 * * * *", "the step “2/3”"), ("0 0 ١ * *", "“١” is no number"),
        ("\(String(repeating: "x", count: 30)) * * * *", "“XXXXXXXXXXXXXXXXXXXX…”"),
        (String(repeating: "0,", count: 600) + "0 * * * *", "longer than 1,000 bytes"),
    ]) func whatIsWrongIsSaidInWords(text: String, words: String) {
        #expect { try Cron(text) } throws: { "\($0)".contains(words) }
    }

    @Test(arguments: [
        ("2096-02-28T00:00", "2096-02-29T00:00"), ("2096-02-29T00:00", "2104-02-29T00:00"), ("2097-01-01T00:00", "2104-02-29T00:00"),
        ("1999-12-31T00:00", "2000-02-29T00:00"), ("2024-02-29T00:00:01", "2028-02-29T00:00"), ("1969-12-31T23:59", "1972-02-29T00:00"),
    ]) func aLeapDayIsFoundHoweverFar(after: String, next: String) throws {
        #expect(try Cron("0 0 29 2 *").next(after: moment(after), in: zone("UTC")) == moment(next))
    }

    @Test(arguments: ["UTC", "Europe/Berlin", "Africa/Casablanca"]) func aDateThatIsInNoCalendarNeverComes(name: String) throws {
        for text in ["0 0 30 2 *", "0 0 31 4,6,9,11 *", "* * 30-31 feb *"] {
            #expect(try Cron(text).next(after: moment("2026-01-01T00:00"), in: zone(name)) == nil)
        }
    }

    @Test(arguments: [Double.nan, .infinity, -.infinity, 1e300, -1e300, 9e11])
    func momentsBeyondAnyCalendarHaveNoNext(seconds: Double) throws {
        #expect(try Cron("* * * * *").next(after: Date(timeIntervalSince1970: seconds), in: zone("UTC")) == nil)
    }

    @Test func theDistantPastAndFutureHaveOne() throws {
        for date in [Date.distantPast, .distantFuture] {
            let next = try #require(Cron("* * * * *").next(after: date, in: zone("UTC")))
            #expect(next > date && next <= date + 60)
        }
    }

    @Test func expressionsAreEqualWhenTheirFieldsAreWrittenAlike() throws {
        #expect(try Cron("@daily") == Cron("0 0 * * *"))
        #expect(try Cron("0  9 * jan mon") == Cron("0 9 * JAN MON"))
        #expect(try Cron("0 9 * * *") != Cron("1 9 * * *"))
        #expect(try Cron(" 0 9 * jan  mon-fri ").description == "0 9 * JAN MON-FRI")
    }
}
